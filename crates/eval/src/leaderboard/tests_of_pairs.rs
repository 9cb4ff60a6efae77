//! One test for each pair of entries of a table.

use crate::metric::{MissingAnswers, Scorer, Task, is_correct};
use crate::stats::{Bootstrap, PairedCounts, SplitMix64, normal_cdf};
use puma_core::JobRecord;

/// The records of one entry by instance; every entry has the same instances in the same order.
pub(super) type ByInstance<'a> = Vec<Vec<&'a JobRecord>>;

/// How the pairs of a table are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairTest {
    /// Exact; right answers of single jobs.
    McNemar,
    /// The difference of the scores against its standard error from resampling the instances, both entries on the same
    /// draws. Source: Efron and Tibshirani 1993, chapters 6 and 12.
    ResampledDifference,
    /// The score cannot be computed over draws of instances.
    None,
}

impl PairTest {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::McNemar => "McNemar's exact test",
            Self::ResampledDifference => "difference against its bootstrap standard error",
            Self::None => "not tested",
        }
    }
}

/// What an entry scores on every draw of the table's instances.
struct Resampled {
    value: f64,
    draws: Vec<f64>,
}

/// The test that fits `metric`, and the p-values of the pairs (0, 1), (0, 2), …, (1, 2), ….
pub(super) fn p_values(
    task: &Task,
    metric: &str,
    entries: &[ByInstance<'_>],
    missing: MissingAnswers,
    bootstrap: &Bootstrap,
) -> (PairTest, Vec<f64>) {
    let single = entries.iter().flatten().all(|records| records.len() == 1);
    if metric == "accuracy" && single {
        return (PairTest::McNemar, each_pair(entries, |first, second| mcnemar(task, first, second)));
    }
    let resampled: Option<Vec<Resampled>> =
        entries.iter().map(|entry| resample(task, metric, entry, missing, bootstrap)).collect();
    match resampled {
        Some(resampled) => {
            let instances = entries.first().map_or(0, Vec::len);
            (PairTest::ResampledDifference, each_pair(&resampled, |a, b| of_difference(a, b, instances)))
        }
        None => (PairTest::None, Vec::new()),
    }
}

fn each_pair<T>(entries: &[T], test: impl Fn(&T, &T) -> f64) -> Vec<f64> {
    let pairs = (0..entries.len()).flat_map(|first| (first + 1..entries.len()).map(move |second| (first, second)));
    pairs.map(|(first, second)| test(&entries[first], &entries[second])).collect()
}

fn mcnemar(task: &Task, first: &ByInstance<'_>, second: &ByInstance<'_>) -> f64 {
    let right = |record: &JobRecord| is_correct(task, record) == Some(true);
    let pairs = first.iter().flatten().zip(second.iter().flatten());
    PairedCounts::count(pairs.map(|(first, second)| (right(first), right(second)))).p_value()
}

/// `None` where the metric is not one that is computed over draws, or undefined.
fn resample(
    task: &Task,
    metric: &str,
    entry: &ByInstance<'_>,
    missing: MissingAnswers,
    bootstrap: &Bootstrap,
) -> Option<Resampled> {
    let mut scorer = Scorer::new(task, entry, missing);
    let place = scorer.names().iter().position(|name| name == metric)?;
    let mut values = vec![f64::NAN; scorer.names().len()];
    let instances = u32::try_from(entry.len()).expect("a run holds fewer than 2^32 records");
    let mut draw: Vec<u32> = (0..instances).collect();
    scorer.read(&draw, &mut values);
    let value = Some(values[place]).filter(|value| !value.is_nan())?;
    // Every entry begins with the same seed, and so is judged on the same draws.
    let mut generator = SplitMix64::new(bootstrap.seed);
    let draws = (0..bootstrap.resamples).map(|_| {
        draw.iter_mut().for_each(|instance| *instance = generator.below(instances));
        scorer.read(&draw, &mut values);
        values[place]
    });
    Some(Resampled { value, draws: draws.collect() })
}

fn of_difference(first: &Resampled, second: &Resampled, instances: usize) -> f64 {
    let difference = second.value - first.value;
    if difference == 0.0 {
        return 1.0;
    }
    let drawn: Vec<f64> =
        first.draws.iter().zip(&second.draws).map(|(a, b)| b - a).filter(|drawn| !drawn.is_nan()).collect();
    let n = drawn.len() as f64;
    let mean = drawn.iter().sum::<f64>() / n;
    let variance = drawn.iter().map(|drawn| (drawn - mean) * (drawn - mean)).sum::<f64>() / (n - 1.0);
    if variance > 0.0 {
        return (2.0 * normal_cdf(-(difference.abs() / variance.sqrt()))).min(1.0);
    }
    // Every draw differs by the same: as certain as that many instances can make it, each a coin that fell one way.
    (0..instances).fold(2.0, |p: f64, _| p / 2.0).min(1.0)
}
