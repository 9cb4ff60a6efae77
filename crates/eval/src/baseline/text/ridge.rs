//! Ridge regression over sparse rows, by conjugate gradients in a fixed order.

use super::tfidf::SparseRows;

/// How far the residual must fall, relative to where it starts.
const TOLERANCE: f64 = 1e-9;

/// A fitted linear model.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Per column.
    pub weights: Vec<f64>,
    pub intercept: f64,
}

/// Minimises Σ (row·w + b − target)² + `alpha`·|w|², the intercept b not penalised, as scikit-learn's `Ridge` does
/// (Hoerl and Kennard, Technometrics 12, 1970).
///
/// Works on the dual, (K + alpha·I)·a = target − mean with K the products of centred rows, whose vectors have one
/// entry a row; conjugate gradients after Hestenes and Stiefel 1952. `alpha` must be above 0.
pub fn fit(rows: &SparseRows, columns: usize, targets: &[f64], alpha: f64) -> Linear {
    let centred = Centred::new(rows, columns);
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let mut residual: Vec<f64> = targets.iter().map(|target| target - mean).collect();
    let mut solution = vec![0.0; targets.len()];
    let mut direction = residual.clone();
    let mut left = dot(&residual, &residual);
    let enough = left * TOLERANCE * TOLERANCE;
    // In exact arithmetic there are never more steps than rows.
    for _ in 0..targets.len() {
        if left <= enough {
            break;
        }
        let image = centred.times_own_transpose(&direction, alpha);
        let step = left / dot(&direction, &image);
        for index in 0..solution.len() {
            solution[index] += step * direction[index];
            residual[index] -= step * image[index];
        }
        let now = dot(&residual, &residual);
        let share = now / left;
        direction.iter_mut().zip(&residual).for_each(|(along, residual)| *along = residual + share * *along);
        left = now;
    }
    let weights = centred.transpose_times(&solution);
    let intercept = mean - dot(&centred.means, &weights);
    Linear { weights, intercept }
}

impl Linear {
    /// What the model says of one row.
    pub fn of(&self, row: &[(u32, f64)]) -> f64 {
        row.iter().fold(0.0, |sum, (column, value)| sum + value * self.weights[*column as usize]) + self.intercept
    }
}

/// Rows from which the mean row is taken off without making them dense.
struct Centred<'a> {
    rows: &'a SparseRows,
    /// Per column.
    means: Vec<f64>,
}

impl<'a> Centred<'a> {
    fn new(rows: &'a SparseRows, columns: usize) -> Self {
        let mut means = vec![0.0; columns];
        for (column, value) in rows.rows().flatten() {
            means[*column as usize] += value;
        }
        means.iter_mut().for_each(|mean| *mean /= rows.len() as f64);
        Self { rows, means }
    }

    /// Xᵀ·a, one entry a column.
    fn transpose_times(&self, dual: &[f64]) -> Vec<f64> {
        let sum: f64 = dual.iter().sum();
        let mut product: Vec<f64> = self.means.iter().map(|mean| -mean * sum).collect();
        for (row, factor) in self.rows.rows().zip(dual) {
            for (column, value) in row {
                product[*column as usize] += value * factor;
            }
        }
        product
    }

    /// X·Xᵀ·a + alpha·a, one entry a row.
    fn times_own_transpose(&self, dual: &[f64], alpha: f64) -> Vec<f64> {
        let weights = self.transpose_times(dual);
        let shift = dot(&self.means, &weights);
        let product = |row: &[(u32, f64)]| row.iter().fold(0.0, |sum, (c, value)| sum + value * weights[*c as usize]);
        self.rows.rows().zip(dual).map(|(row, dual)| product(row) - shift + alpha * dual).collect()
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).fold(0.0, |sum, (left, right)| sum + left * right)
}

#[cfg(test)]
mod tests {
    use super::{Centred, dot, fit};
    use crate::baseline::text::tfidf::Corpus;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_gradient_vanishes_at_the_solution(
            texts in proptest::collection::vec("([a-f]{2} ){0,6}", 2..20),
            alpha in 0.1f64..10.0,
            seed: u64,
        ) {
            let corpus = Corpus::new(texts.iter().map(String::as_str));
            let all: Vec<usize> = (0..texts.len()).collect();
            let rows = corpus.rows(&all, &corpus.weights(&all));
            let targets: Vec<f64> =
                (0..texts.len() as u64).map(|i| (seed.rotate_left(i as u32 * 7) % 100) as f64).collect();
            let model = fit(&rows, corpus.words.len(), &targets, alpha);
            let errors: Vec<f64> = rows.rows().zip(&targets).map(|(row, target)| target - model.of(row)).collect();
            // Σ errors = 0 for the intercept, and alpha·w = Xᵀ·errors for the weights.
            let scale = 1.0 + dot(&targets, &targets).sqrt();
            prop_assert!(errors.iter().sum::<f64>().abs() < 1e-7 * scale);
            let gradient = Centred::new(&rows, corpus.words.len()).transpose_times(&errors);
            for (weight, pull) in model.weights.iter().zip(&gradient) {
                prop_assert!((alpha * weight - pull).abs() < 1e-7 * scale, "{} {}", alpha * weight, pull);
            }
        }
    }

    #[test]
    fn without_words_the_mean_is_all_there_is() {
        let corpus = Corpus::new(["", "", ""]);
        let rows = corpus.rows(&[0, 1, 2], &corpus.weights(&[0, 1, 2]));
        let model = fit(&rows, 0, &[1.0, 2.0, 6.0], 1.0);
        assert_eq!(model.of(&[]), 3.0);
    }
}
