//! What is measured beside the answers: energy, and whether anything disturbed the machine.
//!
//! A number never travels without its source and [`Quality`]. `None` means that it could not be read, never zero.

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Joules in a kilowatt-hour.
pub const J_PER_KWH: f64 = 3_600_000.0;

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// A hardware counter or the system itself says so.
    Measured,
    /// The vendor's on-chip model says so (RAPL on AMD, Apple's energy counters): consistent, not calibrated.
    VendorModel,
    /// Computed from something else: a table, a curve, a rule.
    Estimated,
    /// Nothing is known.
    Unknown,
}

impl Quality {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::VendorModel => "vendor model",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }
}

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading<T> {
    pub value: T,
    /// `Metal`, `table of macOS 26`, `PUMA_GPU_VRAM_GB`, ….
    pub source: String,
    pub quality: Quality,
}

impl<T> Reading<T> {
    pub fn new(value: T, source: impl Into<String>, quality: Quality) -> Self {
        Self { value, source: source.into(), quality }
    }
}

/// What an energy number covers. `Package` contains `Cpu` and, on laptops, the integrated GPU; `System` contains all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Cpu,
    Gpu,
    Dram,
    Package,
    System,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Dram => "dram",
            Self::Package => "package",
            Self::System => "system",
        }
    }
}

/// One counter of a [`Meter`] at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeterReading {
    pub channel: Channel,
    /// Which of several: `package-0`, `GPU 1 NVIDIA H200`.
    pub device: String,
    /// Joules since the meter was made. Never falls: wrap-around is the meter's business.
    pub energy_j: f64,
}

/// Why a meter has no reading now.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct MeterError {
    pub message: String,
    /// The meter will not come back: stop asking it.
    pub fatal: bool,
}

/// A stretch of time that is missing in a counter's joules: it was reset, or nobody could read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub channel: Channel,
    pub device: String,
    pub duration: Duration,
    /// `the counter went back`, ….
    pub reason: String,
}

/// Counts joules.
pub trait Meter: Send {
    /// `RAPL powercap`, `NVML energy counter`, ….
    fn source(&self) -> &str;

    fn quality(&self) -> Quality;

    /// The least time between two readings that says anything, by how often the counter is published.
    fn resolution(&self) -> Duration;

    /// How often it should be read. A meter that integrates power itself wants less than the second that suits a counter.
    fn interval(&self) -> Duration {
        self.resolution().max(Duration::from_secs(1))
    }

    /// What its numbers cover and leave out, where that is not plain.
    fn note(&self) -> Option<String> {
        None
    }

    /// Whether `channel` can truly spend nothing for seconds, as a GPU that switches itself off. For all others a counter
    /// that stands still is one that does not work.
    fn may_rest(&self, channel: Channel) -> bool {
        let _ = channel;
        false
    }

    /// The counters at `now` (monotonic), in a fixed order. A counter that cannot be read is left out; its joules go on
    /// counting meanwhile unless [`losses`](Self::losses) says otherwise.
    ///
    /// # Errors
    /// Nothing can be read now.
    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError>;

    /// What got lost since the last call.
    fn losses(&mut self) -> Vec<Loss> {
        Vec::new()
    }
}

impl<M: Meter + ?Sized> Meter for Box<M> {
    fn source(&self) -> &str {
        (**self).source()
    }
    fn quality(&self) -> Quality {
        (**self).quality()
    }
    fn resolution(&self) -> Duration {
        (**self).resolution()
    }
    fn interval(&self) -> Duration {
        (**self).interval()
    }
    fn note(&self) -> Option<String> {
        (**self).note()
    }
    fn may_rest(&self, channel: Channel) -> bool {
        (**self).may_rest(channel)
    }
    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        (**self).read(now)
    }
    fn losses(&mut self) -> Vec<Loss> {
        (**self).losses()
    }
}

/// What energy is accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackingMode {
    /// Counters of the whole machine.
    Machine,
    /// This process's share of the machine's counters, by processor time. Only where the model runs in this process.
    Process,
    /// No counter could be read: utilisation against a power curve.
    Estimated,
    /// Nothing is measured.
    Off,
}

impl TrackingMode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Process => "process",
            Self::Estimated => "estimated",
            Self::Off => "off",
        }
    }
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the run, to learn what the machine draws without it. Not part of the total.
    Idle,
    /// Making the model ready.
    Load,
    /// Asking, where the backend does not tell prompt from generation.
    Inference,
    Prompt,
    Generation,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Load => "load",
            Self::Inference => "inference",
            Self::Prompt => "prompt",
            Self::Generation => "generation",
        }
    }
}

/// Energy of one channel of one device over a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelEnergy {
    pub channel: Channel,
    pub device: String,
    /// Joules; `None` where the counter stood still, vanished or went back.
    pub energy_j: Option<f64>,
    pub source: String,
    pub quality: Quality,
    /// Whether it is part of the total: a channel inside another one is not.
    pub counted: bool,
    /// What went wrong, or what the number leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The sources of the counted channels in their order, joined by ` + `; equal neighbours once. Empty if none is counted.
pub fn counted_sources(channels: &[ChannelEnergy]) -> String {
    let mut sources: Vec<&str> =
        channels.iter().filter(|channel| channel.counted).map(|channel| channel.source.as_str()).collect();
    sources.dedup();
    sources.join(" + ")
}

/// Energy of one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseEnergy {
    pub phase: Phase,
    pub duration_s: f64,
    pub energy_j: Option<f64>,
    pub quality: Quality,
}

/// How much CO₂ equivalent a kilowatt-hour stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridIntensity {
    /// ISO 3166-1 alpha-3 code, or `WORLD`; `None` when the user gave the number.
    pub country: Option<String>,
    pub g_per_kwh: f64,
    /// Year of the data; `None` when the user gave the number.
    pub year: Option<u16>,
    pub source: String,
    pub licence: Option<String>,
    /// How the country was chosen: `--country`, `PUMA_COUNTRY`, `time zone`, `world average`, `--intensity`.
    pub chosen_by: String,
}

/// Energy of one session: one process working on a run from its start or resumption to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnergyReport {
    pub mode: TrackingMode,
    /// Seconds measured, without the idle baseline.
    pub duration_s: f64,
    pub channels: Vec<ChannelEnergy>,
    /// Joules of every counted channel; `None` if one of them is unavailable or nothing is counted.
    pub total_j: Option<f64>,
    /// The worst quality among the counted channels.
    pub quality: Quality,
    /// Half width of the interval around the total, as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_uncertainty: Option<f64>,
    /// What the machine draws without the run, in watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_power_w: Option<Reading<f64>>,
    /// Total without what the idle machine would have drawn in the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_idle_j: Option<f64>,
    pub phases: Vec<PhaseEnergy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intensity: Option<GridIntensity>,
    /// Grams of CO₂ equivalent of the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co2e_g: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What disturbed a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// Parts of the model were read from the disk again and again, or memory was swapped.
    Paging,
    /// The processor or GPU was slowed down by heat or a power limit.
    Throttling,
    /// Another program used the processor or GPU.
    Neighbour,
}

impl Disturbance {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paging => "paging",
            Self::Throttling => "throttling",
            Self::Neighbour => "neighbour",
        }
    }
}

/// How bad a disturbance is. `Major` voids the speed and energy of the jobs it touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Minor,
    Major,
}

/// One stretch of time in which something disturbed the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contamination {
    pub kind: Disturbance,
    pub severity: Severity,
    pub from: Timestamp,
    pub until: Timestamp,
    /// The numbers that led to it, in a sentence.
    pub detail: String,
}

/// What was seen of the machine during a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthReport {
    pub samples: u64,
    pub interval_ms: u64,
    /// Quantities as sampled: peak, mean, total. A quantity that could not be read is absent.
    pub quantities: Vec<Quantity>,
    pub contaminations: Vec<Contamination>,
    /// What could not be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<String>,
}

impl HealthReport {
    /// Whether the session's speed and energy must not be compared with others.
    pub fn is_void(&self) -> bool {
        self.contaminations.iter().any(|contamination| contamination.severity == Severity::Major)
    }
}

/// One quantity over a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Unit last: `memory_used_bytes`, `major_faults`, `cpu_frequency_mhz`, `gpu_utilization_percent`.
    pub name: String,
    pub first: f64,
    pub last: f64,
    pub min: f64,
    pub mean: f64,
    pub max: f64,
}

/// Everything measured in one session. Sent again with fresh numbers while the session lasts; the latest counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionMeasurement {
    /// Tells the sessions of a run apart.
    pub started_at: Timestamp,
    pub measured_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergyReport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthReport>,
}
