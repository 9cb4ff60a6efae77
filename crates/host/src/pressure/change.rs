//! What happened between two samples.

use super::sample::{ProcessSample, Sample, Ticks};
use crate::machine::GpuCounters;
use puma_core::Timestamp;
use serde::Serialize;

/// Two samples closer than this say nothing about rates.
const SHORTEST_S: f64 = 0.05;

/// Rates and shares between two samples. `None` where a counter could not be read, went back, or (where it must advance)
/// stood still.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    pub from: Timestamp,
    pub until: Timestamp,
    pub seconds: f64,
    /// Share of all processors' time, 0 to 1.
    pub busy_share: Option<f64>,
    /// What other programs and other virtual machines used, as share of all processors' time.
    pub others_share: Option<f64>,
    pub stolen_share: Option<f64>,
    pub each_busy_share: Vec<Option<f64>>,
    pub frequency_mhz: Option<f64>,
    pub heat_events: Option<u64>,
    /// Share of the time that heat slowed a processor down; the worst case where several were.
    pub heat_share: Option<f64>,
    pub speed_limit_percent: Option<f64>,
    pub major_faults_per_s: Option<f64>,
    /// Fetched from a disk by this process and the model's server.
    pub fetched_bytes: Option<u64>,
    pub read_again_bytes: Option<u64>,
    pub swapped_in_bytes: Option<u64>,
    pub swapped_out_bytes: Option<u64>,
    /// Share of the time in which some, and all, tasks waited for memory.
    pub some_stalled_share: Option<f64>,
    pub all_stalled_share: Option<f64>,
    pub level: Option<super::PressureLevel>,
    pub generated_tokens: u64,
    #[serde(skip)]
    pub gpus: Vec<GpuCounters>,
}

impl Change {
    /// From `one` to `other`; `None` if no time passed between them. A wall clock that was set back does not make a stretch of
    /// time negative: it then begins where it ends.
    #[expect(clippy::cast_precision_loss, reason = "counters of seconds, not of ages")]
    pub fn between(one: &Sample, other: &Sample) -> Option<Self> {
        let seconds = other.at.checked_sub(one.at)?.as_secs_f64();
        if seconds < SHORTEST_S {
            return None;
        }
        let rose = |before: Option<u64>, now: Option<u64>| now?.checked_sub(before?);
        let share = |before, now| rose(before, now).map(|us| (us as f64 / 1e6 / seconds).min(1.0));
        let (processor, memory) = (&other.processor, &other.memory);
        let all = ticks(one.processor.all, processor.all);
        let share_of = |part: u64| all.map(|all| part as f64 / all.total as f64);
        let own = sum(&one.processes, &other.processes, |process| process.ticks);
        Some(Self {
            from: one.time.min(other.time),
            until: other.time,
            seconds,
            busy_share: all.and_then(|all| share_of(all.busy)),
            others_share: all.zip(own).and_then(|(all, own)| share_of(all.busy.saturating_sub(own))),
            stolen_share: all.and_then(|all| share_of(all.stolen)),
            each_busy_share: each(one, other),
            frequency_mhz: mean(&processor.frequencies_mhz),
            heat_events: rose(one.processor.heat_events, processor.heat_events),
            heat_share: rose(one.processor.heat_ms, processor.heat_ms).map(|ms| (ms as f64 / 1e3 / seconds).min(1.0)),
            speed_limit_percent: processor.speed_limit_percent,
            major_faults_per_s: rose(one.memory.major_faults, memory.major_faults).map(|count| count as f64 / seconds),
            fetched_bytes: sum(&one.processes, &other.processes, |process| process.fetched_bytes),
            read_again_bytes: rose(one.memory.read_again_bytes, memory.read_again_bytes),
            swapped_in_bytes: rose(one.memory.swapped_in_bytes, memory.swapped_in_bytes),
            swapped_out_bytes: rose(one.memory.swapped_out_bytes, memory.swapped_out_bytes),
            some_stalled_share: share(one.memory.some_stalled_us, memory.some_stalled_us),
            all_stalled_share: share(one.memory.all_stalled_us, memory.all_stalled_us),
            level: memory.level,
            generated_tokens: other.generated_tokens.saturating_sub(one.generated_tokens),
            gpus: other.gpus.clone(),
        })
    }
}

/// Ticks that passed; `None` when none did: processors that are there always count.
fn ticks(before: Option<Ticks>, now: Option<Ticks>) -> Option<Ticks> {
    let (before, now) = (before?, now?);
    let total = now.total.checked_sub(before.total).filter(|total| *total > 0)?;
    let busy = now.busy.checked_sub(before.busy)?.min(total);
    Some(Ticks { busy, total, stolen: now.stolen.checked_sub(before.stolen)?.min(total) })
}

#[expect(clippy::cast_precision_loss, reason = "counters of seconds, not of ages")]
fn each(one: &Sample, other: &Sample) -> Vec<Option<f64>> {
    let (before, now) = (&one.processor.each, &other.processor.each);
    if before.len() != now.len() {
        // A processor was switched on or off: which is which is not known.
        return vec![None; now.len()];
    }
    let pairs = before.iter().zip(now);
    pairs
        .map(|(before, now)| ticks(Some(*before), Some(*now)).map(|ticks| ticks.busy as f64 / ticks.total as f64))
        .collect()
}

/// What the processes of both samples counted together; `None` unless this process itself can be counted.
fn sum(one: &[ProcessSample], other: &[ProcessSample], field: fn(&ProcessSample) -> Option<u64>) -> Option<u64> {
    let rose = |now: &ProcessSample| {
        let before = one.iter().find(|before| before.id == now.id)?;
        field(now)?.checked_sub(field(before)?)
    };
    let mut processes = other.iter();
    let own = rose(processes.next()?)?;
    Some(processes.filter_map(rose).fold(own, u64::saturating_add))
}

#[expect(clippy::cast_precision_loss, reason = "a handful of processors")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
