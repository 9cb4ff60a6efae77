//! A run as it was emitted, whole: what stores keep, bundles carry and comparisons read.

use crate::clock::Timestamp;
use crate::event::{InstanceRow, RunHeader, RunStatus};
use crate::job::JobRecord;
use crate::measure::SessionMeasurement;
use serde::{Deserialize, Serialize};

/// Which program recorded a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    #[default]
    Puma,
    /// Upstream PUMA: the header is pieced together, gold answers are those of its `instances` table.
    Upstream,
}

/// A run, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedRun {
    pub header: RunHeader,
    /// In the order of the plan.
    pub instances: Vec<InstanceRow>,
    /// By instance in the order of the plan, then model, strategy, perturbation (none first) and repeat: the same for
    /// every order of finishing.
    pub records: Vec<JobRecord>,
    pub status: RunStatus,
    pub finished_at: Option<Timestamp>,
    /// How often it was resumed.
    pub resumed_count: u32,
    pub origin: Origin,
    /// What each process that worked on it measured, oldest first.
    pub sessions: Vec<SessionMeasurement>,
}
