//! Confidence intervals by resampling instances.

use super::quantile::quantile;
use super::random::SplitMix64;

/// Items grouped by the instance they belong to. Instances are resampled whole: repetitions of one instance are not
/// independent of each other.
#[derive(Clone, Debug)]
pub struct Clustered<T> {
    items: Vec<T>,
    /// Where each instance's items end.
    ends: Vec<u32>,
}

impl<T> Default for Clustered<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ends: Vec::new() }
    }
}

impl<T> Clustered<T> {
    /// Adds one instance with its items. An instance without items counts: it may be drawn and then adds nothing.
    pub fn push(&mut self, items: impl IntoIterator<Item = T>) {
        self.items.extend(items);
        self.ends.push(u32::try_from(self.items.len()).expect("a run holds fewer than 2^32 records"));
    }

    /// Every item, in the order of the instances.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        self.ends.len()
    }

    fn of(&self, instance: usize) -> &[T] {
        let start = if instance == 0 { 0 } else { self.ends[instance - 1] as usize };
        &self.items[start..self.ends[instance] as usize]
    }
}

/// Several statistics of one sample, computed item by item. The value and its interval come from the same code.
pub trait Tally {
    type Item;
    /// Forgets every item.
    fn clear(&mut self);
    fn add(&mut self, item: &Self::Item);
    /// Writes each statistic of the items added since `clear`; NaN where it is undefined.
    fn read(&mut self, values: &mut [f64]);
}

/// A statistic and its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// `None` where the statistic is undefined.
    pub value: Option<f64>,
    /// Bounds; `None` without a value or with fewer than two instances.
    pub interval: Option<(f64, f64)>,
}

/// The percentile bootstrap (Efron 1979): draw as many instances as there are, with replacement, again and again, and
/// take the middle `confidence` share of the statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// 0 leaves all intervals out.
    pub resamples: u32,
    /// The same seed and the same instances give the same draws, so that two models are resampled alike.
    pub seed: u64,
    /// Share of the resamples inside the interval, between 0 and 1.
    pub confidence: f64,
}

impl Bootstrap {
    /// Estimates the `count` statistics of `tally` over `sample`. Resamples in which a statistic is undefined are left
    /// out of its interval.
    pub fn estimate<T: Tally>(&self, sample: &Clustered<T::Item>, tally: &mut T, count: usize) -> Vec<Estimate> {
        let mut values = vec![f64::NAN; count];
        tally.clear();
        sample.items.iter().for_each(|item| tally.add(item));
        tally.read(&mut values);
        let mut estimates: Vec<Estimate> =
            values.iter().map(|value| Estimate { value: defined(*value), interval: None }).collect();
        if sample.instances() < 2 || self.resamples == 0 {
            return estimates;
        }
        let mut resampled: Vec<Vec<f64>> = vec![Vec::with_capacity(self.resamples as usize); count];
        let mut generator = SplitMix64::new(self.seed);
        let instances = u32::try_from(sample.instances()).expect("a run holds fewer than 2^32 records");
        for _ in 0..self.resamples {
            tally.clear();
            for _ in 0..instances {
                sample.of(generator.below(instances) as usize).iter().for_each(|item| tally.add(item));
            }
            values.fill(f64::NAN);
            tally.read(&mut values);
            for (kept, value) in resampled.iter_mut().zip(&values) {
                kept.extend(defined(*value));
            }
        }
        for (estimate, kept) in estimates.iter_mut().zip(&mut resampled) {
            if estimate.value.is_some() {
                estimate.interval = self.middle(kept);
            }
        }
        estimates
    }

    fn middle(&self, values: &mut [f64]) -> Option<(f64, f64)> {
        values.sort_unstable_by(f64::total_cmp);
        let outside = (1.0 - self.confidence) / 2.0;
        Some((quantile(values, outside)?, quantile(values, 1.0 - outside)?))
    }
}

fn defined(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{Bootstrap, Clustered, Tally};

    struct Mean {
        sum: f64,
        n: f64,
    }

    impl Tally for Mean {
        type Item = f64;
        fn clear(&mut self) {
            (self.sum, self.n) = (0.0, 0.0);
        }
        fn add(&mut self, item: &f64) {
            self.sum += item;
            self.n += 1.0;
        }
        fn read(&mut self, values: &mut [f64]) {
            values[0] = self.sum / self.n;
        }
    }

    fn mean_of(sample: &Clustered<f64>, seed: u64) -> super::Estimate {
        let bootstrap = Bootstrap { resamples: 2000, seed, confidence: 0.95 };
        bootstrap.estimate(sample, &mut Mean { sum: 0.0, n: 0.0 }, 1)[0]
    }

    fn one_each(values: impl IntoIterator<Item = f64>) -> Clustered<f64> {
        let mut sample = Clustered::default();
        values.into_iter().for_each(|value| sample.push([value]));
        sample
    }

    #[test]
    fn the_interval_of_a_mean_has_the_width_theory_gives() {
        let sample = one_each((0..400).map(|i| f64::from(i % 2)));
        let (low, high) = mean_of(&sample, 1).interval.expect("400 instances");
        // 1.96 · 0.5 / √400 on each side; the bootstrap's own noise at 2000 resamples stays below 10 % of it.
        assert!((low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006, "{low} {high}");
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
        let sample = one_each((0..50).map(|i| f64::from(i * i)));
        assert_eq!(mean_of(&sample, 3), mean_of(&sample, 3));
        assert_ne!(mean_of(&sample, 3), mean_of(&sample, 4));
    }

    #[test]
    fn repetitions_of_one_instance_do_not_narrow_the_interval() {
        let values = || (0..60).map(|i| f64::from(i % 7));
        let mut repeated = Clustered::default();
        values().for_each(|value| repeated.push([value; 5]));
        let (alone, five_times) = (mean_of(&one_each(values()), 9), mean_of(&repeated, 9));
        assert_eq!(alone.interval.map(|i| i.0.to_bits()), five_times.interval.map(|i| i.0.to_bits()));
    }

    #[test]
    fn one_instance_has_a_value_but_no_interval() {
        let estimate = mean_of(&one_each([4.0]), 0);
        assert_eq!((estimate.value, estimate.interval), (Some(4.0), None));
    }

    #[test]
    fn no_instance_has_neither() {
        let estimate = mean_of(&Clustered::default(), 0);
        assert_eq!((estimate.value, estimate.interval), (None, None));
    }
}
