//! Which record of one run answers to which of the other.
//!
//! Pairs are made by instance, perturbation and repetition within a model and a strategy. A key that occurs twice in a run
//! names no pair: choosing one of its records would be a guess.

use puma_core::{JobRecord, ModelIdentity, Outcome};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One job as both runs did it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) left: &'a JobRecord,
    pub(super) right: &'a JobRecord,
}

impl Pair<'_> {
    /// Both backends completed it, so both models have spoken.
    pub(super) fn is_judged(&self) -> bool {
        [self.left, self.right].iter().all(|record| record.outcome != Outcome::BackendFailed)
    }
}

/// One model with one strategy under one perturbation, in both runs.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// As the first run names it.
    pub(super) model: &'a str,
    pub(super) strategy: &'a str,
    pub(super) perturbation: Option<&'a str>,
    /// By instance, then repetition.
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) counts: PairCounts,
}

/// What could be paired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PairCounts {
    /// Jobs that both models answered, well or badly: what is judged.
    pub judged: usize,
    /// Jobs that failed in a backend on either side: nothing is known of them.
    pub backend_failed: usize,
    /// Jobs that only the first run has.
    pub only_left: usize,
    /// Jobs that only the second run has.
    pub only_right: usize,
    /// Jobs whose instance, perturbation and repetition occur more than once in a run.
    pub ambiguous: usize,
}

/// Pairs the models of two runs: equal names, then equal digests, then the one that is left on each side.
/// First name → second name.
pub(super) fn models<'a>(left: &'a [ModelIdentity], right: &'a [ModelIdentity]) -> BTreeMap<&'a str, &'a str> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut paired = BTreeMap::new();
    for model in left {
        if right.iter().any(|other| other.name == model.name) {
            taken.insert(&model.name);
            paired.insert(model.name.as_str(), model.name.as_str());
        }
    }
    for model in left {
        let same = |other: &&ModelIdentity| other.digest == model.digest && !taken.contains(other.name.as_str());
        if !paired.contains_key(model.name.as_str())
            && model.digest.is_some()
            && let Some(other) = right.iter().find(same)
        {
            taken.insert(&other.name);
            paired.insert(model.name.as_str(), other.name.as_str());
        }
    }
    let alone: Vec<&ModelIdentity> = left.iter().filter(|model| !paired.contains_key(model.name.as_str())).collect();
    let others: Vec<&ModelIdentity> = right.iter().filter(|model| !taken.contains(model.name.as_str())).collect();
    if let ([model], [other]) = (alone.as_slice(), others.as_slice()) {
        paired.insert(&model.name, &other.name);
    }
    paired
}

type Key<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, u32);

/// Records by key; `None` for a key that occurs more than once.
fn by_key<'a>(
    records: &'a [JobRecord],
    model: impl Fn(&'a str) -> Option<&'a str>,
) -> BTreeMap<Key<'a>, Option<&'a JobRecord>> {
    let mut found: BTreeMap<Key<'a>, Option<&JobRecord>> = BTreeMap::new();
    for record in records {
        let name = model(&record.model).unwrap_or(&record.model);
        let key = (
            name,
            record.strategy.as_str(),
            record.perturbation.as_deref(),
            record.instance_id.as_str(),
            record.repeat,
        );
        found.entry(key).and_modify(|slot| *slot = None).or_insert(Some(record));
    }
    found
}

/// Pairs the records; every model × strategy × perturbation of either run is a group, also one without pairs.
pub(super) fn groups<'a>(
    left: &'a [JobRecord],
    right: &'a [JobRecord],
    models: &BTreeMap<&'a str, &'a str>,
) -> Vec<Group<'a>> {
    let back: BTreeMap<&str, &str> = models.iter().map(|(left, right)| (*right, *left)).collect();
    let left = by_key(left, |_| None);
    let right = by_key(right, |name| back.get(name).copied());
    let keys: BTreeSet<&Key<'a>> = left.keys().chain(right.keys()).collect();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for key in keys {
        let (model, strategy, perturbation, ..) = *key;
        let same =
            |group: &Group<'_>| (group.model, group.strategy, group.perturbation) == (model, strategy, perturbation);
        if !groups.last().is_some_and(same) {
            let counts = PairCounts::default();
            groups.push(Group { model, strategy, perturbation, pairs: Vec::new(), counts });
        }
        let group = groups.last_mut().expect("one was pushed if there was none");
        match (left.get(key), right.get(key)) {
            (Some(Some(left)), Some(Some(right))) => {
                let pair = Pair { left, right };
                if pair.is_judged() {
                    group.counts.judged += 1;
                    group.pairs.push(pair);
                } else {
                    group.counts.backend_failed += 1;
                }
            }
            (Some(None), _) | (_, Some(None)) => group.counts.ambiguous += 1,
            (Some(_), None) => group.counts.only_left += 1,
            (None, _) => group.counts.only_right += 1,
        }
    }
    groups
}
