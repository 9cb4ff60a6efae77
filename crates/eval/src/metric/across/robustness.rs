//! Perturbed against unperturbed, and the worst of all forms of an instance.

use super::super::judge::Group;
use super::super::task::{Options, Task, TaskKind};
use super::emit::Emit;
use super::mark::Mark;
use super::pairs::{Comparison, Pairs, compare};
use super::report::{PairReport, RobustnessReport, ScoreChange, WorstCase};
use crate::stats::{Clustered, Estimate, Tally, wilson};
use puma_core::{InstanceId, JobRecord};
use std::collections::BTreeMap;

/// Judges every perturbation of one model with one strategy; `None` if it was not perturbed. `groups` begins with the
/// originals.
pub(super) fn score(
    task: &Task,
    groups: &[&Group<'_>],
    options: &Options,
    emit: &mut Emit<'_>,
) -> Option<RobustnessReport> {
    let (original, perturbed) =
        groups.split_first().filter(|(first, rest)| first.perturbation.is_none() && !rest.is_empty())?;
    let sets: Vec<Pairs<'_>> = perturbed
        .iter()
        .map(|group| Pairs::new(task, (None, &original.records), (group.perturbation, &group.records)))
        .collect();
    let Comparison { reports, mean_changes, mean_flip_rate } = compare(task, &sets, options);
    for report in &reports {
        emit_pair(task, report, emit);
    }
    emit_over_all(&reports, &mean_changes, mean_flip_rate, emit);
    let worst_case = worst_case(task, groups, options);
    if let Some(worst) = &worst_case {
        let name = format!("robustness.{}", worst.metric);
        emit.push(&name, None, None, estimate(worst.value, worst.ci_low, worst.ci_high), worst.n);
    }
    Some(RobustnessReport {
        model: original.model.to_owned(),
        strategy: original.strategy.to_owned(),
        perturbations: reports,
        mean_changes,
        mean_flip_rate: mean_flip_rate.value,
        worst_case,
    })
}

fn emit_pair(task: &Task, report: &PairReport, emit: &mut Emit<'_>) {
    let perturbation = report.second.as_deref();
    for change in &report.changes {
        let interval = estimate(change.delta, change.ci_low, change.ci_high);
        emit.push(&format!("robustness.delta.{}", change.metric), perturbation, None, interval, change.n);
        if matches!(change.metric.as_str(), "accuracy" | "f1_macro") {
            let score = change.delta.map(|delta| (1.0 - delta.abs()).clamp(0.0, 1.0));
            emit.push(
                &format!("robustness.score.{}", change.metric),
                perturbation,
                None,
                estimate(score, None, None),
                change.n,
            );
        }
    }
    let flips = &report.flips;
    let rate = estimate(flips.rate, flips.ci_low, flips.ci_high);
    emit.push("robustness.flip_rate", perturbation, None, rate, report.pairs);
    let consistency = rate.interval.map(|(low, high)| (1.0 - high, 1.0 - low));
    let value = rate.value.map(|rate| 1.0 - rate);
    emit.push(
        "robustness.consistency",
        perturbation,
        None,
        estimate(value, consistency.map(|c| c.0), consistency.map(|c| c.1)),
        report.pairs,
    );
    if task.kind == TaskKind::Regression {
        emit.plain("robustness.mean_change", perturbation, report.mean_change, report.changes[0].n);
        emit.plain("robustness.mean_absolute_change", perturbation, report.mean_absolute_change, report.changes[0].n);
    } else {
        let share = |count: usize| (flips.flips > 0).then(|| count as f64 / flips.flips as f64);
        emit.plain("robustness.flips_to_correct", perturbation, share(flips.to_correct), flips.flips);
        emit.plain("robustness.flips_to_wrong", perturbation, share(flips.to_wrong), flips.flips);
        emit.plain("robustness.mcnemar_p", perturbation, report.mcnemar_p, report.instances);
    }
    emit.plain(
        "robustness.flips_to_no_answer",
        perturbation,
        (report.pairs > 0).then_some(flips.to_no_answer as f64),
        report.pairs,
    );
    emit.plain("robustness.pairs", perturbation, Some(report.pairs as f64), report.pairs);
    emit.plain("robustness.excluded_pairs", perturbation, Some(report.excluded as f64), report.pairs + report.excluded);
}

/// Means over the perturbations, and the change of the one that hurts most.
fn emit_over_all(reports: &[PairReport], means: &[ScoreChange], mean_flip_rate: Estimate, emit: &mut Emit<'_>) {
    for (index, mean) in means.iter().enumerate() {
        let interval = estimate(mean.delta, mean.ci_low, mean.ci_high);
        emit.push(&format!("robustness.mean_delta.{}", mean.metric), None, None, interval, mean.n);
        let hurts = |change: &&ScoreChange| {
            if change.metric == "mae" { change.delta } else { change.delta.map(|delta| -delta) }
        };
        let worst = reports
            .iter()
            .map(|report| &report.changes[index])
            .filter(|change| change.delta.is_some())
            .max_by(|a, b| hurts(a).partial_cmp(&hurts(b)).expect("a change that is defined is no NaN"));
        if let Some(worst) = worst {
            emit.plain(&format!("robustness.worst_delta.{}", worst.metric), None, worst.delta, worst.n);
        }
    }
    emit.push("robustness.mean_flip_rate", None, None, mean_flip_rate, reports.len());
}

pub(super) fn estimate(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Estimate {
    Estimate { value, interval: low.zip(high), ..Estimate::default() }
}

/// One instance × repetition in all its forms.
#[derive(Default)]
struct Forms {
    marks: Vec<Mark>,
    failed: bool,
}

/// The worst form counts, the original among them (Liang et al., Holistic Evaluation of Language Models, 2022).
fn worst_case(task: &Task, groups: &[&Group<'_>], options: &Options) -> Option<WorstCase> {
    let mut forms: BTreeMap<(&InstanceId, u32), Forms> = BTreeMap::new();
    let records: Vec<&JobRecord> = groups.iter().flat_map(|group| group.records.iter().copied()).collect();
    for record in records {
        let of_one = forms.entry((&record.instance_id, record.repeat)).or_default();
        match Mark::of(task, record) {
            Some(mark) => of_one.marks.push(mark),
            None => of_one.failed = true,
        }
    }
    let all = forms.len();
    forms.retain(|_, forms| !forms.failed && forms.marks.len() == groups.len());
    let excluded = all - forms.len();
    let partly_unanswered = forms.values().filter(|forms| forms.marks.iter().any(|mark| !mark.answered)).count();
    let numbers = task.kind == TaskKind::Regression;
    let worst = |forms: &Forms| match numbers {
        true => forms.marks.iter().filter_map(|mark| mark.error).reduce(f64::max),
        false => Some(f64::from(u8::from(forms.marks.iter().all(|mark| mark.right)))),
    };
    let mut sample: Clustered<f64> = Clustered::default();
    let keyed: Vec<(&InstanceId, Option<f64>)> = forms.iter().map(|((id, _), forms)| (*id, worst(forms))).collect();
    for repetitions in keyed.chunk_by(|a, b| a.0 == b.0) {
        sample.push(repetitions.iter().filter_map(|(_, value)| *value));
    }
    let n = sample.items().len();
    let mut found = options.bootstrap.estimate(&sample, &mut Mean::default(), 1)[0];
    if let Some(share) = found.value.filter(|_| !numbers) {
        // A share that is 0 or 1 would have a bootstrap interval without width.
        found.interval = wilson(share, sample.instances(), options.bootstrap.confidence);
    }
    (!forms.is_empty()).then(|| WorstCase {
        metric: if numbers { "worst_case_mae" } else { "worst_case_accuracy" }.to_owned(),
        value: found.value,
        ci_low: found.interval.map(|(low, _)| low),
        ci_high: found.interval.map(|(_, high)| high),
        n,
        excluded,
        partly_unanswered: if numbers { partly_unanswered } else { 0 },
    })
}

/// The mean of numbers.
#[derive(Default)]
pub(super) struct Mean {
    sum: f64,
    n: f64,
}

impl Tally for Mean {
    type Item = f64;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, value: &f64) {
        self.sum += value;
        self.n += 1.0;
    }

    fn read(&mut self, values: &mut [f64]) {
        values[0] = self.sum / self.n;
    }
}
