//! How large the differences are.

use crate::stats::quantile;
use serde::Serialize;

/// Upper ends of the histogram's bins above 0; the last bin is open.
const ENDS: [f64; 8] = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// Differences of logprobs (second run minus first), by size. Natural logarithm units (nats).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// How many were compared.
    pub n: usize,
    /// How many have the same bits.
    pub equal_bits: usize,
    /// Of the differences with their sign: which side is surer.
    pub mean: Option<f64>,
    /// Of the sizes, as everything that follows.
    pub mean_abs: Option<f64>,
    pub median_abs: Option<f64>,
    pub p95_abs: Option<f64>,
    pub p99_abs: Option<f64>,
    pub max_abs: Option<f64>,
    /// How many sizes are 0, then up to each of 1e-7, 1e-6, … 1 (upper end excluded), then 1 and more. Empty without data.
    pub histogram: Vec<DistributionBin>,
}

/// One bin of a [`Distribution`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DistributionBin {
    /// Included, except that the first bin above 0 does not hold 0.
    pub from: f64,
    /// Excluded; equal to `from` in the bin of exact zeros, `None` in the last.
    pub to: Option<f64>,
    pub n: usize,
}

/// Collects differences in the order of the pairs, which fixes the order of every sum.
#[derive(Clone, Debug, Default)]
pub(super) struct Differences {
    values: Vec<f64>,
    equal_bits: usize,
    /// Pairs of logprobs of which one is no finite number and the bits differ: nothing can be subtracted.
    pub(super) not_finite: usize,
}

impl Differences {
    /// Adds the difference between two logprobs of the same token in the same context.
    pub(super) fn add(&mut self, left: f32, right: f32) {
        if left.to_bits() == right.to_bits() {
            self.equal_bits += 1;
            self.values.push(0.0);
        } else if left.is_finite() && right.is_finite() {
            self.values.push(f64::from(right) - f64::from(left));
        } else {
            self.not_finite += 1;
        }
    }

    /// Sum of sizes and their count.
    pub(super) fn total_abs(&self) -> (f64, usize) {
        (self.sizes(|_| true).iter().sum(), self.values.len())
    }

    /// Sizes of the differences that `wanted` takes, smallest first: an order that does not depend on which run came
    /// first, so that no sum does either.
    fn sizes(&self, wanted: impl Fn(f64) -> bool) -> Vec<f64> {
        let mut sizes: Vec<f64> = self.values.iter().filter(|value| wanted(**value)).map(|value| value.abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        sizes
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.values.extend(&other.values);
        self.equal_bits += other.equal_bits;
        self.not_finite += other.not_finite;
    }

    pub(super) fn distribution(&self) -> Distribution {
        let n = self.values.len();
        let sizes = self.sizes(|_| true);
        let rise: f64 = self.sizes(|value| value > 0.0).iter().sum();
        let fall: f64 = self.sizes(|value| value < 0.0).iter().sum();
        let mean = |sum: f64| (n > 0).then(|| sum / n as f64);
        Distribution {
            n,
            equal_bits: self.equal_bits,
            mean: mean(rise - fall),
            mean_abs: mean(sizes.iter().sum()),
            median_abs: quantile(&sizes, 0.5),
            p95_abs: quantile(&sizes, 0.95),
            p99_abs: quantile(&sizes, 0.99),
            max_abs: sizes.last().copied(),
            histogram: if n == 0 { Vec::new() } else { histogram(&sizes) },
        }
    }
}

fn histogram(sizes: &[f64]) -> Vec<DistributionBin> {
    let zeros = sizes.iter().filter(|size| **size == 0.0).count();
    let mut bins = vec![DistributionBin { from: 0.0, to: Some(0.0), n: zeros }];
    let mut from = 0.0;
    for to in ENDS.into_iter().map(Some).chain([None]) {
        let inside = |size: &&f64| **size > 0.0 && **size >= from && to.is_none_or(|to| **size < to);
        bins.push(DistributionBin { from, to, n: sizes.iter().filter(inside).count() });
        from = to.unwrap_or(from);
    }
    bins
}
