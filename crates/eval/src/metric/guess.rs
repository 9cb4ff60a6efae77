//! Guessing the right answer of another instance: the judge without skill that estimates are measured against.

/// Expected absolute errors of guessing the right answer of another instance: the mean |difference| over all pairs of
/// distinct instances that hold the one asked for.
///
/// Source: Shepperd and MacDonell 2012 define the guess; Langdon et al. 2016 give the exact form.
pub(crate) struct GuessErrors {
    sorted: Vec<f64>,
    /// Sum of the first i values.
    sums: Vec<f64>,
}

impl GuessErrors {
    pub(crate) fn new(golds: &[f64]) -> Self {
        let mut sorted = golds.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for value in &sorted {
            sum += value;
            sums.push(sum);
        }
        Self { sorted, sums }
    }

    /// The expected error for an instance of the set whose right answer is `gold`; `None` if it is alone.
    pub(crate) fn of(&self, gold: f64) -> Option<f64> {
        let others = self.sorted.len().checked_sub(1).filter(|others| *others > 0)?;
        let below = self.sorted.partition_point(|value| *value < gold);
        let sum_below = self.sums[below];
        let sum_rest = self.sums[self.sorted.len()] - sum_below;
        let distance = (gold * below as f64 - sum_below) + (sum_rest - gold * (self.sorted.len() - below) as f64);
        Some(distance / others as f64)
    }
}

/// The spread of the errors of guessing: their squares and their median, over all pairs of distinct instances.
pub(super) struct GuessSpread {
    /// (value, how often it occurs), ascending.
    values: Vec<(f64, f64)>,
    n: f64,
    mean: f64,
    /// Σ (value − mean)².
    squares: f64,
}

impl GuessSpread {
    pub(super) fn new(golds: &[f64]) -> Self {
        let mut sorted = golds.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let values: Vec<(f64, f64)> = sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f64)).collect();
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let squares = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { values, n, mean, squares }
    }

    /// The expected squared error of guessing for an instance of the set whose right answer is `gold`; `None` if it is
    /// alone.
    pub(super) fn mean_square(&self, gold: f64) -> Option<f64> {
        let off = gold - self.mean;
        (self.n > 1.0).then(|| (self.n * off * off + self.squares) / (self.n - 1.0))
    }

    /// The median absolute error of guessing; `None` for fewer than two instances.
    pub(super) fn median(&self) -> Option<f64> {
        let pairs = self.n * (self.n - 1.0) / 2.0;
        if pairs < 1.0 {
            return None;
        }
        let below = ((pairs - 1.0) / 2.0).floor();
        let middle = (self.smallest(below + 1.0), self.smallest(pairs - below));
        Some((middle.0 + middle.1) / 2.0)
    }

    /// The `rank`-th smallest difference of two instances, 1 for the smallest, found by halving the range of the bits:
    /// floats that are not negative are ordered as their bits are.
    fn smallest(&self, rank: f64) -> f64 {
        let widest = self.values.last().map_or(0.0, |last| last.0 - self.values[0].0);
        let (mut low, mut high) = (0, widest.to_bits());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.pairs_within(f64::from_bits(middle)) >= rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        f64::from_bits(low)
    }

    /// How many pairs of instances differ by at most `distance`.
    fn pairs_within(&self, distance: f64) -> f64 {
        let (mut pairs, mut near, mut first) = (0.0, 0.0, 0);
        for (value, count) in &self.values {
            while value - self.values[first].0 > distance {
                near -= self.values[first].1;
                first += 1;
            }
            pairs += count * near + count * (count - 1.0) / 2.0;
            near += count;
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::{GuessErrors, GuessSpread};
    use crate::stats::{SplitMix64, median};

    #[test]
    fn guesses_equal_the_sums_over_all_pairs() {
        let mut generator = SplitMix64::new(11);
        for n in [2, 3, 4, 9, 40] {
            for values in [4, 1000] {
                let golds: Vec<f64> = (0..n).map(|_| f64::from(generator.below(values)) / 4.0).collect();
                let (errors, spread) = (GuessErrors::new(&golds), GuessSpread::new(&golds));
                let mut all = Vec::new();
                for (i, gold) in golds.iter().enumerate() {
                    let others =
                        golds.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, other)| (gold - other).abs());
                    let own: Vec<f64> = others.collect();
                    let mean = own.iter().sum::<f64>() / own.len() as f64;
                    let square = own.iter().map(|d| d * d).sum::<f64>() / own.len() as f64;
                    assert!((errors.of(*gold).expect("others") - mean).abs() < 1e-9);
                    assert!((spread.mean_square(*gold).expect("others") - square).abs() < 1e-9 * square.max(1.0));
                    all.extend(own);
                }
                all.sort_unstable_by(f64::total_cmp);
                assert_eq!(spread.median(), median(&all), "{golds:?}");
            }
        }
        assert_eq!(GuessSpread::new(&[5.0]).median(), None);
    }
}
