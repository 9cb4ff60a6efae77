//! When a machine counts as disturbed: the table.

use puma_core::measure::{Disturbance, Severity};

/// What is held against a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Bytes fetched from the disk a second, beyond what loading the models once takes, as share of the largest model.
    ModelReadAgain,
    /// Bytes fetched from the disk for every byte of the model that generating read: the paging ratio.
    PagingRatio,
    /// Bytes read back from the swap a second.
    SwappedIn,
    /// Share of the time in which everything waited for memory.
    MemoryStalled,
    /// The same, while the run itself fetches pages.
    StalledByPaging,
    /// The system's own word: 1 for a warning, 2 for critical.
    MemoryLevel,
    /// Share of the time in which heat slowed the processor down.
    HeatShare,
    /// How often a second heat slowed the processor down, where the time is not told.
    HeatEvents,
    /// Percent of the clock that the system takes away.
    SpeedLimit,
    /// Share by which the clock lies below its own median under load.
    ClockDrop,
    /// 1 while heat or a failing supply slows a GPU down that the model runs on.
    GpuHeat,
    /// 1 while such a GPU is held at its power limit.
    GpuPowerLimit,
    /// Share of all processors' time that other programs and other virtual machines took.
    Others,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub signal: Signal,
    pub kind: Disturbance,
    pub severity: Severity,
    /// The signal must reach this,
    pub threshold: f64,
    /// for so many seconds without a break,
    pub sustained_s: f64,
    /// and in sum for this share of the time in which the model was asked; else it is minor.
    pub least_share_of_run: f64,
    pub reason: &'static str,
}

const fn rule(
    signal: Signal,
    (kind, severity): (Disturbance, Severity),
    threshold: f64,
    sustained_s: f64,
    reason: &'static str,
) -> Rule {
    Rule { signal, kind, severity, threshold, sustained_s, least_share_of_run: 0.0, reason }
}

const PAGING: (Disturbance, Severity) = (Disturbance::Paging, Severity::Minor);
const PAGING_MAJOR: (Disturbance, Severity) = (Disturbance::Paging, Severity::Major);
const THROTTLING: (Disturbance, Severity) = (Disturbance::Throttling, Severity::Minor);
const THROTTLING_MAJOR: (Disturbance, Severity) = (Disturbance::Throttling, Severity::Major);
const NEIGHBOUR: (Disturbance, Severity) = (Disturbance::Neighbour, Severity::Minor);
const NEIGHBOUR_MAJOR: (Disturbance, Severity) = (Disturbance::Neighbour, Severity::Major);

/// Every rule, by kind.
pub const RULES: [Rule; 22] = [
    rule(
        Signal::PagingRatio,
        PAGING,
        0.02,
        3.0,
        "one byte in fifty came from a disk a hundred times slower than memory",
    ),
    rule(Signal::PagingRatio, PAGING_MAJOR, 0.20, 3.0, "waiting for the disk takes longer than computing"),
    rule(Signal::ModelReadAgain, PAGING, 0.02, 3.0, "the paging ratio of a model that generates one token a second"),
    rule(
        Signal::ModelReadAgain,
        PAGING_MAJOR,
        0.20,
        3.0,
        "the paging ratio of a model that generates one token a second",
    ),
    rule(Signal::SwappedIn, PAGING_MAJOR, 1_048_576.0, 3.0, "what the run needs does not fit into memory"),
    rule(Signal::MemoryStalled, PAGING, 0.10, 3.0, "the system waits for memory, on whosever behalf"),
    rule(
        Signal::StalledByPaging,
        PAGING_MAJOR,
        0.10,
        3.0,
        "a tenth of the time is lost to waiting for pages of the run",
    ),
    rule(Signal::MemoryLevel, PAGING, 1.0, 3.0, "macOS begins to compress and to swap"),
    rule(Signal::MemoryLevel, PAGING_MAJOR, 2.0, 0.0, "macOS calls it critical"),
    rule(Signal::HeatShare, THROTTLING, 0.01, 0.0, "short moments of heat are usual on laptops, and worth knowing"),
    rule(Signal::HeatShare, THROTTLING_MAJOR, 0.10, 5.0, "a tenth of the time at a lower clock shows in every number"),
    rule(Signal::HeatEvents, THROTTLING, 0.01, 0.0, "short moments of heat are usual on laptops, and worth knowing"),
    rule(Signal::HeatEvents, THROTTLING_MAJOR, 1.0, 5.0, "heat slows the processor down second after second"),
    rule(Signal::SpeedLimit, THROTTLING, 5.0, 3.0, "the system takes part of the clock away"),
    rule(Signal::SpeedLimit, THROTTLING_MAJOR, 20.0, 5.0, "the system takes a fifth of the clock away"),
    rule(Signal::ClockDrop, THROTTLING, 0.30, 5.0, "busy processors do not slow down by themselves"),
    rule(Signal::ClockDrop, THROTTLING_MAJOR, 0.50, 10.0, "half the clock is half the speed"),
    rule(Signal::GpuHeat, THROTTLING, 1.0, 0.0, "the driver says so"),
    rule(Signal::GpuHeat, THROTTLING_MAJOR, 1.0, 5.0, "the driver says so for longer than a moment"),
    // A board at its power limit is at its usual speed: many are whenever they work.
    rule(Signal::GpuPowerLimit, THROTTLING, 1.0, 10.0, "another power limit would give another speed"),
    rule(Signal::Others, NEIGHBOUR, 0.20, 3.0, "a fifth of the machine is more than a system needs for itself"),
    Rule {
        least_share_of_run: 0.10,
        ..rule(
            Signal::Others,
            NEIGHBOUR_MAJOR,
            0.50,
            5.0,
            "half the machine for a tenth of the run shows in its mean speed",
        )
    },
];

impl Signal {
    /// The numbers of a stretch as a sentence. `unit` is what a share of the model stands for, in bytes.
    pub(super) fn sentence(self, mean: f64, peak: f64, seconds: f64, model_bytes: f64) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let megabytes = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
        match self {
            Self::ModelReadAgain => format!(
                "for {seconds:.0} s {} a second of the model were read again from the disk, {} at most ({} of the model a second)",
                megabytes(mean * model_bytes),
                megabytes(peak * model_bytes),
                percent(mean)
            ),
            Self::PagingRatio => format!(
                "for {seconds:.0} s {} of what generating read came from the disk instead of memory, {} at most",
                percent(mean),
                percent(peak)
            ),
            Self::SwappedIn => format!(
                "for {seconds:.0} s {} a second were read back from the swap, {} at most",
                megabytes(mean),
                megabytes(peak)
            ),
            Self::MemoryStalled => format!(
                "for {seconds:.0} s all programs waited for memory {} of the time, {} at most",
                percent(mean),
                percent(peak)
            ),
            Self::StalledByPaging => format!(
                "for {seconds:.0} s waiting for pages of the run took {} of the time, {} at most",
                percent(mean),
                percent(peak)
            ),
            Self::MemoryLevel => {
                let word = if peak >= 2.0 { "critical" } else { "a warning" };
                format!("for {seconds:.0} s the system's own measure of memory pressure was {word}")
            }
            Self::HeatShare => format!(
                "for {seconds:.0} s heat slowed the processor down {} of the time, {} at most",
                percent(mean),
                percent(peak)
            ),
            Self::HeatEvents => {
                format!("for {seconds:.0} s heat slowed the processor down {mean:.1} times a second, {peak:.1} at most")
            }
            Self::SpeedLimit => {
                format!("for {seconds:.0} s the system took {mean:.0} % of the clock away, {peak:.0} % at most")
            }
            Self::ClockDrop => format!(
                "for {seconds:.0} s the clock was {} below its median under load, {} at most",
                percent(mean),
                percent(peak)
            ),
            Self::GpuHeat => format!("for {seconds:.0} s the GPU was slowed down by heat or its supply"),
            Self::GpuPowerLimit => format!("for {seconds:.0} s the GPU was held at its power limit"),
            Self::Others => format!(
                "for {seconds:.0} s other programs took {} of the processors' time, {} at most",
                percent(mean),
                percent(peak)
            ),
        }
    }
}
