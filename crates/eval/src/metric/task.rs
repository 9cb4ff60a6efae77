//! What the metrics need to know about the task, and how they are asked to count.

use crate::stats::Bootstrap;
use puma_core::InstanceId;
use puma_core::event::BaselineAnswers;
use std::collections::BTreeMap;

/// What kind of answer is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// One of a fixed set of labels.
    Classification,
    /// A number.
    Regression,
    /// Which of two, `A` or `B`.
    Pairwise,
}

/// A task as the metrics see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub kind: TaskKind,
    /// The possible answers in their fixed order. For regression: the card deck, empty if any number is allowed.
    pub labels: Vec<String>,
}

impl Task {
    /// Classification into `labels`, which also fix the order of classes everywhere.
    pub fn classification<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self { kind: TaskKind::Classification, labels: labels.into_iter().map(Into::into).collect() }
    }

    /// Estimation of a number; `deck` are the values a model may answer, or nothing.
    pub fn regression<L: Into<String>>(deck: impl IntoIterator<Item = L>) -> Self {
        Self { kind: TaskKind::Regression, labels: deck.into_iter().map(Into::into).collect() }
    }

    /// Choice between `A` and `B`.
    pub fn pairwise() -> Self {
        Self { kind: TaskKind::Pairwise, labels: vec!["A".to_owned(), "B".to_owned()] }
    }
}

/// What an answer that could not be read counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingAnswers {
    /// A wrong answer, in F1 and accuracy.
    #[default]
    Wrong,
    /// Left out, as upstream PUMA up to v4.0 did (`compat: puma-4`): scores are conditional on parsing.
    Dropped,
}

/// How to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub bootstrap: Bootstrap,
    pub missing: MissingAnswers,
    /// Right answers of data that is not judged (a training split). Baselines learn from it; without it they learn
    /// from the judged data itself, and every [`Baseline::basis`](super::Baseline::basis) says which.
    pub train_gold: Vec<String>,
    /// Characters of the texts of each instance, to compare short with long ones. Without it they are not compared.
    pub text_lengths: BTreeMap<InstanceId, u64>,
    /// Priority of each issue that pairs show, by the id: 0 the lowest. What the order implied by the answers is
    /// judged by; without it there is no such metric.
    pub priorities: BTreeMap<String, u32>,
    /// What judges of the text answer, as kept with the run; they are scored beside the trivial ones.
    pub baseline_answers: Vec<BaselineAnswers>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bootstrap: Bootstrap { resamples: 1000, seed: 42, confidence: 0.95 },
            missing: MissingAnswers::Wrong,
            train_gold: Vec::new(),
            text_lengths: BTreeMap::new(),
            priorities: BTreeMap::new(),
            baseline_answers: Vec::new(),
        }
    }
}

/// Why records cannot be scored at all: their right answers do not fit the task.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    #[error("instance {instance}: its right answer {gold:?} is none of the labels {}", labels.join(", "))]
    UnknownGold { instance: String, gold: String, labels: Vec<String> },
    #[error("instance {instance}: its right answer {gold:?} is no finite number")]
    GoldNotANumber { instance: String, gold: String },
    #[error("a right answer of the training data, {gold:?}, does not fit the task")]
    TrainGold { gold: String },
}
