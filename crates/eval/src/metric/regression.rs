//! A number: absolute and squared errors, by size of the right answer, and against guessing.

use super::compute::Values;
use super::judge::{Group, Verdict, number, verdict};
use super::report::BinScore;
use super::task::{MissingAnswers, Options};
use crate::stats::{Clustered, Ranked, Tally};
use puma_core::JobRecord;

/// Names of the bins of right answers; each ends where [`BIN_ENDS`] says, inclusive, and the last is open.
/// On the usual card deck they are upstream's bins (1-3, 5-8, 13-21, 34 and more), without upstream's gaps between.
const BINS: [&str; 4] = ["up_to_3", "3_to_8", "8_to_21", "above_21"];
const BIN_ENDS: [f64; 3] = [3.0, 8.0, 21.0];

/// The metrics over all bins, in the tally's order.
const HEADLINE: [&str; 5] = ["mae", "mdae", "rmse", "standardised_accuracy", "r2"];

fn bin_of(gold: f64) -> usize {
    BIN_ENDS.iter().filter(|end| gold > **end).count()
}

/// One answered record.
pub(super) struct Error {
    absolute: f64,
    /// Handle of `absolute` in the tally's ranking.
    rank: u32,
    /// Expected absolute error of guessing the right answer of another instance.
    guess: Option<f64>,
    gold: f64,
    bin: usize,
}

/// What is added up over errors.
#[derive(Default)]
struct Sums {
    n: f64,
    mean_gold: f64,
    /// Σ (right − mean right)², kept up by Welford's update (1962): exactly 0 when all are equal.
    gold_spread: f64,
    absolute: f64,
    squared: f64,
    /// Over the errors that have a guess to compare with.
    guess: f64,
    guessed: f64,
    /// (sum of absolute errors, count) of each bin.
    bins: [(f64, f64); BINS.len()],
}

pub(super) struct ErrorTally {
    ranked: Ranked,
    sums: Sums,
}

impl Tally for ErrorTally {
    type Item = Error;

    fn clear(&mut self) {
        self.ranked.clear();
        self.sums = Sums::default();
    }

    fn add(&mut self, error: &Error) {
        self.ranked.add(error.rank);
        let sums = &mut self.sums;
        sums.n += 1.0;
        let from_mean = error.gold - sums.mean_gold;
        sums.mean_gold += from_mean / sums.n;
        sums.gold_spread += from_mean * (error.gold - sums.mean_gold);
        sums.absolute += error.absolute;
        sums.squared += error.absolute * error.absolute;
        if let Some(guess) = error.guess {
            sums.guess += guess;
            sums.guessed += error.absolute;
        }
        let (sum, count) = &mut sums.bins[error.bin];
        *sum += error.absolute;
        *count += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        let sums = &self.sums;
        let beyond = |error: f64, reference: f64| if reference > 0.0 { 1.0 - error / reference } else { f64::NAN };
        let (over_all, by_bin) = values.split_at_mut(HEADLINE.len());
        over_all.copy_from_slice(&[
            sums.absolute / sums.n,
            self.ranked.quantile(0.5),
            (sums.squared / sums.n).sqrt(),
            beyond(sums.guessed, sums.guess),
            beyond(sums.squared, sums.gold_spread),
        ]);
        for (value, (sum, count)) in by_bin.iter_mut().zip(sums.bins) {
            *value = sum / count;
        }
    }
}

/// The names of what [`ErrorTally`] reads, in its order.
pub(super) fn names() -> Vec<String> {
    let bins = BINS.iter().map(|bin| format!("mae_by_bin.{bin}"));
    HEADLINE.into_iter().map(str::to_owned).chain(bins).collect()
}

/// The errors of each instance's records, and the tally that reads them.
pub(super) fn errors(instances: &[&[&JobRecord]], missing: MissingAnswers) -> (Vec<Vec<Error>>, ErrorTally) {
    let golds: Vec<f64> = instances.iter().filter_map(|records| number(&records.first()?.gold)).collect();
    let guesses = GuessErrors::new(&golds);
    let numbers = |record: &JobRecord| match verdict(record, missing) {
        Verdict::Answer(answer) => Some((number(&record.gold)?, number(answer)?)),
        Verdict::NoAnswer | Verdict::Excluded => None,
    };
    let answered = instances.iter().flat_map(|records| records.iter()).filter_map(|record| numbers(record));
    let ranked = Ranked::new(answered.map(|(gold, answer)| (answer - gold).abs()));
    let error = |record: &JobRecord| {
        let (gold, answer) = numbers(record)?;
        let absolute = (answer - gold).abs();
        Some(Error { absolute, rank: ranked.rank(absolute), guess: guesses.of(gold), gold, bin: bin_of(gold) })
    };
    let items = instances.iter().map(|records| records.iter().filter_map(|record| error(record)).collect()).collect();
    (items, ErrorTally { ranked, sums: Sums::default() })
}

/// Scores one group: writes its metrics, gives its bins.
pub(super) fn score(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> Vec<BinScore> {
    let golds: Vec<f64> = group.instances().filter_map(|records| number(&records[0].gold)).collect();
    let guesses = GuessErrors::new(&golds);
    let absolute = |record: &JobRecord| match verdict(record, options.missing) {
        Verdict::Answer(answer) => Some((number(&record.gold)?, number(answer)?)),
        Verdict::NoAnswer | Verdict::Excluded => None,
    };
    let ranked = Ranked::new(group.completed().filter_map(absolute).map(|(gold, answer)| (answer - gold).abs()));
    let sample: Clustered<Error> = group.sample(|record| {
        let (gold, answer) = absolute(record)?;
        let absolute = (answer - gold).abs();
        Some(Error { absolute, rank: ranked.rank(absolute), guess: guesses.of(gold), gold, bin: bin_of(gold) })
    });
    let n = sample.items().len();
    let mut tally = ErrorTally { ranked, sums: Sums::default() };
    let estimates = options.bootstrap.estimate(&sample, &mut tally, HEADLINE.len() + BINS.len());
    for (name, estimate) in HEADLINE.iter().zip(&estimates) {
        values.push(name, *estimate, n);
    }
    let mut bins = Vec::with_capacity(BINS.len());
    for (index, (bin, estimate)) in BINS.iter().zip(&estimates[HEADLINE.len()..]).enumerate() {
        let answered = sample.items().iter().filter(|error| error.bin == index).count();
        let n = group.completed().filter(|r| number(&r.gold).map(bin_of) == Some(index)).count();
        values.push(&format!("mae_by_bin.{bin}"), *estimate, answered);
        bins.push(BinScore { bin: (*bin).to_owned(), mae: estimate.value, answered, n });
    }
    bins
}

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
