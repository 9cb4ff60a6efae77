//! Perturbed against unperturbed, and the worst of all forms of an instance.

use super::super::judge::Group;
use super::super::task::{Options, Task, TaskKind};
use super::emit::Emit;
use super::pairs::{Comparison, Pairs, compare, correct};
use super::report::{PairReport, RobustnessReport, ScoreChange};
use super::worst_case::worst_case;
use crate::stats::Estimate;

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
    let Comparison { mut reports, mean_changes, mean_flip_rate } = compare(task, &sets, options);
    correct(&mut reports);
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
    }
    for (name, p) in [("mcnemar_p", report.mcnemar_p), ("wilcoxon_p", report.wilcoxon_p), ("p_holm", report.p_holm)] {
        emit.plain(&format!("robustness.{name}"), perturbation, p, report.instances);
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
