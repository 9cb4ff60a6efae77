//! Agreement beyond chance between right answers and given ones: MCC and two kappas.
//!
//! An answer that could not be read is an answer of its own that is never right: a column without a row, as
//! scikit-learn counts it when it is handed an extra label.

/// Names of the scores in [`agreement`]'s order.
pub(super) const AGREEMENT: [&str; 3] = ["mcc", "cohen_kappa", "quadratic_weighted_kappa"];

/// Multiclass MCC (Gorodkin 2004), Cohen's kappa (1960) and quadratically weighted kappa (1968) of a confusion matrix.
///
/// `cells` is row-major, `labels` rows of `labels` + 1 columns, labels in their order, the last column without answer.
/// In the weighted kappa two labels are as far apart as their places, and no answer is as far from every label as the
/// two ends are from each other. NaN where fewer than two labels occur: nothing can be told from chance then.
pub(super) fn agreement(cells: &[u32], labels: usize) -> [f64; AGREEMENT.len()] {
    let columns = labels + 1;
    let count = |row: usize, column: usize| f64::from(cells[row * columns + column]);
    let given: Vec<f64> = (0..columns).map(|column| (0..labels).map(|row| count(row, column)).sum()).collect();
    let right: Vec<f64> = (0..labels).map(|row| (0..columns).map(|column| count(row, column)).sum()).collect();
    if right.iter().filter(|support| **support > 0.0).count() < 2 {
        return [f64::NAN; AGREEMENT.len()];
    }
    let total: f64 = right.iter().sum();
    let hits: f64 = (0..labels).map(|label| count(label, label)).sum();
    let by_chance: f64 = right.iter().zip(&given).map(|(right, given)| right * given).sum();
    let spread = |margin: &[f64]| total * total - margin.iter().map(|count| count * count).sum::<f64>();
    let scale = (spread(&given) * spread(&right)).sqrt();
    let (mut observed, mut expected) = (0.0, 0.0);
    for (row, support) in right.iter().enumerate() {
        for (column, answers) in given.iter().enumerate() {
            let distance = distance(row, column, labels);
            observed += distance * count(row, column);
            expected += distance * support * answers;
        }
    }
    [
        // All answers alike: no correlation, by convention (Chicco and Jurman 2020) and in the limit.
        if scale > 0.0 { (hits * total - by_chance) / scale } else { 0.0 },
        (hits * total - by_chance) / (total * total - by_chance),
        1.0 - observed * total / expected,
    ]
}

/// Squared distance of two places, 1 between the ends and 1 to no answer.
fn distance(row: usize, column: usize, labels: usize) -> f64 {
    if column == labels {
        return 1.0;
    }
    let steps = row.abs_diff(column) as f64 / (labels - 1) as f64;
    steps * steps
}

#[cfg(test)]
mod tests {
    use super::agreement;

    #[test]
    fn perfect_answers_agree_fully_and_silence_does_not_agree_at_all() {
        assert_eq!(agreement(&[3, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4, 0], 3), [1.0, 1.0, 1.0]);
        assert_eq!(agreement(&[0, 0, 5, 0, 0, 7], 2), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_neighbour_is_a_smaller_mistake_than_the_far_end_and_no_answer_is_the_largest() {
        let weighted = |wrong: usize| {
            let mut cells = [5, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0];
            cells[wrong] += 3;
            agreement(&cells, 3)[2]
        };
        let (neighbour, far, silent) = (weighted(1), weighted(2), weighted(3));
        assert!(neighbour > far, "{neighbour} {far}");
        assert!(neighbour > silent, "{neighbour} {silent}");
    }

    #[test]
    fn one_label_alone_tells_nothing_from_chance() {
        assert!(agreement(&[4, 1, 0, 0, 0, 0], 2).iter().all(|score| score.is_nan()));
    }
}
