//! Two sides compared: pairs, comparability, deltas, tests, and where the difference lies.

use super::breakdown::{ClassChange, ConfusionChange, ProjectChange, by_class, by_project, confusion};
use super::comparability::Comparability;
use super::deltas::{Delta, deltas, missing_answers};
use super::flips::{ChangeCount, Flip, counted, flips};
use super::pairing::{PairCounts, Pairing};
use super::side::{Side, SideName};
use super::significance::{Significance, significance};
use crate::metric::{MetricError, MissingAnswers, Options, Task};
use serde::Serialize;

/// Everything that is said about two sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub first: SideName,
    pub second: SideName,
    pub comparability: Comparability,
    pub pairs: PairCounts,
    /// What an answer that could not be read counts for in the deltas of shares; tests always count it as wrong.
    pub missing_answers: String,
    /// Every metric, in the order of the table of metrics.
    pub deltas: Vec<Delta>,
    pub significance: Significance,
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

/// Compares two sides; [`correct`](super::correct) then corrects the tests of all comparisons that are made together. The same sides and options give the same bits on every machine.
///
/// # Errors
/// A right answer does not fit the task.
pub fn compare(task: &Task, first: &Side<'_>, second: &Side<'_>, options: &Options) -> Result<Comparison, MetricError> {
    let pairing = Pairing::new(task, first, second);
    let upstream = |side: &Side<'_>| side.run.header.spec.get("compat").is_some_and(|compat| !compat.is_null());
    let missing = missing_answers([upstream(first), upstream(second)]);
    let options = &Options { missing, ..options.clone() };
    let deltas = deltas(task, &pairing, options)?;
    let flips = flips(task, [first, second], &pairing);
    Ok(Comparison {
        first: first.name(),
        second: second.name(),
        comparability: Comparability::judge(first, second, &pairing),
        pairs: pairing.counts,
        missing_answers: match missing {
            MissingAnswers::Wrong => "wrong".to_owned(),
            MissingAnswers::Dropped => "left out".to_owned(),
        },
        significance: significance(task, &pairing, options.bootstrap.confidence),
        by_class: by_class(task, &pairing, &deltas),
        deltas,
        confusion: confusion(task, &pairing),
        by_project: by_project(task, &pairing, options),
        changes: counted(&flips),
        flips,
    })
}
