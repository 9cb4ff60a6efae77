//! How large a difference is, whatever its p-value.

use super::portable::arcsine;

/// Cliff's delta (1993): the chance that a value of `first` lies above one of `second` minus the chance that it lies
/// below, between −1 and 1. O(n log n). `None` without values on either side or with NaN among them.
pub fn cliffs_delta(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.is_empty() || second.is_empty() || first.iter().chain(second).any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = second.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let above_minus_below: i128 = first
        .iter()
        .map(|value| {
            let below = sorted.partition_point(|other| other < value);
            let not_above = sorted.partition_point(|other| other <= value);
            below as i128 - (sorted.len() - not_above) as i128
        })
        .sum();
    Some(above_minus_below as f64 / (first.len() as f64 * second.len() as f64))
}

/// A12 of Vargha and Delaney (2000): the chance that a value of `first` lies above one of `second`, ties counted half.
/// ½ means no difference. `None` as for [`cliffs_delta`].
pub fn vargha_delaney_a12(first: &[f64], second: &[f64]) -> Option<f64> {
    cliffs_delta(first, second).map(|delta| (delta + 1.0) / 2.0)
}

/// Cohen's h (1988): the distance 2·asin√p₁ − 2·asin√p₂ of two shares on a scale where equal steps are equally hard to
/// see; 0.2, 0.5 and 0.8 are called small, medium and large. Between −π and π.
pub fn cohens_h(first: f64, second: f64) -> f64 {
    2.0 * (arcsine(first.clamp(0.0, 1.0).sqrt()) - arcsine(second.clamp(0.0, 1.0).sqrt()))
}

/// The standardised mean of paired differences, d_z = mean / standard deviation (n − 1 below). `None` for fewer than two
/// differences or when all are equal.
pub fn cohens_dz(differences: &[f64]) -> Option<f64> {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|difference| (difference - mean) * (difference - mean)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    (differences.len() > 1 && deviation > 0.0).then(|| mean / deviation)
}

#[cfg(test)]
mod tests {
    use super::{cliffs_delta, cohens_dz, cohens_h, vargha_delaney_a12};

    #[test]
    fn delta_counts_pairs() {
        assert_eq!(cliffs_delta(&[1.0, 2.0, 3.0], &[2.0, 2.0]), Some(0.0));
        assert_eq!(cliffs_delta(&[5.0, 6.0], &[1.0, 2.0, 3.0]), Some(1.0));
        assert_eq!(vargha_delaney_a12(&[1.0], &[2.0, 1.0]), Some(0.25));
        assert_eq!(cliffs_delta(&[], &[2.0]), None);
        assert_eq!(cliffs_delta(&[f64::NAN], &[2.0]), None);
    }

    #[test]
    fn equal_steps_of_a_share_are_larger_near_its_ends() {
        assert_eq!(cohens_h(0.4, 0.4), 0.0);
        assert!(cohens_h(0.1, 0.0) > cohens_h(0.55, 0.45));
        assert!((cohens_h(1.0, 0.0) - std::f64::consts::PI).abs() < 1e-15);
    }

    #[test]
    fn a_constant_difference_has_no_standard() {
        assert_eq!(cohens_dz(&[2.0, 2.0]), None);
        assert_eq!(cohens_dz(&[2.0]), None);
        assert_eq!(cohens_dz(&[1.0, 3.0]).map(|d| (d * d * 1e9).round()), Some(2e9));
    }
}
