//! What a judge says of each instance, whatever kind of judge it is.

use crate::metric::{CLASS_HEADLINE, TaskKind};
use puma_core::{InstanceId, JobId, JobRecord, Outcome, Timestamp};
use std::collections::BTreeMap;

/// The distinct instances of a run, by id, with their right answers.
pub type Golds<'a> = BTreeMap<&'a InstanceId, &'a str>;

/// A judge that reads no prompt.
pub(super) struct Judge {
    pub(super) name: String,
    pub(super) basis: String,
    /// The metrics it is reported by.
    pub(super) metrics: &'static [&'static str],
    pub(super) says: Says,
}

/// What a judge says.
pub(super) enum Says {
    /// One answer for each instance; an instance that is missing is unanswered.
    Answers(BTreeMap<InstanceId, Said>),
    /// A draw with these probabilities, one a label of the task.
    Draws(Vec<f64>),
    /// Drawn numbers, known by the absolute error expected for each instance.
    Errors(BTreeMap<InstanceId, f64>),
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) answer: String,
    /// Probability of each label; empty where the judge has none.
    pub(super) probabilities: BTreeMap<String, f64>,
}

impl Said {
    pub(super) fn plain(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), probabilities: BTreeMap::new() }
    }
}

/// Metrics by which judges of this kind of task are reported.
pub(super) fn reported(kind: TaskKind) -> &'static [&'static str] {
    match kind {
        TaskKind::Classification => &CLASS_HEADLINE,
        TaskKind::Regression => &["mae", "mdae", "rmse", "standardised_accuracy"],
        TaskKind::Pairwise => &["accuracy"],
    }
}

/// The record of an answer that no model gave.
pub(super) fn record(id: &InstanceId, gold: &str, said: Option<&Said>) -> JobRecord {
    let label_probabilities = said.map_or_else(BTreeMap::new, |said| said.probabilities.clone());
    let answer = said.map(|said| said.answer.clone());
    JobRecord {
        job_id: JobId::new(id.as_str()),
        instance_id: id.clone(),
        model: String::new(),
        strategy: String::new(),
        perturbation: None,
        repeat: 0,
        seed: 0,
        gold: gold.to_owned(),
        group: None,
        prompt: String::new(),
        prompt_hash: String::new(),
        outcome: if answer.is_some() { Outcome::Answered } else { Outcome::Empty },
        confidence: answer.as_ref().and_then(|answer| label_probabilities.get(answer)).copied(),
        answer,
        rule: None,
        label_probabilities,
        completions: Vec::new(),
        error: None,
        failed_attempts: Vec::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
    }
}
