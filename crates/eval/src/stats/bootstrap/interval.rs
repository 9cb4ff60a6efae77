//! From resampled values to bounds.

use super::estimate::IntervalMethod;
use crate::stats::normal::normal_cdf;
use crate::stats::portable::normal_quantile;
use crate::stats::quantile::quantile;

/// The bias-corrected and accelerated interval of `value` from its resampled values in ascending order; the percentile
/// interval where the correction is undefined: without an acceleration, when every resampled value lies on one side of
/// `value`, or when the acceleration is so strong that the corrected share leaves its scale. `None` without resampled
/// values.
///
/// Source: Efron 1987; DiCiccio and Efron 1996, equation 2.3, with ties of resampled values and `value` counted half.
pub fn bca_interval(
    value: f64,
    resampled: &[f64],
    acceleration: Option<f64>,
    confidence: f64,
) -> Option<((f64, f64), IntervalMethod)> {
    let outside = (1.0 - confidence) / 2.0;
    let (shares, method) = match acceleration.and_then(|a| corrected_shares(value, resampled, a, outside)) {
        Some(shares) => (shares, IntervalMethod::Bca),
        None => ((outside, 1.0 - outside), IntervalMethod::Percentile),
    };
    Some(((quantile(resampled, shares.0)?, quantile(resampled, shares.1)?), method))
}

/// Which shares of the resampled values the bounds are to cut off below.
fn corrected_shares(value: f64, resampled: &[f64], acceleration: f64, outside: f64) -> Option<(f64, f64)> {
    let below = resampled.partition_point(|other| *other < value);
    let up_to = resampled.partition_point(|other| *other <= value);
    let share_below = (below + up_to) as f64 / (2 * resampled.len()) as f64;
    if !(share_below > 0.0 && share_below < 1.0) {
        return None;
    }
    let bias = normal_quantile(share_below);
    let edge = normal_quantile(outside);
    let corrected = |edge: f64| {
        let from_centre = bias + edge;
        let shrink = 1.0 - acceleration * from_centre;
        (shrink > 0.0).then(|| normal_cdf(bias + from_centre / shrink))
    };
    Some((corrected(edge)?, corrected(-edge)?))
}

/// The acceleration, how fast a statistic's spread changes with its value: Σ u³ / (6 (Σ u²)^(3/2)) over the distances u
/// of the leave-one-out values from their mean. Each value comes with how many instances share it. `None` when a value is
/// undefined or all are equal.
///
/// Source: Efron and Tibshirani 1993, equation 14.15. Leaving out blocks of equal size instead of single instances
/// estimates the same number: the skewness of block sums shrinks with the root of their size as their count does.
pub fn acceleration(left_out: &[(f64, f64)]) -> Option<f64> {
    let weight: f64 = left_out.iter().map(|(_, weight)| weight).sum();
    let mean = left_out.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for (value, weight) in left_out {
        let distance = mean - value;
        squares += weight * distance * distance;
        cubes += weight * distance * distance * distance;
    }
    let acceleration = cubes / (6.0 * squares * squares.sqrt());
    acceleration.is_finite().then_some(acceleration)
}

#[cfg(test)]
mod tests {
    use super::{acceleration, bca_interval};
    use crate::stats::IntervalMethod;

    #[test]
    fn without_bias_and_skew_the_correction_changes_nothing() {
        let resampled: Vec<f64> = (-500..=500).map(f64::from).collect();
        let (bca, method) = bca_interval(0.0, &resampled, Some(0.0), 0.95).expect("values");
        let (percentile, fallback) = bca_interval(0.0, &resampled, None, 0.95).expect("values");
        assert!((bca.0 - percentile.0).abs() < 1e-9 && (bca.1 - percentile.1).abs() < 1e-9, "{bca:?} {percentile:?}");
        assert_eq!((method, fallback), (IntervalMethod::Bca, IntervalMethod::Percentile));
    }

    #[test]
    fn a_value_outside_its_resamples_cannot_be_corrected() {
        let resampled = [1.0, 2.0, 3.0];
        for value in [0.0, 4.0] {
            let (_, method) = bca_interval(value, &resampled, Some(0.1), 0.95).expect("values");
            assert_eq!(method, IntervalMethod::Percentile);
        }
        assert_eq!(bca_interval(1.0, &[], Some(0.1), 0.95), None);
    }

    #[test]
    fn skew_to_the_right_moves_both_bounds_up() {
        let resampled: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1000.0).collect();
        let (bounds, _) = bca_interval(0.5, &resampled, Some(0.1), 0.9).expect("values");
        assert!(bounds.0 > 0.05 && bounds.1 > 0.95, "{bounds:?}");
    }

    #[test]
    fn acceleration_needs_values_that_differ() {
        assert_eq!(acceleration(&[(2.0, 1.0), (2.0, 5.0)]), None);
        assert_eq!(acceleration(&[(2.0, 1.0), (f64::NAN, 1.0)]), None);
        assert_eq!(acceleration(&[]), None);
        // Shared values weigh as often as they occur.
        let (shared, single) =
            (acceleration(&[(1.0, 2.0), (4.0, 1.0)]), acceleration(&[(1.0, 1.0), (1.0, 1.0), (4.0, 1.0)]));
        assert_eq!(shared, single);
    }
}
