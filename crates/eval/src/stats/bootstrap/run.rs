//! The bootstrap itself: draw, leave out, and read the bounds off.

use super::clustered::Clustered;
use super::estimate::Estimate;
use super::interval::{acceleration, bca_interval};
use super::kinds::Kinds;
use super::resampler::{ByDraw, ByInstance, ByKind, Resampler};
use super::tally::Tally;
use crate::stats::random::SplitMix64;
use std::ops::Range;

/// The bias-corrected and accelerated bootstrap (Efron 1987): draw as many instances as there are, with replacement, again
/// and again; cut the resampled statistics where their bias and skew say, so that `confidence` of the doubt lies inside.
/// The skew comes from leaving out every instance once, or blocks of instances where there are more than 400.
///
/// Each resample has its own generator, derived from the seed and its number: the same seed and sample give the same bits
/// on every machine and with any number of threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// 0 leaves all intervals out.
    pub resamples: u32,
    pub seed: u64,
    /// Share of the doubt inside the interval, between 0 and 1.
    pub confidence: f64,
}

/// Items added over all resamples above which a second thread pays.
const WORTH_A_THREAD: u64 = 2_000_000;

impl Bootstrap {
    /// Estimates the `count` statistics of `tally` over `sample`. Resamples in which a statistic is undefined are left
    /// out of its interval.
    pub fn estimate<T: Tally>(&self, sample: &Clustered<T::Item>, tally: &mut T, count: usize) -> Vec<Estimate> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.estimate_with(threads, sample, tally, count)
    }

    /// As [`estimate`](Self::estimate), with at most `threads` threads. Their number changes no bit.
    pub fn estimate_with<T: Tally>(
        &self,
        threads: usize,
        sample: &Clustered<T::Item>,
        tally: &mut T,
        count: usize,
    ) -> Vec<Estimate> {
        let mut values = vec![f64::NAN; count];
        tally.clear();
        sample.items().iter().for_each(|item| tally.add(item));
        tally.read(&mut values);
        if sample.instances() < 2 || self.resamples == 0 {
            return values.iter().map(|value| Estimate::plain(defined(*value))).collect();
        }
        let work = u64::from(self.resamples) * sample.instances() as u64;
        let wanted = if work < WORTH_A_THREAD { 1 } else { threads };
        let kinds = Kinds::of(sample, tally);
        let mut forks: Vec<T> = (1..wanted).map_while(|_| T::fork(tally)).collect();
        let tallies = std::iter::once(tally).chain(&mut forks);
        match &kinds {
            Some(kinds) => self.share_out(&values, tallies.map(|tally| ByKind { sample, kinds, tally }).collect()),
            None => self.share_out(&values, tallies.map(|tally| ByInstance { sample, tally }).collect()),
        }
    }

    /// Estimates `count` statistics of any function of a draw. `read` gets the indices of the drawn instances, below
    /// `instances`, each as often as it was drawn, and writes the statistics, NaN where undefined. This is how two judges
    /// are compared: both are read over the same draw, and the difference is a statistic like any other.
    pub fn estimate_draws(
        &self,
        instances: usize,
        count: usize,
        read: impl FnMut(&[u32], &mut [f64]),
    ) -> Vec<Estimate> {
        let instances = u32::try_from(instances).expect("a run holds fewer than 2^32 records");
        let mut worker = ByDraw { instances, drawn: Vec::new(), read };
        let mut values = vec![f64::NAN; count];
        worker.whole(&mut values);
        if instances < 2 || self.resamples == 0 {
            return values.iter().map(|value| Estimate::plain(defined(*value))).collect();
        }
        let parts = worker.parts();
        let drawn = self.portion(&mut worker, count, 0..self.resamples as usize, 0..parts);
        self.bounds(&values, drawn)
    }

    /// Shares the resamples out among the workers.
    fn share_out<R: Resampler + Send>(&self, values: &[f64], mut workers: Vec<R>) -> Vec<Estimate> {
        let (count, threads) = (values.len(), workers.len());
        let (resamples, parts) = (self.resamples as usize, workers[0].parts());
        if let [alone] = workers.as_mut_slice() {
            return self.bounds(values, self.portion(alone, count, 0..resamples, 0..parts));
        }
        let share = |total: usize, index: usize| (total * index / threads)..(total * (index + 1) / threads);
        let all = std::thread::scope(|scope| {
            let running: Vec<_> = workers
                .iter_mut()
                .enumerate()
                .map(|(index, worker)| {
                    let (resamples, parts) = (share(resamples, index), share(parts, index));
                    scope.spawn(move || self.portion(worker, count, resamples, parts))
                })
                .collect();
            let done = running.into_iter().map(|thread| thread.join().expect("a tally does not panic"));
            done.reduce(Drawn::join).expect("there is a worker")
        });
        self.bounds(values, all)
    }

    /// Some of the resamples and some of the parts left out.
    fn portion<R: Resampler>(
        &self,
        worker: &mut R,
        count: usize,
        resamples: Range<usize>,
        parts: Range<usize>,
    ) -> Drawn {
        let mut drawn = Drawn::new(count);
        let mut values = vec![f64::NAN; count];
        for index in resamples {
            values.fill(f64::NAN);
            worker.resample(&mut SplitMix64::numbered(self.seed, index as u64), &mut values);
            for (kept, value) in drawn.resampled.iter_mut().zip(&values) {
                kept.extend(defined(*value));
            }
        }
        for part in parts {
            values.fill(f64::NAN);
            let weight = worker.without(part, &mut values);
            for (kept, value) in drawn.left_out.iter_mut().zip(&values) {
                kept.push((*value, weight));
            }
        }
        drawn
    }

    fn bounds(&self, values: &[f64], drawn: Drawn) -> Vec<Estimate> {
        let each = values.iter().zip(drawn.resampled).zip(drawn.left_out);
        each.map(|((value, mut resampled), left_out)| {
            let Some(value) = defined(*value) else { return Estimate::default() };
            resampled.sort_unstable_by(f64::total_cmp);
            let bounds = bca_interval(value, &resampled, acceleration(&left_out), self.confidence);
            Estimate {
                value: Some(value),
                interval: bounds.map(|(interval, _)| interval),
                method: bounds.map(|(_, method)| method),
            }
        })
        .collect()
    }
}

/// What resampling gave, statistic by statistic.
struct Drawn {
    resampled: Vec<Vec<f64>>,
    /// Values with something left out, and how many instances each stands for.
    left_out: Vec<Vec<(f64, f64)>>,
}

impl Drawn {
    fn new(count: usize) -> Self {
        Self { resampled: vec![Vec::new(); count], left_out: vec![Vec::new(); count] }
    }

    fn join(mut self, next: Self) -> Self {
        self.resampled.iter_mut().zip(next.resampled).for_each(|(own, other)| own.extend(other));
        self.left_out.iter_mut().zip(next.left_out).for_each(|(own, other)| own.extend(other));
        self
    }
}

fn defined(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::Bootstrap;
    use crate::stats::{Clustered, Estimate, IntervalMethod, MeanTally, SplitMix64, Tally};

    fn mean_of(sample: &Clustered<f64>, seed: u64) -> Estimate {
        let bootstrap = Bootstrap { resamples: 2000, seed, confidence: 0.95 };
        bootstrap.estimate(sample, &mut MeanTally::default(), 1)[0]
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

    /// Has no kinds and cannot be copied.
    struct Plain(MeanTally);

    impl Tally for Plain {
        type Item = f64;
        fn clear(&mut self) {
            self.0.clear();
        }
        fn add(&mut self, item: &f64) {
            self.0.add(item);
        }
        fn read(&mut self, values: &mut [f64]) {
            self.0.read(values);
        }
    }

    fn skewed(n: u32, kinds: u32) -> Clustered<f64> {
        let mut generator = SplitMix64::new(11);
        one_each((0..n).map(|_| {
            let step = f64::from(generator.below(kinds)) / f64::from(kinds);
            (step * step * step * 1024.0).floor()
        }))
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let bootstrap = Bootstrap { resamples: 700, seed: 5, confidence: 0.9 };
        for sample in [skewed(3000, 20), skewed(3000, 1 << 20)] {
            let [one, two, seven] =
                [1, 2, 7].map(|threads| bootstrap.estimate_with(threads, &sample, &mut MeanTally::default(), 1)[0]);
            assert_eq!((one, one), (two, seven));
            assert_eq!(one.method, Some(IntervalMethod::Bca));
        }
    }

    #[test]
    fn drawing_by_kind_has_the_same_distribution_as_drawing_each_instance() {
        let (sample, bootstrap) = (skewed(1000, 12), Bootstrap { resamples: 8000, seed: 1, confidence: 0.95 });
        let by_kind = bootstrap.estimate(&sample, &mut MeanTally::default(), 1)[0].interval.expect("bounds");
        let each = bootstrap.estimate(&sample, &mut Plain(MeanTally::default()), 1)[0].interval.expect("bounds");
        let width = each.1 - each.0;
        // A bound read off 8,000 resamples is uncertain by about 1 % of the width.
        assert!((by_kind.0 - each.0).abs() < 0.05 * width, "{by_kind:?} {each:?}");
        assert!((by_kind.1 - each.1).abs() < 0.05 * width, "{by_kind:?} {each:?}");
    }

    #[test]
    fn a_draw_read_by_a_function_gives_what_a_tally_gives() {
        let sample = skewed(300, 1 << 20);
        let bootstrap = Bootstrap { resamples: 500, seed: 8, confidence: 0.95 };
        let mean = |draw: &[u32], values: &mut [f64]| {
            let sum = draw.iter().fold(0.0, |sum, instance| sum + sample.items()[*instance as usize]);
            values[0] = sum / draw.len() as f64;
        };
        let tallied = bootstrap.estimate(&sample, &mut MeanTally::default(), 1);
        assert_eq!(bootstrap.estimate_draws(300, 1, mean), tallied);
    }

    #[test]
    fn skew_to_the_right_moves_the_interval_to_the_right_of_the_percentiles() {
        let sample = skewed(60, 1 << 20);
        let Estimate { value, interval, method } = mean_of(&sample, 2);
        let (value, (low, high)) = (value.expect("a mean"), interval.expect("bounds"));
        assert_eq!(method, Some(IntervalMethod::Bca));
        assert!(high - value > 1.05 * (value - low), "{low} {value} {high}");
    }

    #[test]
    fn equal_instances_have_no_doubt_and_no_skew() {
        let estimate = mean_of(&one_each([0.25; 30]), 1);
        let expected =
            Estimate { value: Some(0.25), interval: Some((0.25, 0.25)), method: Some(IntervalMethod::Percentile) };
        assert_eq!(estimate, expected);
    }

    #[test]
    fn a_statistic_that_is_never_defined_has_no_bounds() {
        let bootstrap = Bootstrap { resamples: 50, seed: 1, confidence: 0.95 };
        let undefined = bootstrap.estimate_draws(9, 1, |_: &[u32], values: &mut [f64]| values[0] = f64::NAN);
        assert_eq!(undefined, [Estimate::default()]);
    }

    #[test]
    fn resamples_without_a_value_are_left_out() {
        // Defined only when the first instance was drawn; leaving it out makes the skew unknown.
        let bootstrap = Bootstrap { resamples: 400, seed: 1, confidence: 0.95 };
        let estimate = bootstrap.estimate_draws(20, 1, |draw: &[u32], values: &mut [f64]| {
            let first = draw.iter().filter(|instance| **instance == 0).count() as f64;
            values[0] = if first > 0.0 { first } else { f64::NAN };
        })[0];
        let (low, high) = estimate.interval.expect("bounds");
        assert!(low >= 1.0 && high >= 2.0, "{low} {high}");
        assert_eq!(estimate.method, Some(IntervalMethod::Percentile));
    }
}
