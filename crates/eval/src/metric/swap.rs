//! Whether a model chooses the same content when the two issues of a pair change places.

use super::compute::Values;
use super::issues::PAIR_SWAP;
use super::judge::{Group, Verdict, is_correct, verdict};
use super::task::{MissingAnswers, Options, Task};
use crate::stats::{Estimate, wilson};
use puma_core::JobRecord;
use std::collections::{BTreeMap, BTreeSet};

/// Writes the metrics of `swapped`, pairs shown in the other order, against `straight`, the same pairs as they were.
/// Pairs in which either request failed in the backend are left out; no answer on either side is no consistency.
pub(super) fn score(
    task: &Task,
    swapped: &Group<'_>,
    straight: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
) {
    let as_shown: BTreeMap<_, &JobRecord> =
        straight.completed().map(|record| ((&record.instance_id, record.repeat), record)).collect();
    let pairs: Vec<(&JobRecord, &JobRecord)> = swapped
        .completed()
        .filter_map(|record| Some((*as_shown.get(&(&record.instance_id, record.repeat))?, record)))
        .collect();
    let instances: BTreeSet<_> = pairs.iter().map(|(_, record)| &record.instance_id).collect();
    let share = |counted: &dyn Fn(&JobRecord, &JobRecord) -> bool| {
        let part = pairs.iter().filter(|(straight, swapped)| counted(straight, swapped)).count();
        let value = (!pairs.is_empty()).then(|| part as f64 / pairs.len() as f64);
        Estimate::share(value, value.and_then(|share| wilson(share, instances.len(), options.bootstrap.confidence)))
    };
    let same_content = |straight: &JobRecord, swapped: &JobRecord| {
        let places = (verdict(straight, MissingAnswers::Wrong), verdict(swapped, MissingAnswers::Wrong));
        matches!(places, (Verdict::Answer(before), Verdict::Answer(after)) if before != after)
    };
    let right = |record: &JobRecord| is_correct(task, record) == Some(true);
    values.push("swap_consistency", share(&same_content), pairs.len());
    values.push("accuracy_both_orders", share(&|straight, swapped| right(straight) && right(swapped)), pairs.len());
}

/// The group of the same pairs in the order they had, if `group` shows them turned.
pub(super) fn straight_of<'g, 'a>(group: &Group<'a>, groups: &'g [Group<'a>]) -> Option<&'g Group<'a>> {
    if group.perturbation != Some(PAIR_SWAP) {
        return None;
    }
    groups
        .iter()
        .find(|other| other.perturbation.is_none() && other.model == group.model && other.strategy == group.strategy)
}
