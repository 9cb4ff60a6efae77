//! The sign test: do more pairs go up than down, whatever the size of the step?

use super::hypothesis::Alternative;
use super::mcnemar::{fair_coin_tail, mcnemar_exact};
use serde::Serialize;

/// What the sign test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SignTest {
    pub positive: u64,
    pub negative: u64,
    /// Pairs without a difference, which the test leaves out.
    pub zero: u64,
    pub p_value: f64,
}

/// The exact sign test of paired `differences` (Arbuthnot 1710): a binomial test with p = ½ over those other than 0.
/// NaN is counted as no difference. The p-value is 1 when there is none.
pub fn sign_test(differences: &[f64], alternative: Alternative) -> SignTest {
    let count = |wanted: fn(&f64) -> bool| differences.iter().filter(|difference| wanted(difference)).count() as u64;
    let (positive, negative) = (count(|d| *d > 0.0), count(|d| *d < 0.0));
    let p_value = match alternative {
        Alternative::TwoSided => mcnemar_exact(positive, negative),
        Alternative::Less => fair_coin_tail(positive, negative),
        Alternative::Greater => fair_coin_tail(negative, positive),
    };
    SignTest { positive, negative, zero: differences.len() as u64 - positive - negative, p_value }
}

#[cfg(test)]
mod tests {
    use super::sign_test;
    use crate::stats::Alternative;

    #[test]
    fn sizes_do_not_matter() {
        let small = sign_test(&[1.0, 1.0, 1.0, -1.0, 0.0], Alternative::TwoSided);
        let large = sign_test(&[900.0, 3.0, 0.1, -1e9, 0.0], Alternative::TwoSided);
        assert_eq!(small, large);
        assert_eq!((small.positive, small.negative, small.zero, small.p_value), (3, 1, 1, 10.0 / 16.0));
    }

    #[test]
    fn one_sided_tails_overlap_in_what_was_observed() {
        let differences = [1.0, 1.0, -1.0];
        let less = sign_test(&differences, Alternative::Less).p_value;
        let greater = sign_test(&differences, Alternative::Greater).p_value;
        assert_eq!((less, greater), (7.0 / 8.0, 4.0 / 8.0));
        assert_eq!(sign_test(&[], Alternative::Greater).p_value, 1.0);
    }
}
