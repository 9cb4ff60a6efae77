//! Powers of positive numbers.

use crate::math::{exp::exp_f64, ln::ln};

/// `base^exponent` in f64 for positive `base`: `exp(exponent * ln(base))`.
///
/// The relative error is about `|exponent * ln(base)|` times 2^-53, far below what the rotary angles need.
pub fn pow(base: f64, exponent: f64) -> f64 {
    exp_f64(exponent * ln(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotary_frequencies_agree_with_the_standard_library() {
        for base in [1e4f64, 1e5, 5e5, 1e6] {
            for i in 0..128 {
                let exponent = -f64::from(i) / 128.0;
                let want = base.powf(exponent);
                assert!(((pow(base, exponent) - want) / want).abs() < 1e-14);
            }
        }
    }
}
