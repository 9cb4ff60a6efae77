//! A machine at one moment.

use crate::machine::GpuCounters;
use puma_core::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// Everything that could be read. Counters count from the start of the machine; `None` is what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// Monotonic; differences between samples are made with it.
    #[serde(skip)]
    pub at: Duration,
    pub time: Timestamp,
    pub processor: ProcessorSample,
    pub memory: MemorySample,
    /// This process first, then those of the server that holds the model, as far as they may be looked at.
    pub processes: Vec<ProcessSample>,
    pub gpus: Vec<GpuCounters>,
    /// The hottest sensor of the system, in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Tokens generated so far, as told by whoever asks the model.
    pub generated_tokens: u64,
}

/// The processors.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProcessorSample {
    /// All processors together.
    pub all: Option<Ticks>,
    /// Each processor, in the system's order.
    pub each: Vec<Ticks>,
    /// Clock of the processors looked at: at most 16, evenly spread.
    pub frequencies_mhz: Vec<f64>,
    /// How often heat slowed a processor down.
    pub heat_events: Option<u64>,
    /// Milliseconds that heat slowed processors down, all together.
    pub heat_ms: Option<u64>,
    /// Percent of the full clock that the system allows (Macs).
    pub speed_limit_percent: Option<f64>,
}

/// Processor time in the system's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ticks {
    pub busy: u64,
    pub total: u64,
    /// Taken by the hypervisor for other machines; part of `busy`.
    pub stolen: u64,
}

/// The memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MemorySample {
    pub total_bytes: Option<u64>,
    pub available_bytes: Option<u64>,
    pub swap_total_bytes: Option<u64>,
    pub swap_used_bytes: Option<u64>,
    /// What a limited control group uses and may use.
    pub limit_bytes: Option<u64>,
    pub limit_used_bytes: Option<u64>,
    /// Pages that had to be fetched from a disk, of the whole machine.
    pub major_faults: Option<u64>,
    /// File pages read again that had been thrown out, of the whole machine.
    pub read_again_bytes: Option<u64>,
    pub swapped_in_bytes: Option<u64>,
    pub swapped_out_bytes: Option<u64>,
    /// Microseconds in which at least one task waited for memory, and in which all did.
    pub some_stalled_us: Option<u64>,
    pub all_stalled_us: Option<u64>,
    pub level: Option<PressureLevel>,
    /// Percent of the memory that is free, in the words of a Mac.
    pub free_percent: Option<f64>,
}

/// How a Mac judges its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PressureLevel {
    Normal,
    Warning,
    Critical,
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProcessSample {
    /// `self`, or its number.
    pub id: String,
    /// Processor time in ticks.
    pub ticks: Option<u64>,
    pub major_faults: Option<u64>,
    /// Bytes it made the system fetch from a disk: by reading, and by touching pages that were not in memory.
    pub fetched_bytes: Option<u64>,
}
