//! What each outcome counts for, and the groups that are judged apart.

use super::task::{MetricError, MissingAnswers, Task, TaskKind};
use crate::stats::{Clustered, PairedCounts};
use puma_core::{JobRecord, Outcome};
use std::collections::BTreeMap;

/// What a record is worth to a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict<'a> {
    Answer(&'a str),
    /// The model gave no usable answer: wrong wherever right and wrong are counted.
    NoAnswer,
    /// Says nothing about the model, or is asked to be left out.
    Excluded,
}

/// The one place where outcomes are weighed.
pub(super) fn verdict(record: &JobRecord, missing: MissingAnswers) -> Verdict<'_> {
    let no_answer = match missing {
        MissingAnswers::Wrong => Verdict::NoAnswer,
        MissingAnswers::Dropped => Verdict::Excluded,
    };
    match record.outcome {
        Outcome::Answered => record.answer.as_deref().map_or(no_answer, Verdict::Answer),
        Outcome::Unparsed | Outcome::Ambiguous | Outcome::Truncated | Outcome::Empty => no_answer,
        Outcome::BackendFailed => Verdict::Excluded,
    }
}

/// A finite number as an answer spells it.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether `answer` says the same as `gold`: numbers by value (`5` is `5.0`), labels by spelling.
pub(crate) fn agrees(kind: TaskKind, answer: &str, gold: &str) -> bool {
    match kind {
        TaskKind::Classification | TaskKind::Pairwise => answer == gold,
        TaskKind::Regression => number(answer).is_some_and(|value| Some(value) == number(gold)),
    }
}

/// Whether the model got `record` right; an answer that could not be read is wrong. `None` when the backend failed:
/// nothing is known then.
pub fn is_correct(task: &Task, record: &JobRecord) -> Option<bool> {
    match verdict(record, MissingAnswers::Wrong) {
        Verdict::Answer(answer) => Some(agrees(task.kind, answer, &record.gold)),
        Verdict::NoAnswer => Some(false),
        Verdict::Excluded => None,
    }
}

/// Compares two judges on what both were asked: the same instance, perturbation and repetition. Pairs in which either
/// backend failed are left out.
pub fn paired_correctness<'a>(
    task: &Task,
    first: impl IntoIterator<Item = &'a JobRecord>,
    second: impl IntoIterator<Item = &'a JobRecord>,
) -> PairedCounts {
    let key = |record: &'a JobRecord| (&record.instance_id, &record.perturbation, record.repeat);
    let other: BTreeMap<_, bool> =
        second.into_iter().filter_map(|record| Some((key(record), is_correct(task, record)?))).collect();
    PairedCounts::count(
        first.into_iter().filter_map(|record| Some((is_correct(task, record)?, *other.get(&key(record))?))),
    )
}

/// Checks that a right answer fits the task.
pub(super) fn check_gold(task: &Task, record: &JobRecord) -> Result<(), MetricError> {
    if fits(task, &record.gold) {
        return Ok(());
    }
    let (instance, gold) = (record.instance_id.to_string(), record.gold.clone());
    Err(match task.kind {
        TaskKind::Regression => MetricError::GoldNotANumber { instance, gold },
        TaskKind::Classification | TaskKind::Pairwise => {
            MetricError::UnknownGold { instance, gold, labels: task.labels.clone() }
        }
    })
}

/// Whether `gold` can be a right answer of the task.
pub(super) fn fits(task: &Task, gold: &str) -> bool {
    match task.kind {
        TaskKind::Regression => number(gold).is_some(),
        TaskKind::Classification | TaskKind::Pairwise => task.labels.iter().any(|label| label == gold),
    }
}

/// One model with one strategy under one perturbation.
pub(super) struct Group<'a> {
    pub(super) model: &'a str,
    pub(super) strategy: &'a str,
    pub(super) perturbation: Option<&'a str>,
    /// Every record, sorted by instance, repetition and job.
    pub(super) records: Vec<&'a JobRecord>,
}

impl<'a> Group<'a> {
    /// Sorts `records` into groups, so that no result depends on the order in which jobs finished.
    pub(super) fn all(records: &'a [JobRecord]) -> Vec<Self> {
        let mut groups: BTreeMap<_, Vec<&JobRecord>> = BTreeMap::new();
        for record in records {
            let key = (record.model.as_str(), record.strategy.as_str(), record.perturbation.as_deref());
            groups.entry(key).or_default().push(record);
        }
        groups
            .into_iter()
            .map(|((model, strategy, perturbation), mut records)| {
                records.sort_by_key(|record| (&record.instance_id, record.repeat, &record.job_id));
                Self { model, strategy, perturbation, records }
            })
            .collect()
    }

    /// The records that `keep` keeps, as a group of their own.
    pub(super) fn only(&self, keep: impl Fn(&JobRecord) -> bool) -> Self {
        let records = self.records.iter().copied().filter(|record| keep(record)).collect();
        Self { model: self.model, strategy: self.strategy, perturbation: self.perturbation, records }
    }

    /// Records per instance.
    pub(super) fn instances(&self) -> impl Iterator<Item = &[&'a JobRecord]> {
        self.records.chunk_by(|a, b| a.instance_id == b.instance_id)
    }

    /// Records that a backend completed.
    pub(super) fn completed(&self) -> impl Iterator<Item = &'a JobRecord> {
        self.records.iter().copied().filter(|record| record.outcome != Outcome::BackendFailed)
    }
    /// What `item` makes of each completed record, grouped by instance. Instances whose every request failed are left
    /// out; instances that give no item stay and may be drawn.
    pub(super) fn sample<T>(&self, item: impl Fn(&'a JobRecord) -> Option<T>) -> Clustered<T> {
        let mut sample = Clustered::default();
        for records in self.instances() {
            let mut completed =
                records.iter().copied().filter(|record| record.outcome != Outcome::BackendFailed).peekable();
            if completed.peek().is_some() {
                sample.push(completed.filter_map(&item));
            }
        }
        sample
    }
}
