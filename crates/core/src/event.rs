//! A run as a stream of facts. The store, the progress bar and every report only read these.

use crate::backend::{BackendIdentity, ModelIdentity};
use crate::clock::Timestamp;
use crate::ids::{InstanceId, RunId, SpecHash};
use crate::job::JobRecord;
use crate::measure::SessionMeasurement;
use serde::{Deserialize, Serialize};

/// How far a run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// In progress, or its process died: `--resume` goes on.
    Running,
    /// Stopped on request: `--resume` goes on.
    Interrupted,
    /// Every job was tried, but some failed in the backend: `--resume` tries those again.
    Incomplete,
    /// Every job has the model's answer.
    Done,
    /// The run could not go on.
    Error,
}

impl RunStatus {
    pub const ALL: [Self; 5] = [Self::Running, Self::Interrupted, Self::Incomplete, Self::Done, Self::Error];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Incomplete => "incomplete",
            Self::Done => "done",
            Self::Error => "error",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Everything about a run that is known before its first job: what a reader needs to repeat it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    pub run_id: RunId,
    pub spec_hash: SpecHash,
    /// The full spec with defaults filled in.
    pub spec: serde_json::Value,
    pub scenario: String,
    pub models: Vec<ModelIdentity>,
    pub strategies: Vec<String>,
    pub backend: BackendIdentity,
    /// Name, SHA-256, row count and column mapping of the dataset.
    pub dataset: DatasetIdentity,
    /// SHA-256 of each prompt template used, by name.
    pub templates: std::collections::BTreeMap<String, String>,
    pub profile: Option<String>,
    /// What the machine was, as `host` reports it.
    pub machine: serde_json::Value,
    pub puma_version: String,
    pub started_at: Timestamp,
    /// How many jobs the plan holds.
    pub jobs: usize,
}

/// Which data was judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetIdentity {
    pub name: String,
    pub sha256: String,
    pub rows: usize,
    /// How to read it again: `embedded`, or the path the user gave.
    pub source: String,
    /// Canonical field → column of the file.
    #[serde(default)]
    pub columns: std::collections::BTreeMap<String, String>,
    /// The part of `columns` that the user named; the rest was found. Reading the data again takes only this.
    #[serde(default)]
    pub named_columns: std::collections::BTreeMap<String, String>,
    /// Right answers of the training split and how often each occurs: what baselines learn from. Empty without one.
    #[serde(default)]
    pub train_answers: std::collections::BTreeMap<String, u32>,
    /// Priority of each issue that the judged pairs show, by the id: 0 the lowest. Empty where pairs are not judged.
    #[serde(default)]
    pub priorities: std::collections::BTreeMap<String, u32>,
    /// Where few-shot examples came from (`train-split`, `held-out-rows`, `leave-one-out`); `None` if none were shown.
    #[serde(default)]
    pub examples: Option<String>,
    /// What judges of the text answer that were trained when the run was planned, so that reports need no data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline_answers: Vec<BaselineAnswers>,
}

/// What a baseline that reads the text answers for each judged instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineAnswers {
    /// `tfidf_linear`, `longer_text`.
    pub name: String,
    /// Where it learned: `train split of 1008`, `5-fold cross-fitting, at least 160 of 200 rows each`, `nothing`, …
    pub basis: String,
    /// In the spelling of right answers.
    pub answers: std::collections::BTreeMap<InstanceId, String>,
}

/// One instance as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceRow {
    pub instance_id: InstanceId,
    pub scenario: String,
    pub source_id: String,
    /// The fields of the instance as JSON.
    pub fields: serde_json::Value,
    pub gold: String,
    pub group: Option<String>,
}

/// A fact about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The plan is made. On resume the same header comes again and must be accepted.
    RunStarted { header: Box<RunHeader>, instances: Vec<InstanceRow>, resumed: bool },
    /// A job is finished and its record final.
    JobFinished { run_id: RunId, record: Box<JobRecord> },
    /// What the session measured so far. Comes again with fresh numbers, the last time before the end.
    RunMeasured { run_id: RunId, measurement: Box<SessionMeasurement> },
    /// No more jobs will come.
    RunFinished { run_id: RunId, status: RunStatus, at: Timestamp },
}

/// A reader of events could not take one (disk full, locked database): the run must stop rather than lose results.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    pub message: String,
    pub hint: Option<String>,
}

/// A reader of events.
pub trait EventSink {
    /// Takes one event. Returns only when the fact is safe.
    ///
    /// # Errors
    /// The fact could not be kept; the run stops.
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError>;
}

impl EventSink for Vec<RunEvent> {
    fn emit(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.push(event.clone());
        Ok(())
    }
}
