//! What a bundle says about itself, and the fingerprints by which its run is told from others.

use puma_core::canon::sha256_hex;
use puma_core::{JobRecord, Origin, RecordedRun, RunId, RunStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first value in every manifest.
pub const FORMAT: &str = "puma-bundle";

/// The version that this program writes and reads. Another one means that a reader of this one could be wrong.
pub const VERSION: u32 = 1;

/// The first member: what the others hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The program that wrote the bundle; the run's own is in its header.
    pub puma_version: String,
    pub run_id: RunId,
    pub status: RunStatus,
    pub origin: Origin,
    /// Numerics contract of the engine that answered; `None` for servers.
    pub numerics: Option<String>,
    /// Whether issue texts, prompts and the models' words are in it.
    pub texts: bool,
    pub counts: Counts,
    /// What was taken out or replaced before writing, a sentence each.
    pub neutralised: Vec<String>,
    /// Every other member, in the order of the archive.
    pub members: Vec<MemberRow>,
}

/// How much of each a bundle holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Jobs in the plan.
    pub jobs: usize,
    pub instances: usize,
    /// Finished jobs.
    pub predictions: usize,
    pub sessions: usize,
}

impl Counts {
    pub(super) fn of(run: &RecordedRun) -> Self {
        Self {
            jobs: run.header.jobs,
            instances: run.instances.len(),
            predictions: run.records.len(),
            sessions: run.sessions.len(),
        }
    }
}

/// One member as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRow {
    pub name: String,
    pub size_bytes: u64,
    pub sha256: String,
}

/// Fingerprints of a run. Two runs with equal ones asked the same and heard the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashes {
    pub spec_hash: String,
    pub dataset_sha256: String,
    /// SHA-256 of each prompt template, by name.
    pub templates: BTreeMap<String, String>,
    /// See [`prompts_digest`].
    pub prompts_digest: String,
    pub predictions_summary_hash: String,
    /// `None` without logprobs.
    pub logprobs_digest: Option<String>,
}

/// SHA-256 over `job id`, space, `prompt hash`, line feed of every record, sorted.
pub fn prompts_digest(records: &[JobRecord]) -> String {
    let mut lines: Vec<String> =
        records.iter().map(|record| format!("{} {}\n", record.job_id, record.prompt_hash)).collect();
    lines.sort_unstable();
    sha256_hex(lines.concat().as_bytes())
}
