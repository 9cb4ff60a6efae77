//! The same questions asked several times: in the repetitions of one run, or in runs with other seeds.

use super::super::judge::{Verdict, number, verdict};
use super::super::report::MetricValue;
use super::super::task::{MissingAnswers, Options, Task, TaskKind};
use super::agreement::{AgreementTally, Unit};
use super::emit::Emit;
use super::mark::{Mark, Scores, score_names, unit_of};
use super::report::{ReplicateScore, ScoreSpread, StabilityReport};
use super::robustness::estimate;
use crate::stats::{Clustered, wilson};
use puma_core::{InstanceId, JobRecord};
use std::collections::BTreeMap;

/// Records that are compared with others: a run with its repetitions.
#[derive(Clone, Copy, Debug)]
pub struct Replicates<'a> {
    /// How reports call it; empty for the only run there is.
    pub name: &'a str,
    pub records: &'a [JobRecord],
}

impl Replicates<'_> {
    fn called(&self, repeat: u32, repeats: bool) -> String {
        match (self.name, repeats) {
            ("", _) => format!("repeat {repeat}"),
            (name, false) => name.to_owned(),
            (name, true) => format!("{name}, repeat {repeat}"),
        }
    }
}

/// upstream's stability of a score: 1 − σ/|μ| within 0 and 1, with the population standard deviation σ. One value is
/// stable; around a mean of 0 only equal values are. `None` without values.
pub fn stability_score(values: &[f64]) -> Option<f64> {
    let (mean, sd) = mean_and_sd(values)?;
    Some(match (sd > 0.0, mean == 0.0) {
        (false, _) => 1.0,
        (true, true) => 0.0,
        (true, false) => (1.0 - sd / mean.abs()).clamp(0.0, 1.0),
    })
}

fn mean_and_sd(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    let n = values.len() as f64;
    // Around the first value, so that equal values have exactly no spread.
    let mean = first + values.iter().map(|value| value - first).sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
    Some((mean, variance.sqrt()))
}

/// Compares the repetitions of `runs` for every model × strategy × perturbation that has two of them. Agreement is over
/// the instances they share; each score is over all instances of its replicate.
pub fn stability(task: &Task, runs: &[Replicates<'_>], options: &Options) -> Vec<StabilityReport> {
    let mut groups: BTreeMap<_, BTreeMap<(usize, u32), Vec<&JobRecord>>> = BTreeMap::new();
    for (run, replicates) in runs.iter().enumerate() {
        for record in replicates.records {
            let key = (record.model.as_str(), record.strategy.as_str(), record.perturbation.as_deref());
            groups.entry(key).or_default().entry((run, record.repeat)).or_default().push(record);
        }
    }
    let repeated = groups.into_iter().filter(|(_, replicates)| replicates.len() > 1);
    repeated
        .map(|((model, strategy, perturbation), replicates)| {
            let repeats = replicates.keys().any(|(_, repeat)| *repeat > 0);
            let named: Vec<(String, Vec<&JobRecord>)> = replicates
                .into_iter()
                .map(|((run, repeat), mut records)| {
                    records.sort_by_key(|record| (&record.instance_id, &record.job_id));
                    (runs[run].called(repeat, repeats), records)
                })
                .collect();
            let mut report = agreement(task, &named, options);
            report.spreads = spreads(task, &named);
            (report.model, report.strategy) = (model.to_owned(), strategy.to_owned());
            report.perturbation = perturbation.map(str::to_owned);
            report
        })
        .collect()
}

/// What tells answers apart: numbers by value, labels by spelling; 0 is no usable answer.
struct Kinds<'a> {
    labels: BTreeMap<&'a str, usize>,
    numbers: BTreeMap<u64, usize>,
    next: usize,
}

impl<'a> Kinds<'a> {
    fn of(&mut self, task: &Task, record: &'a JobRecord) -> Option<(usize, Option<f64>)> {
        let answer = match verdict(record, MissingAnswers::Wrong) {
            Verdict::Answer(answer) => answer,
            Verdict::NoAnswer => return Some((0, None)),
            Verdict::Excluded => return None,
        };
        let value = if task.kind == TaskKind::Regression { number(answer) } else { None };
        let kind = match value {
            // Minus zero is zero.
            Some(value) => self.numbers.entry((value + 0.0).to_bits()).or_insert(self.next),
            None => self.labels.entry(answer).or_insert(self.next),
        };
        let kind = *kind;
        self.next = self.next.max(kind + 1);
        Some((kind, value))
    }
}

fn agreement(task: &Task, replicates: &[(String, Vec<&JobRecord>)], options: &Options) -> StabilityReport {
    let mut kinds = Kinds { labels: BTreeMap::new(), numbers: BTreeMap::new(), next: 1 };
    let mut answers: BTreeMap<&InstanceId, Vec<(usize, Option<f64>)>> = BTreeMap::new();
    let mut excluded = 0;
    for record in replicates.iter().flat_map(|(_, records)| records) {
        match kinds.of(task, record) {
            Some(answer) => answers.entry(&record.instance_id).or_default().push(answer),
            None => excluded += 1,
        }
    }
    answers.retain(|_, answers| answers.len() > 1);
    let mut sample: Clustered<Unit> = Clustered::default();
    for answers in answers.values() {
        let of_each: Vec<usize> = answers.iter().map(|(kind, _)| *kind).collect();
        let numbers = answers.iter().filter_map(|(_, value)| *value).collect();
        sample.push([Unit::new(&of_each, (task.kind == TaskKind::Regression).then_some(numbers))]);
    }
    let instances = sample.instances();
    let equal = sample.items().iter().filter(|unit| unit.all_equal()).count();
    let all_equal = (instances > 0).then(|| equal as f64 / instances as f64);
    let all_equal_interval = all_equal.and_then(|share| wilson(share, instances, options.bootstrap.confidence));
    let estimates = options.bootstrap.estimate(&sample, &mut AgreementTally::new(kinds.next), 2);
    let [pairwise, alpha] = [estimates[0], estimates[1]];
    StabilityReport {
        model: String::new(),
        strategy: String::new(),
        perturbation: None,
        replicates: replicates.iter().map(|(name, _)| name.clone()).collect(),
        instances,
        excluded,
        all_equal,
        all_equal_ci_low: all_equal_interval.map(|(low, _)| low),
        all_equal_ci_high: all_equal_interval.map(|(_, high)| high),
        pairwise_agreement: pairwise.value,
        pairwise_agreement_ci_low: pairwise.interval.map(|(low, _)| low),
        pairwise_agreement_ci_high: pairwise.interval.map(|(_, high)| high),
        alpha: alpha.value,
        alpha_ci_low: alpha.interval.map(|(low, _)| low),
        alpha_ci_high: alpha.interval.map(|(_, high)| high),
        spreads: Vec::new(),
    }
}

fn spreads(task: &Task, replicates: &[(String, Vec<&JobRecord>)]) -> Vec<ScoreSpread> {
    let names = score_names(task.kind);
    let mut by_score: Vec<Vec<ReplicateScore>> = vec![Vec::new(); names.len()];
    let mut values = vec![f64::NAN; names.len()];
    for (replicate, records) in replicates {
        let mut scores = Scores::new(task);
        records.iter().filter_map(|record| Mark::of(task, record)).for_each(|mark| scores.add(&mark));
        scores.read(&mut values);
        for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            by_score[index].push(ReplicateScore { replicate: replicate.clone(), value: *value, n: scores.n(index) });
        }
    }
    let spread = |(name, replicates): (&&str, Vec<ReplicateScore>)| {
        let values: Vec<f64> = replicates.iter().map(|replicate| replicate.value).collect();
        let (mean, sd) = mean_and_sd(&values).filter(|_| values.len() > 1)?;
        Some(ScoreSpread {
            metric: (*name).to_owned(),
            unit: unit_of(name).to_owned(),
            mean,
            sd,
            cv: (mean != 0.0).then(|| sd / mean.abs()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            stability: stability_score(&values)?,
            replicates,
        })
    };
    names.iter().zip(by_score).filter_map(spread).collect()
}

/// Adds what a report says to the metrics.
pub(super) fn emit(kind: TaskKind, report: &StabilityReport, metrics: &mut Vec<MetricValue>) {
    let alpha = if kind == TaskKind::Regression { "stability.alpha_interval" } else { "stability.alpha" };
    let mut emit = Emit { model: &report.model, strategy: &report.strategy, metrics };
    let perturbation = report.perturbation.as_deref();
    for (name, value, low, high) in [
        ("stability.all_equal", report.all_equal, report.all_equal_ci_low, report.all_equal_ci_high),
        (
            "stability.pairwise_agreement",
            report.pairwise_agreement,
            report.pairwise_agreement_ci_low,
            report.pairwise_agreement_ci_high,
        ),
        (alpha, report.alpha, report.alpha_ci_low, report.alpha_ci_high),
    ] {
        emit.push(name, perturbation, None, estimate(value, low, high), report.instances);
    }
    for spread in &report.spreads {
        for (part, value) in [
            ("mean", Some(spread.mean)),
            ("sd", Some(spread.sd)),
            ("cv", spread.cv),
            ("min", Some(spread.min)),
            ("max", Some(spread.max)),
            ("score", Some(spread.stability)),
        ] {
            emit.plain(&format!("stability.{}.{part}", spread.metric), perturbation, value, spread.replicates.len());
        }
    }
}
