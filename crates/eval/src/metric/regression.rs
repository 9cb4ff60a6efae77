//! A number: absolute, squared and relative errors, by size of the right answer, and against guessing.

use super::compute::Values;
use super::guess::{GuessErrors, GuessSpread};
use super::judge::{Group, Verdict, number, verdict};
use super::report::BinScore;
use super::sampled::{Sampled, is_completed, of_each};
use super::task::{MissingAnswers, Options};
use crate::stats::{Ranked, Tally};
use puma_core::JobRecord;

/// Names of the bins of right answers; each ends where [`BIN_ENDS`] says, inclusive, and the last is open.
/// On the usual card deck they are upstream's bins (1-3, 5-8, 13-21, 34 and more), without upstream's gaps between.
const BINS: [&str; 4] = ["up_to_3", "3_to_8", "8_to_21", "above_21"];
const BIN_ENDS: [f64; 3] = [3.0, 8.0, 21.0];

/// The metrics over the answered records of all bins, in the tally's order.
const ANSWERED: [&str; 9] = [
    "mae",
    "mdae",
    "rmse",
    "standardised_accuracy",
    "r2",
    "mmre",
    "mdmre",
    "standardised_accuracy_median",
    "guess_effect_size",
];
/// The metrics over every record, in the tally's order, after [`ANSWERED`].
const ALL_ASKED: [&str; 3] = ["mae_imputed", "standardised_accuracy_imputed", "pred_25"];

/// PRED(25): a quarter of the right answer.
const WITHIN: f64 = 0.25;

fn bin_of(gold: f64) -> usize {
    BIN_ENDS.iter().filter(|end| gold > **end).count()
}

/// One judged record.
pub(super) struct Judged {
    gold: f64,
    bin: usize,
    /// Expected absolute error of guessing the right answer of another instance, and the expected square of it.
    guess: Option<(f64, f64)>,
    answered: Option<Error>,
}

/// How far an answer is off.
struct Error {
    absolute: f64,
    /// Handle of `absolute` in the tally's ranking.
    rank: u32,
    /// Share of the right answer and its handle; `None` where the right answer is 0.
    relative: Option<(f64, u32)>,
    within: bool,
}

/// What is added up over the answered records.
#[derive(Clone, Default)]
struct Answered {
    n: f64,
    mean_gold: f64,
    /// Σ (right − mean right)², kept up by Welford's update (1962), weighted as West has it (1979): exactly 0 when all
    /// are equal.
    gold_spread: f64,
    absolute: f64,
    squared: f64,
    relative: f64,
    relatives: f64,
    /// Over the errors that have a guess to compare with.
    guess: f64,
    guess_squared: f64,
    guessed: f64,
    guesses: f64,
}

/// What is added up over every record.
#[derive(Clone, Default)]
struct Asked {
    n: f64,
    /// Absolute errors, a missing answer counted as a guess.
    imputed: f64,
    guess: f64,
    within: f64,
}

/// Reads the metrics of [`ANSWERED`], of [`ALL_ASKED`] and of the bins.
#[derive(Clone)]
pub(super) struct ErrorTally {
    ranked: Ranked,
    ranked_relative: Ranked,
    /// Median absolute error of guessing, NaN without one.
    median_guess: f64,
    answered: Answered,
    asked: Asked,
    /// (sum of absolute errors, answered) of each bin.
    bins: [(f64, f64); BINS.len()],
}

impl Tally for ErrorTally {
    type Item = Judged;

    fn clear(&mut self) {
        self.ranked.clear();
        self.ranked_relative.clear();
        self.answered = Answered::default();
        self.asked = Asked::default();
        self.bins = Default::default();
    }

    fn add(&mut self, judged: &Judged) {
        self.add_times(judged, 1);
    }

    fn kind(&self, judged: &Judged) -> Option<u128> {
        // Right answer and size of the error say everything that is added up.
        let error = judged.answered.as_ref().map_or(u32::MAX, |error| error.rank);
        Some(u128::from(judged.gold.to_bits()) << 32 | u128::from(error))
    }

    fn add_times(&mut self, judged: &Judged, times: u32) {
        let n = f64::from(times);
        // Without a second instance there is nothing to guess from, and the sums become undefined.
        let guess = n * judged.guess.map_or(f64::NAN, |(mean, _)| mean);
        self.asked.n += n;
        self.asked.guess += guess;
        let Some(error) = &judged.answered else {
            self.asked.imputed += guess;
            return;
        };
        let (sum, answered) = &mut self.bins[judged.bin];
        *sum += n * error.absolute;
        *answered += n;
        self.asked.imputed += n * error.absolute;
        self.asked.within += if error.within { n } else { 0.0 };
        self.ranked.add_times(error.rank, times);
        if let Some((_, rank)) = error.relative {
            self.ranked_relative.add_times(rank, times);
        }
        self.answered.add(judged, error, n);
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn read(&mut self, values: &mut [f64]) {
        let (sums, asked) = (&self.answered, &self.asked);
        let beyond = |error: f64, reference: f64| if reference > 0.0 { 1.0 - error / reference } else { f64::NAN };
        let median = self.ranked.quantile(0.5);
        let (over_answered, rest) = values.split_at_mut(ANSWERED.len());
        over_answered.copy_from_slice(&[
            sums.absolute / sums.n,
            median,
            (sums.squared / sums.n).sqrt(),
            beyond(sums.guessed, sums.guess),
            beyond(sums.squared, sums.gold_spread),
            sums.relative / sums.relatives,
            self.ranked_relative.quantile(0.5),
            beyond(median, self.median_guess),
            sums.effect_size(),
        ]);
        let (over_all, by_bin) = rest.split_at_mut(ALL_ASKED.len());
        over_all.copy_from_slice(&[
            asked.imputed / asked.n,
            beyond(asked.imputed, asked.guess),
            asked.within / asked.n,
        ]);
        for (value, (sum, answered)) in by_bin.iter_mut().zip(self.bins) {
            *value = sum / answered;
        }
    }
}

impl Answered {
    fn add(&mut self, judged: &Judged, error: &Error, times: f64) {
        self.n += times;
        let from_mean = judged.gold - self.mean_gold;
        // 0 times into nothing leaves nothing.
        self.mean_gold += if times > 0.0 { times * from_mean / self.n } else { 0.0 };
        self.gold_spread += times * from_mean * (judged.gold - self.mean_gold);
        self.absolute += times * error.absolute;
        self.squared += times * error.absolute * error.absolute;
        if let Some((relative, _)) = error.relative {
            self.relative += times * relative;
            self.relatives += times;
        }
        if let Some((mean, square)) = judged.guess {
            self.guess += times * mean;
            self.guess_squared += times * square;
            self.guessed += times * error.absolute;
            self.guesses += times;
        }
    }

    /// (MAE of guessing − MAE) / standard deviation of the errors of guessing.
    fn effect_size(&self) -> f64 {
        let mean = self.guess / self.guesses;
        let square = self.guess_squared / self.guesses;
        let variance = square - mean * mean;
        // What is left when all guesses are off by the same is rounding, and no spread.
        if variance <= square * 1e-12 {
            return f64::NAN;
        }
        (mean - self.guessed / self.guesses) / variance.sqrt()
    }
}

/// The errors of each instance's records, and the tally that reads them.
pub(super) fn errors(instances: &[&[&JobRecord]], missing: MissingAnswers) -> Sampled<ErrorTally> {
    let golds: Vec<f64> = instances.iter().filter_map(|records| number(&records.first()?.gold)).collect();
    let (guesses, spread) = (GuessErrors::new(&golds), GuessSpread::new(&golds));
    let difference = |record: &JobRecord| match verdict(record, missing) {
        Verdict::Answer(answer) => Some((number(answer)? - number(&record.gold)?).abs()),
        Verdict::NoAnswer | Verdict::Excluded => None,
    };
    let share = |absolute: f64, gold: f64| (gold != 0.0).then(|| absolute / gold.abs());
    let differences = || {
        let completed = instances.iter().flat_map(|records| records.iter()).filter(|record| is_completed(record));
        completed.filter_map(|record| Some((difference(record)?, number(&record.gold)?)))
    };
    let ranked = Ranked::new(differences().map(|(absolute, _)| absolute));
    let ranked_relative = Ranked::new(differences().filter_map(|(absolute, gold)| share(absolute, gold)));
    let items = of_each(instances, |record| {
        let gold = number(&record.gold)?;
        if verdict(record, missing) == Verdict::Excluded {
            return None;
        }
        let answered = difference(record).map(|absolute| Error {
            absolute,
            rank: ranked.rank(absolute),
            relative: share(absolute, gold).map(|share| (share, ranked_relative.rank(share))),
            within: absolute <= WITHIN * gold.abs(),
        });
        let guess = guesses.of(gold).zip(spread.mean_square(gold));
        Some(Judged { gold, bin: bin_of(gold), guess, answered })
    });
    let judged = || items.iter().flatten();
    let answered = judged().filter(|judged| judged.answered.is_some()).count();
    let relatives = judged().filter_map(|judged| judged.answered.as_ref()?.relative).count();
    let in_bin = |bin: usize| judged().filter(|judged| judged.bin == bin && judged.answered.is_some()).count();
    let mut counts = vec![answered; ANSWERED.len()];
    (counts[5], counts[6]) = (relatives, relatives);
    counts.extend([judged().count(); ALL_ASKED.len()]);
    counts.extend((0..BINS.len()).map(in_bin));
    let bins = BINS.iter().map(|bin| format!("mae_by_bin.{bin}"));
    let names = ANSWERED.into_iter().chain(ALL_ASKED).map(str::to_owned).chain(bins).collect();
    let tally = ErrorTally {
        ranked,
        ranked_relative,
        median_guess: spread.median().unwrap_or(f64::NAN),
        answered: Answered::default(),
        asked: Asked::default(),
        bins: Default::default(),
    };
    Sampled { names, counts, instances: items, tally }
}

/// Scores one group: writes its metrics, gives its bins.
pub(super) fn score(group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> Vec<BinScore> {
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    let tally = errors(&instances, options.missing).score(&instances, options, values);
    let bins = BINS.iter().zip(tally.bins).enumerate();
    bins.map(|(index, (bin, (sum, answered)))| BinScore {
        bin: (*bin).to_owned(),
        mae: (answered > 0.0).then(|| sum / answered),
        answered: answered as usize,
        n: group.completed().filter(|record| number(&record.gold).map(bin_of) == Some(index)).count(),
    })
    .collect()
}
