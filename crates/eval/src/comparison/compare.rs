//! Two sides compared: pairs, comparability, deltas, tests, and where the difference lies.

use super::breakdown::{ClassChange, ConfusionChange, ProjectChange, by_class, by_project, confusion};
use super::comparability::Comparability;
use super::deltas::{Delta, deltas};
use super::flips::{ChangeCount, Flip, counted, flips};
use super::pairing::{PairCounts, Pairing};
use super::side::{Side, SideName};
use crate::metric::{MetricError, Options, Task};
use serde::Serialize;

/// Everything that is said about two sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub first: SideName,
    pub second: SideName,
    pub comparability: Comparability,
    pub pairs: PairCounts,
    /// Every metric, in the order of the reports.
    pub deltas: Vec<Delta>,
    /// In label order; empty unless labels are judged.
    pub by_class: Vec<ClassChange>,
    /// `None` for numbers.
    pub confusion: Option<ConfusionChange>,
    /// By name; empty unless there are several.
    pub by_project: Vec<ProjectChange>,
    /// How often each kind of change happened.
    pub changes: Vec<ChangeCount>,
    /// Every job on which the usable answers differ, by kind of change, then instance.
    pub flips: Vec<Flip>,
}

/// Compares two sides. The same sides and options give the same bits on every machine.
///
/// # Errors
/// A right answer does not fit the task.
pub fn compare(
    task: &Task,
    first: &Side<'_>,
    second: &Side<'_>,
    options: &Options,
) -> Result<Comparison, MetricError> {
    let pairing = Pairing::new(task, first, second);
    let deltas = deltas(task, &pairing, options)?;
    let flips = flips(task, [first, second], &pairing);
    Ok(Comparison {
        first: first.name(),
        second: second.name(),
        comparability: Comparability::judge(first, second, &pairing),
        pairs: pairing.counts,
        by_class: by_class(task, &pairing, &deltas),
        deltas,
        confusion: confusion(task, &pairing),
        by_project: by_project(task, &pairing, options),
        changes: counted(&flips),
        flips,
    })
}
