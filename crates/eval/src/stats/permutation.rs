//! The paired permutation test: what would the mean difference be if each pair's order were a coin toss?

use super::hypothesis::Alternative;
use super::random::SplitMix64;
use serde::Serialize;

/// The test of a mean paired difference by flipping signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Permutation {
    pub alternative: Alternative,
    /// How many sign patterns are drawn where not all are counted.
    pub resamples: u32,
    pub seed: u64,
}

impl Default for Permutation {
    fn default() -> Self {
        Self { alternative: Alternative::TwoSided, resamples: 9999, seed: 42 }
    }
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PermutationResult {
    pub n_pairs: usize,
    pub mean_difference: f64,
    pub p_value: f64,
    /// Whether all sign patterns were counted; else they were drawn.
    pub exact: bool,
    /// Sign patterns looked at.
    pub resamples: u64,
}

/// Up to how many differences other than 0 all sign patterns are counted: 2^16 of them.
const COUNTED_PAIRS: usize = 16;

impl Permutation {
    /// Tests whether the mean of `differences`, one a pair, is what flipping signs would give. Pairs without a difference
    /// change no sum and double the patterns on both sides, so they are not flipped. Drawn patterns give
    /// (b + 1) / (m + 1), which is never 0 (Phipson and Smyth 2010); the two-sided value is twice the smaller tail, as
    /// `scipy.stats.permutation_test` has it, with its relative slack of 1e-14 for sums that only rounding keeps apart.
    ///
    /// `None` without pairs or with a difference that is no finite number.
    pub fn test(&self, differences: &[f64]) -> Option<PermutationResult> {
        if differences.is_empty() || differences.iter().any(|difference| !difference.is_finite()) {
            return None;
        }
        let moving: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
        let observed: f64 = moving.iter().sum();
        let size: f64 = moving.iter().map(|difference| difference.abs()).sum();
        let mut tails = Tails { observed, slack: 1e-14 * size.max(observed.abs()), at_most: 0, at_least: 0 };
        let exact = moving.len() <= COUNTED_PAIRS;
        let resamples = if exact {
            tails.count_all(&moving, 0.0);
            1_u64 << moving.len()
        } else {
            tails.draw(&moving, self.resamples, self.seed);
            u64::from(self.resamples)
        };
        let share = |count: u64| {
            let observed_itself = u64::from(!exact);
            (count + observed_itself) as f64 / (resamples + observed_itself) as f64
        };
        Some(PermutationResult {
            n_pairs: differences.len(),
            mean_difference: observed / differences.len() as f64,
            p_value: self.alternative.p_value(share(tails.at_most), share(tails.at_least)),
            exact,
            resamples,
        })
    }
}

struct Tails {
    observed: f64,
    slack: f64,
    at_most: u64,
    at_least: u64,
}

impl Tails {
    fn see(&mut self, sum: f64) {
        self.at_most += u64::from(sum <= self.observed + self.slack);
        self.at_least += u64::from(sum >= self.observed - self.slack);
    }

    /// Every pattern's sum is added up from the first pair to the last: no error builds up between patterns.
    fn count_all(&mut self, rest: &[f64], sum: f64) {
        match rest {
            [] => self.see(sum),
            [first, rest @ ..] => {
                self.count_all(rest, sum + first);
                self.count_all(rest, sum - first);
            }
        }
    }

    fn draw(&mut self, moving: &[f64], resamples: u32, seed: u64) {
        let mut generator = SplitMix64::new(seed);
        for _ in 0..resamples {
            let mut sum = 0.0;
            for some in moving.chunks(64) {
                let mut signs = generator.next_u64();
                for difference in some {
                    sum += if signs & 1 == 1 { -difference } else { *difference };
                    signs >>= 1;
                }
            }
            self.see(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Permutation;
    use crate::stats::Alternative;

    #[test]
    fn all_patterns_are_counted_for_few_pairs() {
        let result = Permutation::default().test(&[1.0, 2.0, 0.0, 4.0]).expect("pairs");
        assert_eq!((result.p_value, result.exact, result.resamples), (2.0 / 8.0, true, 8));
        assert_eq!(result.mean_difference, 7.0 / 4.0);
        let less = Permutation { alternative: Alternative::Less, ..Permutation::default() };
        assert_eq!(less.test(&[1.0, 2.0, 4.0]).expect("pairs").p_value, 1.0);
    }

    #[test]
    fn equal_pairs_give_no_evidence() {
        let result = Permutation::default().test(&[0.0; 40]).expect("pairs");
        assert_eq!((result.p_value, result.mean_difference), (1.0, 0.0));
    }

    #[test]
    fn drawn_patterns_come_close_to_counted_ones_and_repeat_with_the_seed() {
        // 17 pairs: one more than are counted; the last adds nothing that matters.
        let mut differences: Vec<f64> = (0..16).map(|i| f64::from(i * i * 37 % 113) / 10.0 - 4.0).collect();
        let counted = Permutation::default().test(&differences).expect("pairs").p_value;
        differences.push(1e-9);
        let drawn = Permutation { resamples: 40_000, ..Permutation::default() };
        let result = drawn.test(&differences).expect("pairs");
        assert!(!result.exact && (result.p_value - counted).abs() < 0.02, "{} {counted}", result.p_value);
        assert_eq!(drawn.test(&differences), Some(result));
        assert_ne!(Permutation { seed: 1, ..drawn }.test(&differences), Some(result));
    }

    #[test]
    fn a_drawn_p_value_is_never_zero() {
        let result = Permutation { resamples: 99, ..Permutation::default() }.test(&[1.0; 60]).expect("pairs");
        assert_eq!(result.p_value, 2.0 / 100.0);
    }
}
