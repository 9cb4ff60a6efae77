//! The same scores for each project.

use super::compute::{Values, judged};
use super::judge::Group;
use super::report::{GroupReport, ProjectScore};
use super::task::{Options, Task};
use std::collections::BTreeSet;

/// What is told of every project.
const METRICS: [&str; 5] = ["accuracy", "f1_macro", "mae", "mae_imputed", "standardised_accuracy"];

/// Scores the records of each project as if they were all there is; nothing where no record names a project.
pub(super) fn scores(task: &Task, group: &Group<'_>, options: &Options) -> Vec<ProjectScore> {
    let projects: BTreeSet<Option<&str>> = group.records.iter().map(|record| record.group.as_deref()).collect();
    if projects.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut scores = Vec::new();
    for project in projects {
        let part = group.only(|record| record.group.as_deref() == project);
        let mut metrics = Vec::new();
        judged(task, &part, options, &mut Values::new(&part, &mut metrics), &mut GroupReport::default());
        let instances = part.instances().count();
        let told = metrics.into_iter().filter(|metric| METRICS.contains(&metric.name.as_str()));
        scores.extend(told.map(|metric| ProjectScore {
            project: project.map(str::to_owned),
            metric: metric.name,
            value: metric.value,
            ci_low: metric.ci_low,
            ci_high: metric.ci_high,
            n: metric.n,
            instances,
        }));
    }
    scores
}
