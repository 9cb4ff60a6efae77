//! Percentiles with intervals that need no resampling.

use crate::stats::{Binomial, Estimate, IntervalMethod, quantile};

/// The percentiles that every time is told in: (suffix of the name, share).
pub(super) const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

/// The `share`-quantile of ascending `sorted`, between the two order statistics that hold the true one with at least
/// `confidence` (David and Nagaraja, Order Statistics, 2003, section 7.1): how many of n values lie below a quantile is
/// binomial.
///
/// Repetitions of an instance are no independent trials, so n is the number of `instances`, and the order statistics are
/// taken at the same shares of all values. Without an interval where the whole sample may well lie on one side.
pub(super) fn percentile(sorted: &[f64], share: f64, instances: usize, confidence: f64) -> Estimate {
    let value = quantile(sorted, share);
    let interval = ranks(share, instances, confidence).and_then(|(low, high)| {
        let at = |rank: usize| quantile(sorted, rank as f64 / (instances - 1) as f64);
        Some((at(low)?, at(high)?))
    });
    Estimate { value, interval, method: interval.map(|_| IntervalMethod::OrderStatistics) }
}

/// The places, from 0, of the order statistics of `n` values that hold the `share`-quantile between them.
fn ranks(share: f64, n: usize, confidence: f64) -> Option<(usize, usize)> {
    let below = Binomial::new(u32::try_from(n).ok()?, share);
    let outside = (1.0 - confidence) / 2.0;
    let mass = |count: usize| below.mass(count as u32);
    // At place `low`, counted from 0, the value lies above the quantile if at most `low` values lie below it.
    let mut tail = 0.0;
    let low = (0..n).take_while(|count| {
        tail += mass(*count);
        tail <= outside
    });
    let low = low.last()?;
    let mut tail = 0.0;
    let high = (1..=n).rev().take_while(|count| {
        tail += mass(*count);
        tail <= outside
    });
    Some((low, high.last()? - 1))
}

#[cfg(test)]
mod tests {
    use super::{percentile, ranks};
    use crate::stats::SplitMix64;

    #[test]
    fn the_interval_holds_the_true_quantile_at_least_as_often_as_it_says() {
        let mut generator = SplitMix64::new(3);
        for (share, n) in [(0.5, 60), (0.9, 120), (0.95, 200)] {
            let trials = 1000;
            let mut held = 0;
            for _ in 0..trials {
                let mut values: Vec<f64> = (0..n).map(|_| f64::from(generator.below(1_000_000)) / 1e6).collect();
                values.sort_unstable_by(f64::total_cmp);
                let (low, high) = percentile(&values, share, n, 0.95).interval.expect("enough values");
                held += usize::from(low <= share && share <= high);
            }
            // Four standard deviations of a binomial(1000, 0.95) are 28; whole ranks make the interval a little too wide.
            assert!((922..=995).contains(&held), "{held} of {trials} at {share}");
        }
    }

    #[test]
    fn the_median_of_few_values_lies_where_printed_tables_say() {
        // Conover, Practical Nonparametric Statistics, table A3: ranks 2 and 9 of 10, 6 and 15 of 20, none of 5.
        assert_eq!(ranks(0.5, 10, 0.95), Some((1, 8)));
        assert_eq!(ranks(0.5, 20, 0.95), Some((5, 14)));
        assert_eq!(ranks(0.5, 5, 0.95), None);
    }

    #[test]
    fn a_far_percentile_of_few_values_has_no_interval() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        assert!(percentile(&values, 0.5, 50, 0.95).interval.is_some());
        assert_eq!(percentile(&values, 0.99, 50, 0.95).interval, None, "0.99 to the 50th is 0.6");
        assert_eq!(percentile(&values, 0.5, 1, 0.95).interval, None);
        assert_eq!(percentile(&[], 0.5, 0, 0.95).value, None);
    }
}
