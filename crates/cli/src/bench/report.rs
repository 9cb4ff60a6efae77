//! What `puma bench engine --json` prints.

use super::ceiling::Ceiling;
use super::cost::Cost;
use super::spread::Spread;
use super::work::TriageCounts;
use serde::Serialize;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub puma_version: &'static str,
    pub contract: &'static str,
    pub model: ModelFacts,
    pub cost: Cost,
    /// Sequences computed together in the triage test.
    pub batch: usize,
    pub repetitions: usize,
    /// One for each number of threads; empty unless asked for.
    pub ceilings: Vec<Ceiling>,
    pub rows: Vec<Row>,
    /// What other programs and other virtual machines used of all processors' time while tests ran.
    pub others_percent: Option<f64>,
    pub stolen_percent: Option<f64>,
    pub peak_memory_bytes: Option<u64>,
}

/// The file that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ModelFacts {
    pub name: String,
    pub architecture: String,
    pub quantization: String,
    pub size_bytes: u64,
    pub parameters: u64,
}

/// One test in one way.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// `load`, `first token`, `pp512`, `tg128`, `triage`.
    pub test: String,
    pub simd: &'static str,
    pub threads: usize,
    /// `ms` or `tokens/s`.
    pub unit: &'static str,
    #[serde(flatten)]
    pub spread: Spread,
    /// Processors this program kept busy, on average.
    pub own_processors: Option<f64>,
    pub others_percent: Option<f64>,
    /// 10^9 operations a second; of a triage test those of its unique prompt tokens.
    pub gop_per_s: Option<f64>,
    /// Share of the fastest integer instruction's ceiling.
    pub int8_percent: Option<f64>,
    /// Weights read, in 10^9 bytes a second.
    pub gb_per_s: Option<f64>,
    /// Share of what can be read.
    pub read_percent: Option<f64>,
    pub triage: Option<TriageCounts>,
    pub issues_per_s: Option<f64>,
}
