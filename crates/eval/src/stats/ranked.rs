//! Quantiles of many resamples of one set of values, without sorting again.

use super::quantile::{between, neighbours};

/// How often each of a fixed set of values was drawn.
#[derive(Clone, Debug)]
pub struct Ranked {
    sorted: Vec<f64>,
    drawn: Vec<u32>,
    total: usize,
}

impl Ranked {
    /// Takes the values that can be drawn.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let drawn = vec![0; sorted.len()];
        Self { sorted, drawn, total: 0 }
    }

    /// The handle by which `value` is drawn; equal values share one.
    pub fn rank(&self, value: f64) -> u32 {
        self.sorted.partition_point(|other| other.total_cmp(&value).is_lt()) as u32
    }

    /// Forgets every draw.
    pub fn clear(&mut self) {
        self.drawn.fill(0);
        self.total = 0;
    }

    /// Draws the value with handle `rank` once.
    pub fn add(&mut self, rank: u32) {
        self.add_times(rank, 1);
    }

    /// Draws the value with handle `rank` `times` times.
    pub fn add_times(&mut self, rank: u32, times: u32) {
        self.drawn[rank as usize] += times;
        self.total += times as usize;
    }

    /// The `q`-quantile of what was drawn since `clear`, NaN for nothing.
    pub fn quantile(&self, q: f64) -> f64 {
        let Some((low, high, share)) = neighbours(self.total, q) else { return f64::NAN };
        let mut seen = 0;
        let mut at_low = f64::NAN;
        for (value, count) in self.sorted.iter().zip(&self.drawn) {
            seen += *count as usize;
            if at_low.is_nan() && seen > low {
                at_low = *value;
            }
            if seen > high {
                return between(at_low, *value, share);
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::Ranked;
    use crate::stats::{SplitMix64, quantile};

    #[test]
    fn quantiles_of_draws_equal_those_of_the_sorted_draws() {
        let values: Vec<f64> = (0..37).map(|i| f64::from(i * i % 23)).collect();
        let mut ranked = Ranked::new(values.iter().copied());
        let mut generator = SplitMix64::new(5);
        for size in [1, 2, 3, 37, 100] {
            ranked.clear();
            let mut drawn: Vec<f64> = (0..size).map(|_| values[generator.below(37) as usize]).collect();
            drawn.iter().for_each(|value| ranked.add(ranked.rank(*value)));
            drawn.sort_unstable_by(f64::total_cmp);
            for q in [0.0, 0.1, 0.5, 0.95, 1.0] {
                assert_eq!(Some(ranked.quantile(q)), quantile(&drawn, q), "{size} draws, q = {q}");
            }
        }
    }
}
