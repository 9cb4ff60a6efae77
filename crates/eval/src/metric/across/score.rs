//! Every family across groups, for the records of one run.

use super::super::judge::Group;
use super::super::task::{Options, Task};
use super::emit::Emit;
use super::report::AcrossReport;
use super::stability::Replicates;
use super::{counterfactual, fairness, robustness, stability};
use puma_core::JobRecord;

/// Judges `records` across their `groups`, which are sorted.
pub(in crate::metric) fn score(
    task: &Task,
    records: &[JobRecord],
    groups: &[Group<'_>],
    options: &Options,
) -> AcrossReport {
    let mut report = AcrossReport::default();
    let mut metrics = Vec::new();
    for alike in groups.chunk_by(|a, b| (a.model, a.strategy) == (b.model, b.strategy)) {
        let alike: Vec<&Group<'_>> = alike.iter().collect();
        let mut emit = Emit { model: alike[0].model, strategy: alike[0].strategy, metrics: &mut metrics };
        report.robustness.extend(robustness::score(task, &alike, options, &mut emit));
        report.counterfactuals.extend(counterfactual::score(task, &alike, options, &mut emit));
        if alike[0].perturbation.is_none() {
            report.fairness.extend(fairness::score(task, alike[0], options, &mut emit));
        }
    }
    report.stability = stability::stability(task, &[Replicates { name: "", records }], options);
    report.stability.iter().for_each(|repeated| stability::emit(task.kind, repeated, &mut metrics));
    report.metrics = metrics;
    report
}
