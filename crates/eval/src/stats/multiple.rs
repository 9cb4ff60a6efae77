//! p-values of a family of tests, corrected for there being several.

use serde::Serialize;

/// One test of a family with its corrected p-values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Adjusted {
    pub name: String,
    pub p_value: f64,
    /// Controls the chance of any false alarm in the family (Holm 1979).
    pub p_holm: f64,
    /// Controls the share of false alarms among the alarms (Benjamini and Hochberg 1995).
    pub p_benjamini_hochberg: f64,
    /// How many tests the family has.
    pub family_size: usize,
}

/// Corrects a family of named tests, in the order given. The family must be every test that was looked at, whatever it
/// found; a test that could not be made (NaN) stays NaN and does not count.
pub fn adjust<N: Into<String>>(family: impl IntoIterator<Item = (N, f64)>) -> Vec<Adjusted> {
    let (names, p_values): (Vec<String>, Vec<f64>) = family.into_iter().map(|(name, p)| (name.into(), p)).unzip();
    let family_size = p_values.iter().filter(|p| !p.is_nan()).count();
    let corrected = holm(&p_values).into_iter().zip(benjamini_hochberg(&p_values));
    let tests = names.into_iter().zip(p_values).zip(corrected);
    tests
        .map(|((name, p_value), (p_holm, p_benjamini_hochberg))| Adjusted {
            name,
            p_value,
            p_holm,
            p_benjamini_hochberg,
            family_size,
        })
        .collect()
}

/// Holm's step-down correction. NaN stays NaN and does not count as a test.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, at) in order.iter().enumerate() {
        least = least.max((p_values[*at] * (order.len() - rank) as f64).min(1.0));
        adjusted[*at] = least;
    }
    adjusted
}

/// Benjamini and Hochberg's step-up correction. NaN stays NaN and does not count as a test.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut most = 1.0_f64;
    for (rank, at) in order.iter().enumerate().rev() {
        // Divided as statsmodels divides, so that the last bit agrees.
        most = most.min(p_values[*at] / ((rank + 1) as f64 / order.len() as f64));
        adjusted[*at] = most;
    }
    adjusted
}

/// Where the smallest p-value stands, and so on upwards; those that are NaN are left out.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|at| !p_values[*at].is_nan()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::{adjust, benjamini_hochberg, holm};

    #[test]
    fn one_test_needs_no_correction() {
        assert_eq!((holm(&[0.03]), benjamini_hochberg(&[0.03])), (vec![0.03], vec![0.03]));
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn corrections_keep_the_order_of_tests_and_of_p_values() {
        assert_eq!(holm(&[0.04, 0.01, 0.03]), [0.06, 0.03, 0.06]);
        let adjusted = benjamini_hochberg(&[0.04, 0.01, 0.03]);
        assert!(adjusted.iter().zip([0.04, 0.03, 0.04]).all(|(found, expected)| (found - expected).abs() < 1e-15));
    }

    #[test]
    fn a_test_that_was_not_made_does_not_count() {
        let family = adjust([("first", 0.02), ("impossible", f64::NAN), ("second", 0.5)]);
        assert_eq!((family[0].p_holm, family[0].family_size, family[2].p_holm), (0.04, 2, 0.5));
        assert!(family[1].p_holm.is_nan() && family[1].p_benjamini_hochberg.is_nan());
        assert_eq!(family[1].name, "impossible");
    }
}
