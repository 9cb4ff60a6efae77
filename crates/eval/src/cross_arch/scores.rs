//! The headline metrics of both runs on the same instances, and the interval of their difference.

use super::pairing::Pair;
use crate::metric::{MissingAnswers, Scorer, Task, TaskKind};
use crate::stats::{Bootstrap, SplitMix64, quantile};
use puma_core::{JobRecord, Outcome};
use serde::Serialize;

/// A metric of both runs over the same jobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedMetric {
    /// As in the table of metrics.
    pub name: String,
    /// Part of H0; others are shown only.
    pub headline: bool,
    pub left: Option<f64>,
    pub right: Option<f64>,
    /// Second run minus first.
    pub delta: Option<f64>,
    /// 95 % percentile bootstrap over instances, both runs drawn together (Efron and Tibshirani 1993).
    pub delta_low: Option<f64>,
    pub delta_high: Option<f64>,
    /// How much the choice of instances alone moves the metric: half the width of its own 95 % interval, the wider of both
    /// runs.
    pub half_width: Option<f64>,
    /// Jobs behind the value of the first run, and of the second.
    pub n_left: usize,
    pub n_right: usize,
}

impl PairedMetric {
    /// Whether the change of machine matters less than the choice of instances: the interval of the difference holds 0 and
    /// lies within ± the half width of the metric's own interval. `None` where intervals are missing.
    ///
    /// The second half makes it a claim of equivalence, as inclusion of an interval does for two one-sided tests
    /// (Schuirmann 1987): that a difference was not found among few instances proves nothing.
    pub fn is_within_its_interval(&self) -> Option<bool> {
        let (low, high, half) = (self.delta_low?, self.delta_high?, self.half_width?);
        Some(low <= 0.0 && high >= 0.0 && low >= -half && high <= half)
    }
}

/// The metrics that H0 is about, and how far they may differ: to the last bit, or for MAE by the seeds' 0.0001.
pub(super) fn headline(kind: TaskKind) -> &'static [(&'static str, f64)] {
    match kind {
        TaskKind::Classification => &[("f1_macro", 0.0), ("accuracy", 0.0)],
        TaskKind::Regression => &[("mae", 1e-4), (COVERAGE, 0.0)],
        TaskKind::Pairwise => &[("accuracy", 0.0)],
    }
}

const COVERAGE: &str = "coverage";
/// The bins of the calibration error are those of the table's `ece`: 15 of equal width.
pub(super) const CALIBRATION: &str = "ece";

/// Scores the pairs. ECE is taken over the jobs for which both runs have a confidence, everything else over all.
pub(super) fn score(task: &Task, pairs: &[Pair<'_>], bootstrap: &Bootstrap) -> Vec<PairedMetric> {
    let from_scorer: Vec<&str> =
        headline(task.kind).iter().map(|(name, _)| *name).filter(|name| *name != COVERAGE).collect();
    let mut metrics = from_table(task, &from_scorer, pairs, bootstrap);
    if task.kind == TaskKind::Regression {
        metrics.push(coverage(pairs, bootstrap));
    }
    metrics.iter_mut().for_each(|metric| metric.headline = true);
    let sure: Vec<Pair<'_>> =
        pairs.iter().copied().filter(|pair| [pair.left, pair.right].iter().all(|record| is_sure(record))).collect();
    metrics.extend(from_table(task, &[CALIBRATION], &sure, bootstrap));
    metrics
}

fn is_sure(record: &JobRecord) -> bool {
    record.outcome == Outcome::Answered && record.confidence.is_some_and(|confidence| !confidence.is_nan())
}

fn from_table(task: &Task, names: &[&str], pairs: &[Pair<'_>], bootstrap: &Bootstrap) -> Vec<PairedMetric> {
    let (left, right) = by_instance(pairs);
    let instances = left.len();
    let mut sides = [&left, &right].map(|side| Scorer::new(task, side, MissingAnswers::Wrong));
    let place = |name: &&str| sides[0].names().iter().position(|known| known == name).expect("a metric of the scorer");
    let places: Vec<usize> = names.iter().map(place).collect();
    let counts = sides.each_ref().map(Scorer::counts);
    let mut values = vec![f64::NAN; sides[0].names().len()];
    let mut read = |draw: &[u32]| {
        let mut found = vec![[f64::NAN; 2]; places.len()];
        for (side, scorer) in sides.iter_mut().enumerate() {
            values.fill(f64::NAN);
            scorer.read(draw, &mut values);
            places.iter().zip(&mut found).for_each(|(place, pair)| pair[side] = values[*place]);
        }
        found
    };
    let mut metrics = paired(names, instances, bootstrap, &mut read);
    for (metric, place) in metrics.iter_mut().zip(&places) {
        (metric.n_left, metric.n_right) = (counts[0][*place], counts[1][*place]);
    }
    metrics
}

/// The share of jobs with a usable answer, which a mean error over those answers does not show.
fn coverage(pairs: &[Pair<'_>], bootstrap: &Bootstrap) -> PairedMetric {
    let (left, right) = by_instance(pairs);
    let answered = |side: &[Vec<&JobRecord>]| -> Vec<(f64, f64)> {
        let count = |records: &Vec<&JobRecord>| {
            let usable = records.iter().filter(|record| record.answer.is_some()).count();
            (usable as f64, records.len() as f64)
        };
        side.iter().map(count).collect()
    };
    let sides = [answered(&left), answered(&right)];
    let mut read = |draw: &[u32]| {
        let share = [0, 1].map(|side: usize| {
            let drawn = draw.iter().map(|instance| sides[side][*instance as usize]);
            let (usable, all) = drawn.fold((0.0, 0.0), |sum, (usable, all)| (sum.0 + usable, sum.1 + all));
            usable / all
        });
        vec![share]
    };
    let metric = paired(&[COVERAGE], left.len(), bootstrap, &mut read).remove(0);
    PairedMetric { n_left: pairs.len(), n_right: pairs.len(), ..metric }
}

/// The records of each instance, of both sides in the same order.
fn by_instance<'a>(pairs: &[Pair<'a>]) -> (Vec<Vec<&'a JobRecord>>, Vec<Vec<&'a JobRecord>>) {
    pairs
        .chunk_by(|a, b| a.left.instance_id == b.left.instance_id)
        .map(|pairs| pairs.iter().map(|pair| (pair.left, pair.right)).unzip())
        .unzip()
}

/// Values and intervals from `read`, which gives each of the metrics, of both sides, over a draw of instances.
fn paired(
    names: &[&str],
    instances: usize,
    bootstrap: &Bootstrap,
    read: &mut dyn FnMut(&[u32]) -> Vec<[f64; 2]>,
) -> Vec<PairedMetric> {
    let count = u32::try_from(instances).expect("a run holds fewer than 2^32 instances");
    let mut draw: Vec<u32> = (0..count).collect();
    let values = if instances == 0 { vec![[f64::NAN; 2]; names.len()] } else { read(&draw) };
    let mut metrics: Vec<PairedMetric> =
        names.iter().zip(values).map(|(name, both)| without_intervals(name, both)).collect();
    if instances < 2 {
        return metrics;
    }
    let mut generator = SplitMix64::new(bootstrap.seed);
    let mut drawn: Vec<[Vec<f64>; 3]> = vec![Default::default(); names.len()];
    for _ in 0..bootstrap.resamples {
        draw.iter_mut().for_each(|instance| *instance = generator.below(count));
        for (kept, [left, right]) in drawn.iter_mut().zip(read(&draw)) {
            for (kept, value) in kept.iter_mut().zip([left, right, right - left]) {
                kept.extend(defined(value));
            }
        }
    }
    for (metric, drawn) in metrics.iter_mut().zip(drawn) {
        if metric.delta.is_some() {
            let [left, right, delta] = drawn.map(|values| interval(values, bootstrap.confidence));
            (metric.delta_low, metric.delta_high) = (delta.map(|(low, _)| low), delta.map(|(_, high)| high));
            let half = |interval: Option<(f64, f64)>| interval.map(|(low, high)| (high - low) / 2.0);
            metric.half_width = half(left).zip(half(right)).map(|(left, right)| left.max(right));
        }
    }
    metrics
}

fn without_intervals(name: &str, [left, right]: [f64; 2]) -> PairedMetric {
    PairedMetric {
        name: name.to_owned(),
        headline: false,
        left: defined(left),
        right: defined(right),
        delta: defined(right - left),
        delta_low: None,
        delta_high: None,
        half_width: None,
        n_left: 0,
        n_right: 0,
    }
}

fn defined(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn interval(mut values: Vec<f64>, confidence: f64) -> Option<(f64, f64)> {
    values.sort_unstable_by(f64::total_cmp);
    let outside = (1.0 - confidence) / 2.0;
    Some((quantile(&values, outside)?, quantile(&values, 1.0 - outside)?))
}
