//! Every metric on both sides and its difference, with an interval from resampling the shared instances.

use super::pairing::{PairedInstance, Pairing, usable};
use super::shares;
use crate::metric::{self, Better, MetricError, Missing, MissingAnswers, Options, Scorer, Task, TaskKind, resolve};
use crate::stats::{Bootstrap, Estimate};
use puma_core::JobRecord;
use serde::Serialize;
use std::collections::BTreeMap;

/// One metric on both sides, over what both were asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delta {
    /// As in [`metrics()`](crate::metric::metrics), placeholders filled in.
    pub name: String,
    /// Empty for pure numbers.
    pub unit: String,
    pub better: Better,
    pub first: Option<f64>,
    pub second: Option<f64>,
    /// Second minus first.
    pub difference: Option<f64>,
    /// Interval of the difference: paired bootstrap over shared instances, for shares Newcombe's. `None` for metrics that are not resampled
    /// (speed, tokens) and with fewer than two instances.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// `bca`, `percentile` or `newcombe`; `None` without an interval.
    pub method: Option<String>,
    /// Records the value of each side rests on.
    pub n_first: usize,
    pub n_second: usize,
    /// Which side is better beyond chance; `None` where the interval holds 0, is missing, or neither direction is good.
    pub favours: Option<Favour>,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Favour {
    First,
    Second,
}

/// A metric of both sides from the same draws of instances.
pub(super) struct PairedEstimate {
    pub(super) name: String,
    pub(super) first: Option<f64>,
    pub(super) second: Option<f64>,
    /// Second minus first.
    pub(super) difference: Estimate,
    pub(super) n_first: usize,
    pub(super) n_second: usize,
}

/// Every metric of both sides.
///
/// Errors of numbers are compared where both sides gave one: an answer that only one side gives would otherwise move its
/// mean by which instances it answers. [`PairCounts`](super::PairCounts) says how many those are.
///
/// # Errors
/// A right answer does not fit the task.
pub(super) fn deltas(task: &Task, pairing: &Pairing<'_>, options: &Options) -> Result<Vec<Delta>, MetricError> {
    let plain = plain_values(task, pairing, options)?;
    let mut estimates: BTreeMap<String, PairedEstimate> = paired(task, &pairing.instances, options)
        .into_iter()
        .map(|estimate| (estimate.name.clone(), estimate))
        .collect();
    let mut deltas: Vec<Delta> = Vec::new();
    for (name, unit, better, [first, second]) in plain {
        let estimate = estimates.remove(&name);
        let value = |side: Option<(f64, usize)>| side.map(|(value, _)| value);
        let count = |side: Option<(f64, usize)>| side.map_or(0, |(_, n)| n);
        deltas.push(match estimate {
            Some(estimate) => delta(estimate, unit, better),
            None => Delta {
                first: value(first),
                second: value(second),
                difference: value(first).zip(value(second)).map(|(first, second)| second - first),
                n_first: count(first),
                n_second: count(second),
                name,
                unit,
                better,
                ci_low: None,
                ci_high: None,
                method: None,
                favours: None,
            },
        });
    }
    Ok(deltas)
}

fn delta(estimate: PairedEstimate, unit: String, better: Better) -> Delta {
    let PairedEstimate {
        name,
        first,
        second,
        difference: Estimate { value: difference, interval, method },
        n_first,
        n_second,
    } = estimate;
    let favours = interval.and_then(|(low, high)| match (better, low > 0.0, high < 0.0) {
        (Better::Higher, true, _) | (Better::Lower, _, true) => Some(Favour::Second),
        (Better::Higher, _, true) | (Better::Lower, true, _) => Some(Favour::First),
        (Better::Higher | Better::Lower, false, false) | (Better::Neither, _, _) => None,
    });
    let method = method.map(|method| method.as_str().to_owned());
    let (ci_low, ci_high) = interval.unzip();
    Delta { name, unit, better, first, second, difference, ci_low, ci_high, method, n_first, n_second, favours }
}

type PlainValue = (String, String, Better, [Option<(f64, usize)>; 2]);

/// The metrics of both sides over the paired jobs alone, in the order of the table of metrics.
fn plain_values(task: &Task, pairing: &Pairing<'_>, options: &Options) -> Result<Vec<PlainValue>, MetricError> {
    let options = Options { bootstrap: Bootstrap { resamples: 0, ..options.bootstrap }, ..options.clone() };
    let mut values: Vec<PlainValue> = Vec::new();
    for side in 0..2 {
        let records: Vec<JobRecord> = pairing.pairs().map(|(left, right)| [left, right][side].clone()).collect();
        for metric in metric::compute(task, &records, &options)?.metrics {
            let place = values.iter().position(|(name, ..)| *name == metric.name).unwrap_or_else(|| {
                values.push((metric.name.clone(), metric.unit.clone(), metric.better, [None; 2]));
                values.len() - 1
            });
            values[place].3[side] = Some((metric.value, metric.n));
        }
    }
    // A metric may be defined on one side alone; where it stands must not depend on which.
    let row = |name: &str| {
        resolve(name).ok().and_then(|(def, _)| metric::metrics().position(|other| std::ptr::eq(other, def)))
    };
    values.sort_by_cached_key(|(name, ..)| (row(name), name.clone()));
    Ok(values)
}

/// The judged metrics of both sides with intervals of their differences: instances are drawn once for both sides, so that
/// what makes an instance hard for both does not widen the interval. Shares get Newcombe's interval instead.
///
/// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 10; instances are the resampling unit.
pub(super) fn paired(task: &Task, instances: &[PairedInstance<'_>], options: &Options) -> Vec<PairedEstimate> {
    let mut estimates = vec![coverage(instances, &options.bootstrap)];
    let all = |_: &(&JobRecord, &JobRecord)| true;
    if task.kind == TaskKind::Regression {
        let both_answered =
            |(left, right): &(&JobRecord, &JobRecord)| usable(left).is_some() && usable(right).is_some();
        estimates.extend(over(task, instances, both_answered, options).into_iter().filter(|one| drops(&one.name)));
        estimates.extend(over(task, instances, all, options).into_iter().filter(|one| !drops(&one.name)));
    } else {
        estimates.extend(over(task, instances, all, options));
    }
    shares::correct(task, instances, options, &mut estimates);
    estimates
}

/// Whether the metric does not look at missing answers.
fn drops(name: &str) -> bool {
    resolve(name).is_ok_and(|(def, _)| matches!(def.missing, Missing::LeftOut { .. }))
}

/// The judged metrics over the pairs that `taken` takes; instances of which it takes none may be drawn and add nothing.
fn over<'a>(
    task: &Task,
    instances: &[PairedInstance<'a>],
    taken: impl Fn(&(&'a JobRecord, &'a JobRecord)) -> bool,
    options: &Options,
) -> Vec<PairedEstimate> {
    let side = |side: usize| -> Vec<Vec<&'a JobRecord>> {
        let of = |instance: &PairedInstance<'a>| {
            instance.pairs.iter().filter(|pair| taken(pair)).map(|pair| [pair.0, pair.1][side]).collect()
        };
        instances.iter().map(of).collect()
    };
    let mut first = Scorer::new(task, &side(0), options.missing);
    let mut second = Scorer::new(task, &side(1), options.missing);
    let (values, differences) = resample([&mut first, &mut second], instances.len(), &options.bootstrap);
    let counts = [first.counts(), second.counts()];
    let estimate = |(index, ([left, right], difference)): (usize, ([Option<f64>; 2], Estimate))| PairedEstimate {
        name: first.names()[index].clone(),
        first: left,
        second: right,
        difference,
        n_first: counts[0][index],
        n_second: counts[1][index],
    };
    values.into_iter().zip(differences).enumerate().map(estimate).collect()
}

/// The share of usable answers of both sides.
fn coverage(instances: &[PairedInstance<'_>], bootstrap: &Bootstrap) -> PairedEstimate {
    let count = |instance: &PairedInstance<'_>, side: usize| {
        instance.pairs.iter().filter(|pair| usable([pair.0, pair.1][side]).is_some()).count() as f64
    };
    let answered: Vec<[f64; 2]> = instances.iter().map(|one| [count(one, 0), count(one, 1)]).collect();
    let pairs: Vec<f64> = instances.iter().map(|instance| instance.pairs.len() as f64).collect();
    let n: f64 = pairs.iter().sum();
    let share = |side: usize| defined(answered.iter().map(|counts| counts[side]).sum::<f64>() / n);
    let difference = bootstrap.estimate_draws(instances.len(), 1, |draw, values| {
        let sum = |of: &dyn Fn(usize) -> f64| draw.iter().map(|place| of(*place as usize)).sum::<f64>();
        values[0] = sum(&|place| answered[place][1] - answered[place][0]) / sum(&|place| pairs[place]);
    });
    PairedEstimate {
        name: "coverage".to_owned(),
        first: share(0),
        second: share(1),
        difference: difference[0],
        n_first: n as usize,
        n_second: n as usize,
    }
}

/// Both sides' values over all `instances`, and the differences with their intervals.
type Resampled = (Vec<[Option<f64>; 2]>, Vec<Estimate>);

fn resample([first, second]: [&mut Scorer; 2], instances: usize, bootstrap: &Bootstrap) -> Resampled {
    let width = first.names().len();
    let all: Vec<u32> = (0..instances as u32).collect();
    let mut left = vec![f64::NAN; width];
    let mut right = vec![f64::NAN; width];
    first.read(&all, &mut left);
    second.read(&all, &mut right);
    let values = left.iter().zip(&right).map(|(left, right)| [defined(*left), defined(*right)]).collect();
    let differences = bootstrap.estimate_draws(instances, width, |draw, differences| {
        first.read(draw, &mut left);
        second.read(draw, &mut right);
        for (difference, (left, right)) in differences.iter_mut().zip(left.iter().zip(&right)) {
            *difference = right - left;
        }
    });
    (values, differences)
}

fn defined(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// How missing answers are counted when two runs are compared: as upstream did, only if both runs ask for it.
pub(super) fn missing_answers(compat: [bool; 2]) -> MissingAnswers {
    if compat == [true, true] { MissingAnswers::Dropped } else { MissingAnswers::Wrong }
}
