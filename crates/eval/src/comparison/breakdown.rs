//! Where the difference lies: by class, in the confusion matrix, by project.

use super::deltas::{Delta, paired};
use super::pairing::{PairedInstance, Pairing, usable};
use crate::metric::{Options, Task, TaskKind};
use puma_core::JobRecord;
use serde::Serialize;
use std::collections::BTreeMap;

/// One class on both sides; differences are second minus first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassChange {
    pub label: String,
    /// Pairs whose right answer this is.
    pub support: usize,
    /// How many each side got right.
    pub right_first: usize,
    pub right_second: usize,
    pub recall: Shift,
    pub f1: Shift,
}

/// A value on both sides and the interval of its difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shift {
    pub first: Option<f64>,
    pub second: Option<f64>,
    pub difference: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
}

impl Shift {
    fn of(delta: &Delta) -> Self {
        let Delta { first, second, difference, ci_low, ci_high, .. } = delta;
        Self { first: *first, second: *second, difference: *difference, ci_low: *ci_low, ci_high: *ci_high }
    }
}

/// How the counts of right answer × given answer changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConfusionChange {
    /// Names of rows and of the first columns.
    pub labels: Vec<String>,
    /// One row a right answer; the last column stands for no usable answer. Second minus first.
    pub rows: Vec<Vec<i64>>,
}

/// One project (or other group) on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProjectChange {
    pub project: String,
    pub pairs: usize,
    pub instances: usize,
    /// `accuracy`, or `mae` over the pairs both sides answered.
    pub metric: String,
    pub value: Shift,
}

/// Recall and F1 of each class, from the deltas already made.
pub(super) fn by_class(task: &Task, pairing: &Pairing<'_>, deltas: &[Delta]) -> Vec<ClassChange> {
    if task.kind != TaskKind::Classification {
        return Vec::new();
    }
    let of = |label: &str, part: &str| {
        let name = format!("per_class.{label}.{part}");
        deltas.iter().find(|delta| delta.name == name).map(Shift::of).unwrap_or_default()
    };
    let right = |record: &JobRecord| usable(record) == Some(record.gold.as_str());
    let class = |label: &String| {
        let pairs: Vec<_> = pairing.pairs().filter(|(left, _)| left.gold == *label).collect();
        ClassChange {
            label: label.clone(),
            support: pairs.len(),
            right_first: pairs.iter().filter(|(left, _)| right(left)).count(),
            right_second: pairs.iter().filter(|(_, second)| right(second)).count(),
            recall: of(label, "recall"),
            f1: of(label, "f1"),
        }
    };
    task.labels.iter().map(class).collect()
}

/// How the confusion matrix changed; `None` for numbers.
pub(super) fn confusion(task: &Task, pairing: &Pairing<'_>) -> Option<ConfusionChange> {
    if task.kind == TaskKind::Regression {
        return None;
    }
    let labels = task.labels.len();
    let place = |text: &str| task.labels.iter().position(|label| label == text);
    let mut rows = vec![vec![0_i64; labels + 1]; labels];
    for (left, right) in pairing.pairs() {
        for (record, count) in [(right, 1), (left, -1)] {
            let Some(row) = place(&record.gold) else { continue };
            rows[row][usable(record).and_then(place).unwrap_or(labels)] += count;
        }
    }
    Some(ConfusionChange { labels: task.labels.clone(), rows })
}

/// The score of each project; empty unless there are at least two.
pub(super) fn by_project(task: &Task, pairing: &Pairing<'_>, options: &Options) -> Vec<ProjectChange> {
    let mut projects: BTreeMap<&str, Vec<PairedInstance<'_>>> = BTreeMap::new();
    for instance in &pairing.instances {
        if let Some(project) = instance.group {
            projects.entry(project).or_default().push(instance.clone());
        }
    }
    if projects.len() < 2 {
        return Vec::new();
    }
    let metric = match task.kind {
        TaskKind::Regression => "mae",
        TaskKind::Classification | TaskKind::Pairwise => "accuracy",
    };
    let score = |(project, instances): (&str, Vec<PairedInstance<'_>>)| {
        let found = paired(task, &instances, options).into_iter().find(|estimate| estimate.name == metric);
        let value = found.map_or_else(Shift::default, |estimate| Shift {
            first: estimate.first,
            second: estimate.second,
            difference: estimate.difference.value,
            ci_low: estimate.difference.interval.map(|(low, _)| low),
            ci_high: estimate.difference.interval.map(|(_, high)| high),
        });
        ProjectChange {
            project: project.to_owned(),
            pairs: instances.iter().map(|instance| instance.pairs.len()).sum(),
            instances: instances.len(),
            metric: metric.to_owned(),
            value,
        }
    };
    projects.into_iter().map(score).collect()
}
