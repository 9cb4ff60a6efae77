//! Pairs of texts that differ in one cue that must not matter.

use super::super::judge::Group;
use super::super::task::{Options, Task, TaskKind};
use super::emit::Emit;
use super::pairs::{Pairs, compare, correct};
use super::report::CounterfactualReport;
use super::robustness::estimate;

/// (cue, first form, second form); `None` is the unperturbed original.
const COUNTERFACTUALS: [(&str, Option<&str>, Option<&str>); 4] = [
    ("gender", Some("gender_swap_prefix_male"), Some("gender_swap_prefix_female")),
    ("gender", None, Some("gender_swap_prefix_male")),
    ("gender", None, Some("gender_swap_prefix_female")),
    ("register", None, Some("register_shift_informal")),
];

/// Compares every counterfactual of one model with one strategy whose two forms were run.
pub(super) fn score(
    task: &Task,
    groups: &[&Group<'_>],
    options: &Options,
    emit: &mut Emit<'_>,
) -> Vec<CounterfactualReport> {
    let find = |wanted: Option<&str>| groups.iter().find(|group| group.perturbation == wanted);
    let mut reports: Vec<CounterfactualReport> = Vec::new();
    for (cue, first, second) in COUNTERFACTUALS {
        let (Some(one), Some(other)) = (find(first), find(second)) else { continue };
        let pairs = Pairs::new(task, (one.perturbation, &one.records), (other.perturbation, &other.records));
        let pair = compare(task, &[pairs], options).reports.remove(0);
        // Accuracy or the mean absolute error: the first score of every task.
        let change = &pair.changes[0];
        let disparity = change.delta.map(f64::abs);
        let delta = estimate(change.delta, change.ci_low, change.ci_high);
        emit.push(&format!("fairness.delta.{}", change.metric), second, first, delta, change.n);
        let plain = |value| estimate(value, None, None);
        emit.push(&format!("fairness.disparity.{}", change.metric), second, first, plain(disparity), change.n);
        let flips = &pair.flips;
        let rate = estimate(flips.rate, flips.ci_low, flips.ci_high);
        emit.push("fairness.flip_rate", second, first, rate, pair.pairs);
        if task.kind == TaskKind::Regression {
            emit.push("fairness.mean_change", second, first, plain(pair.mean_change), change.n);
        } else {
            let share = |count: usize| plain((flips.flips > 0).then(|| count as f64 / flips.flips as f64));
            emit.push("fairness.flips_to_correct", second, first, share(flips.to_correct), flips.flips);
            emit.push("fairness.flips_to_wrong", second, first, share(flips.to_wrong), flips.flips);
        }
        reports.push(CounterfactualReport {
            model: one.model.to_owned(),
            strategy: one.strategy.to_owned(),
            cue: cue.to_owned(),
            disparity,
            pair,
        });
    }
    correct(reports.iter_mut().map(|report| &mut report.pair));
    for CounterfactualReport { pair, .. } in &reports {
        let (first, second) = (pair.first.as_deref(), pair.second.as_deref());
        for (name, p) in [("mcnemar_p", pair.mcnemar_p), ("wilcoxon_p", pair.wilcoxon_p), ("p_holm", pair.p_holm)] {
            emit.push(&format!("fairness.{name}"), second, first, estimate(p, None, None), pair.instances);
        }
    }
    reports
}
