//! What an agent answers, format 1. Fields may be added within a format; a reader ignores those it does not know.

use crate::energy::Missing;
use puma_core::Timestamp;
use puma_core::measure::{Channel, Quality};
use serde::{Deserialize, Serialize};

/// The host's counters at one moment. Nothing in it identifies the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSnapshot {
    /// 1. A higher number is another format.
    pub format: u32,
    /// The version of PUMA that answers.
    pub version: String,
    /// When the counters began, in milliseconds since 1970. Another value than before: they began anew.
    pub started_at: Timestamp,
    pub measured_at: Timestamp,
    pub sources: Vec<AgentSource>,
    /// What the host cannot count, and why.
    pub missing: Vec<Missing>,
    /// Devices whose joules the processor's package counter contains already.
    pub inside_package: Vec<String>,
}

impl AgentSnapshot {
    pub const FORMAT: u32 = 1;
}

/// One meter of the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSource {
    /// `RAPL powercap`, ….
    pub source: String,
    pub quality: Quality,
    /// By how often its counters are published.
    pub resolution_ms: u64,
    /// How often it must be read: an agent that is asked more seldom may lose what happens in between.
    pub interval_ms: u64,
    pub note: Option<String>,
    /// Why it has no reading now.
    pub error: Option<String>,
    pub counters: Vec<AgentCounter>,
    /// What it lost since [`AgentSnapshot::started_at`], added up by device and reason.
    pub lost: Vec<AgentLoss>,
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentCounter {
    pub channel: Channel,
    pub device: String,
    /// Joules since [`AgentSnapshot::started_at`].
    pub energy_j: f64,
    /// Whether it can truly stand still.
    pub may_rest: bool,
}

/// Time that is missing in a counter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentLoss {
    pub channel: Channel,
    pub device: String,
    pub duration_ms: u64,
    pub reason: String,
}
