//! A confidence interval for a share that stays honest near 0 and 1.

use super::portable::normal_quantile;

/// Wilson's score interval (1927) for a share `p` observed among `n` independent trials: (low, high).
/// `None` without trials. Unlike the bootstrap it does not collapse when nothing or everything succeeded.
pub fn wilson(p: f64, n: usize, confidence: f64) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let n = n as f64;
    let z = normal_quantile(0.5 + confidence / 2.0);
    let square = z * z;
    let centre = p + square / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let scale = 1.0 + square / n;
    let low = if p <= 0.0 { 0.0 } else { ((centre - half) / scale).max(0.0) };
    let high = if p >= 1.0 { 1.0 } else { ((centre + half) / scale).min(1.0) };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn no_failure_in_ten_trials_still_leaves_doubt() {
        let (low, high) = wilson(0.0, 10, 0.95).expect("ten trials");
        assert_eq!(low, 0.0);
        assert!((high - 0.277_532_8).abs() < 1e-6, "{high}");
    }

    #[test]
    fn without_trials_nothing_is_said() {
        assert_eq!(wilson(0.0, 0, 0.95), None);
    }
}
