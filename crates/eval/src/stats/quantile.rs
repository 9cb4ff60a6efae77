//! Quantiles as NumPy computes them by default.

/// The `q`-quantile of ascending `sorted` by linear interpolation between the two nearest order statistics
/// (NumPy's `linear`, type 7 of Hyndman and Fan 1996). `None` for no data.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let (low, high, share) = neighbours(sorted.len(), q)?;
    Some(between(sorted[low], sorted[high], share))
}

/// The median of ascending `sorted`; `None` for no data.
pub fn median(sorted: &[f64]) -> Option<f64> {
    quantile(sorted, 0.5)
}

/// Between which order statistics of `n` the `q`-quantile lies, and how far along: (lower index, upper index, share).
pub(crate) fn neighbours(n: usize, q: f64) -> Option<(usize, usize, f64)> {
    let last = n.checked_sub(1)?;
    let position = q.clamp(0.0, 1.0) * last as f64;
    let low = position.floor();
    Some((low as usize, (low as usize + 1).min(last), position - low))
}

/// The point `share` of the way from `low` to `high`, computed from the nearer end so that a share of 1 gives exactly
/// `high` (as NumPy does).
pub(crate) fn between(low: f64, high: f64, share: f64) -> f64 {
    if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) }
}

#[cfg(test)]
mod tests {
    use super::{median, quantile};

    #[test]
    fn ends_and_middle_are_order_statistics() {
        let sorted = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(median(&sorted), Some(2.0));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile(&sorted, 0.75), Some(3.0));
    }

    #[test]
    fn one_value_is_every_quantile_and_no_value_is_none() {
        assert_eq!(quantile(&[3.5], 0.95), Some(3.5));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
