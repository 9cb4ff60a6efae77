//! Which job of one side answers the same question as which job of the other.

use super::side::Side;
use crate::metric::{Task, TaskKind, agrees};
use puma_core::{InstanceId, JobRecord, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;

/// How the jobs of two sides were paired. Nothing is left out without being counted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PairCounts {
    /// Jobs on both sides with the same instance and repetition that both backends completed: what is compared.
    pub pairs: usize,
    /// Instances that have a pair.
    pub instances: usize,
    /// Jobs whose instance or repetition the other side does not have.
    pub only_first: usize,
    pub only_second: usize,
    /// Jobs that would have a partner but failed in the backend.
    pub failed_first: usize,
    pub failed_second: usize,
    /// Left out because the two sides have different right answers for them.
    pub gold_differs: usize,
    /// Jobs left out because the same instance and repetition occur before.
    pub duplicates: usize,
    /// Of `pairs`: the first prompts are the same, character for character.
    pub prompts_equal: usize,
    /// Of `pairs`: the usable answers are the same, or both sides have none.
    pub same_answer: usize,
    /// Of `pairs`: who gave a usable answer.
    pub answered_both: usize,
    pub answered_only_first: usize,
    pub answered_only_second: usize,
    pub answered_neither: usize,
}

/// One instance both sides judged.
#[derive(Clone, Debug)]
pub(super) struct PairedInstance<'a> {
    pub(super) id: &'a InstanceId,
    pub(super) group: Option<&'a str>,
    /// By repetition.
    pub(super) pairs: Vec<(&'a JobRecord, &'a JobRecord)>,
}

/// The pairs of two sides, by instance in order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Pairing<'a> {
    pub(super) instances: Vec<PairedInstance<'a>>,
    pub counts: PairCounts,
}

type Key<'a> = (&'a InstanceId, u32);

impl<'a> Pairing<'a> {
    /// Pairs two sides by instance and repetition.
    pub fn new(task: &Task, first: &Side<'a>, second: &Side<'a>) -> Self {
        let mut counts = PairCounts::default();
        let firsts = by_key(&first.records, &mut counts.duplicates);
        let seconds = by_key(&second.records, &mut counts.duplicates);
        counts.only_first = firsts.keys().filter(|key| !seconds.contains_key(*key)).count();
        counts.only_second = seconds.keys().filter(|key| !firsts.contains_key(*key)).count();
        let mirrored = [first, second].map(swaps_pairs).into_iter().filter(|swaps| *swaps).count() == 1;
        let mut instances: Vec<PairedInstance<'a>> = Vec::new();
        for (key, left) in &firsts {
            let Some(right) = seconds.get(key) else { continue };
            let failed = [left, right].map(|record| record.outcome == Outcome::BackendFailed);
            counts.failed_first += usize::from(failed[0]);
            counts.failed_second += usize::from(failed[1]);
            if failed.contains(&true) {
                continue;
            }
            if mirrored == agrees(task.kind, &left.gold, &right.gold) {
                counts.gold_differs += 1;
                continue;
            }
            counts.add(task.kind, left, right);
            match instances.last_mut().filter(|last| last.id == key.0) {
                Some(last) => last.pairs.push((left, right)),
                None => {
                    let group = left.group.as_deref().or(right.group.as_deref());
                    instances.push(PairedInstance { id: key.0, group, pairs: vec![(left, right)] });
                }
            }
        }
        counts.instances = instances.len();
        Self { instances, counts }
    }

    /// Every pair, instance after instance.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a JobRecord, &'a JobRecord)> {
        self.instances.iter().flat_map(|instance| instance.pairs.iter().copied())
    }

    /// Whether an instance was judged more than once: then jobs are no independent trials.
    pub(super) fn has_repeats(&self) -> bool {
        self.instances.iter().any(|instance| instance.pairs.len() > 1)
    }
}

impl PairCounts {
    fn add(&mut self, kind: TaskKind, left: &JobRecord, right: &JobRecord) {
        self.pairs += 1;
        self.prompts_equal += usize::from(left.prompt_hash == right.prompt_hash);
        let same = match (usable(left), usable(right)) {
            (Some(one), Some(other)) => {
                self.answered_both += 1;
                same_answer(kind, (left, one), (right, other))
            }
            (Some(_), None) => {
                self.answered_only_first += 1;
                false
            }
            (None, Some(_)) => {
                self.answered_only_second += 1;
                false
            }
            (None, None) => {
                self.answered_neither += 1;
                true
            }
        };
        self.same_answer += usize::from(same);
    }
}

/// Whether the side shows the two issues of a pair in the other order, so that `A` is what was `B`.
fn swaps_pairs(side: &Side<'_>) -> bool {
    side.perturbation == Some("pair_swap")
}

/// Whether two answers say the same of what was asked. Where the issues of a pair stand in the other order, so does the right
/// answer, and the same issue is chosen when both are right or both are wrong.
pub(super) fn same_answer(kind: TaskKind, (left, one): (&JobRecord, &str), (right, other): (&JobRecord, &str)) -> bool {
    if agrees(kind, &left.gold, &right.gold) {
        return one == other || agrees(kind, one, other);
    }
    agrees(kind, one, &left.gold) == agrees(kind, other, &right.gold)
}

/// The answer of a job, if it has one that counts.
pub(super) fn usable(record: &JobRecord) -> Option<&str> {
    match record.outcome {
        Outcome::Answered => record.answer.as_deref(),
        Outcome::Unparsed | Outcome::Ambiguous | Outcome::Truncated | Outcome::Empty | Outcome::BackendFailed => None,
    }
}

fn by_key<'a>(records: &[&'a JobRecord], duplicates: &mut usize) -> BTreeMap<Key<'a>, &'a JobRecord> {
    let mut found: BTreeMap<Key<'a>, &'a JobRecord> = BTreeMap::new();
    for record in records {
        match found.entry((&record.instance_id, record.repeat)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(record);
            }
            std::collections::btree_map::Entry::Occupied(_) => *duplicates += 1,
        }
    }
    found
}
