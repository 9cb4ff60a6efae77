//! Says which stretches of time were disturbed.
//!
//! It is told one change after the other and keeps little: the open and closed stretches of every rule. Telling it the same
//! changes gives the same verdict, whenever it is asked in between.

use super::change::Change;
use super::rules::{RULES, Signal};
use super::sample::{PressureLevel, Sample};
use super::stretch::Stretches;
use puma_core::Timestamp;
use puma_core::measure::{Contamination, Disturbance, Severity};
use std::collections::BTreeMap;
use std::time::Duration;

/// Page-ins below this rate are those of any program: its own code, a database.
const QUIET_BYTES_PER_S: f64 = 1_048_576.0;
/// What a run reads from the disk besides its models: code, prompts, data, the database.
const OTHER_READS_BYTES: u64 = 64 << 20;
/// A change that took longer is of a machine that slept, or of a program that was stopped.
const LONGEST_CHANGE_S: f64 = 60.0;
/// Processors count as loaded from here on, and the median of the clock is of loaded ones.
const LOADED_SHARE: f64 = 0.5;
/// So many clocks are needed before one of them can be called low.
const LEAST_CLOCKS: u64 = 20;
/// Clocks are counted by classes of this width.
const CLOCK_CLASS_MHZ: f64 = 25.0;
/// A paging ratio is made of so many seconds at least.
const RATIO_WINDOW_S: f64 = 3.0;

/// What the judge must know of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgeContext {
    /// Bytes of each model; empty where they are unknown.
    pub model_bytes: Vec<u64>,
    /// Bytes of those models that are still to be loaded: so much may be read from the disk without being paging.
    pub to_load_bytes: u64,
    /// Whether the model runs on a GPU, or may.
    pub uses_gpu: bool,
}

/// Listens to changes.
#[derive(Clone, Debug)]
pub struct Judge {
    context: JudgeContext,
    stretches: Vec<Stretches>,
    asked_s: f64,
    /// Bytes that may still be fetched without any of it being read a second time.
    allowance_bytes: u64,
    /// Clocks under load, by class.
    clocks: BTreeMap<u64, u64>,
    ratio: RatioWindow,
}

/// What was fetched and generated since the latest ratio.
#[derive(Clone, Copy, Debug, Default)]
struct RatioWindow {
    from: Option<Timestamp>,
    seconds: f64,
    fetched_bytes: u64,
    tokens: u64,
}

impl Judge {
    pub fn new(context: JudgeContext) -> Self {
        Self {
            allowance_bytes: context.to_load_bytes.saturating_add(OTHER_READS_BYTES),
            context,
            stretches: vec![Stretches::default(); RULES.len()],
            asked_s: 0.0,
            clocks: BTreeMap::new(),
            ratio: RatioWindow::default(),
        }
    }

    /// What happened while the model was asked. What it takes to load is no disturbance; leave it out.
    pub fn push(&mut self, change: &Change) {
        if change.seconds > LONGEST_CHANGE_S {
            for (rule, stretches) in RULES.iter().zip(&mut self.stretches) {
                stretches.observe(rule, (change.from, change.until), 0.0, None);
            }
            return;
        }
        self.asked_s += change.seconds;
        let again = self.read_again(change);
        let ratio = self.paging_ratio(change, again);
        let clock_drop = self.clock_drop(change);
        let span = (change.from, change.until);
        for (rule, stretches) in RULES.iter().zip(&mut self.stretches) {
            let value = match rule.signal {
                Signal::PagingRatio => {
                    if let Some((window, value)) = ratio {
                        let from = window.from.unwrap_or(change.from);
                        stretches.observe(rule, (from, change.until), window.seconds, Some(value));
                        // Every ratio stands for itself.
                        stretches.observe(rule, span, 0.0, None);
                    }
                    continue;
                }
                Signal::ModelReadAgain => share_of_model(&self.context, again, change.seconds),
                Signal::ClockDrop => clock_drop,
                signal => plain(signal, change, again, self.context.uses_gpu),
            };
            stretches.observe(rule, span, change.seconds, value);
        }
    }

    /// Everything found so far: oldest first, without minor stretches most of which a major one of the same kind covers.
    pub fn contaminations(&self) -> Vec<Contamination> {
        let model_bytes = largest(&self.context).unwrap_or(0.0);
        let found = RULES.iter().zip(&self.stretches);
        let mut all: Vec<Contamination> =
            found.flat_map(|(rule, found)| found.contaminations(rule, self.asked_s, model_bytes)).collect();
        all.sort_by(|one, other| {
            let key = |found: &Contamination| (found.from, std::cmp::Reverse(found.until), found.kind);
            key(one).cmp(&key(other)).then_with(|| other.severity.cmp(&one.severity))
        });
        let told = |found: &Contamination, other: &Contamination| {
            let same = found.kind == other.kind && found.severity <= other.severity;
            let overlap_ms = found.until.min(other.until).0.saturating_sub(found.from.max(other.from).0);
            let length_ms = found.until.0.saturating_sub(found.from.0);
            let within = other.from <= found.from && found.until <= other.until;
            // What a worse word already says of most of it needs no second one.
            same && (within || found.severity < other.severity && overlap_ms.saturating_mul(2) >= length_ms)
        };
        let mut kept: Vec<Contamination> = Vec::new();
        for (place, found) in all.iter().enumerate() {
            let told_later = |other: &Contamination| told(found, other) && other.severity > found.severity;
            if !kept.iter().any(|other| told(found, other)) && !all[place + 1..].iter().any(told_later) {
                kept.push(found.clone());
            }
        }
        kept
    }

    /// The first major paging.
    pub fn paging(&self) -> Option<Contamination> {
        let is_paging = |found: &Contamination| found.kind == Disturbance::Paging && found.severity == Severity::Major;
        self.contaminations().into_iter().find(is_paging)
    }

    /// Bytes that were fetched a second time. The first bytes may be the models being loaded.
    fn read_again(&mut self, change: &Change) -> Option<u64> {
        let fetched = change.fetched_bytes.or(change.read_again_bytes)?;
        let first_time = fetched.min(self.allowance_bytes);
        self.allowance_bytes -= first_time;
        Some(fetched - first_time)
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes in a window")]
    fn paging_ratio(&mut self, change: &Change, again: Option<u64>) -> Option<(RatioWindow, f64)> {
        let window = &mut self.ratio;
        window.from = window.from.or(Some(change.from));
        window.seconds += change.seconds;
        window.fetched_bytes = window.fetched_bytes.saturating_add(again?);
        window.tokens += change.generated_tokens;
        if window.tokens == 0 || window.seconds < RATIO_WINDOW_S {
            return None;
        }
        let window = std::mem::take(&mut self.ratio);
        let quiet = window.fetched_bytes as f64 / window.seconds < QUIET_BYTES_PER_S;
        let generating_read = window.tokens as f64 * largest(&self.context)?;
        Some((window, if quiet { 0.0 } else { window.fetched_bytes as f64 / generating_read }))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a clock class is small and positive")]
    #[expect(clippy::cast_precision_loss, reason = "a clock class is small")]
    fn clock_drop(&mut self, change: &Change) -> Option<f64> {
        let clock = change.frequency_mhz.filter(|clock| clock.is_finite() && *clock > 0.0)?;
        change.busy_share.filter(|busy| *busy >= LOADED_SHARE)?;
        *self.clocks.entry((clock / CLOCK_CLASS_MHZ) as u64).or_default() += 1;
        let count: u64 = self.clocks.values().sum();
        if count < LEAST_CLOCKS {
            return None;
        }
        let mut before = 0;
        let median = self.clocks.iter().find_map(|(class, clocks)| {
            before += clocks;
            (before * 2 >= count).then_some((*class as f64 + 0.5) * CLOCK_CLASS_MHZ)
        })?;
        Some(1.0 - clock / median)
    }
}

/// Signals that are in the change itself.
#[expect(clippy::cast_precision_loss, reason = "counters of seconds, not of ages")]
fn plain(signal: Signal, change: &Change, again: Option<u64>, uses_gpu: bool) -> Option<f64> {
    let a_second = |count: u64| count as f64 / change.seconds;
    let slowed = |words: &[&str]| {
        let gpus = change.gpus.iter().filter_map(|gpu| gpu.slowed_by.as_ref()).filter(|_| uses_gpu);
        gpus.map(|reasons| f64::from(u8::from(reasons.iter().any(|reason| words.contains(&reason.as_str())))))
            .reduce(f64::max)
    };
    match signal {
        Signal::SwappedIn => change.swapped_in_bytes.map(a_second),
        Signal::MemoryStalled => change.all_stalled_share,
        Signal::StalledByPaging => change.all_stalled_share.filter(|_| again.map(a_second) >= Some(QUIET_BYTES_PER_S)),
        Signal::MemoryLevel => change.level.map(|level| match level {
            PressureLevel::Normal => 0.0,
            PressureLevel::Warning => 1.0,
            PressureLevel::Critical => 2.0,
        }),
        Signal::HeatShare => change.heat_share,
        Signal::HeatEvents => change.heat_events.filter(|_| change.heat_share.is_none()).map(a_second),
        Signal::SpeedLimit => change.speed_limit_percent.map(|percent| 100.0 - percent),
        Signal::GpuHeat => {
            slowed(&["hw_slowdown", "hw_thermal_slowdown", "sw_thermal_slowdown", "hw_power_brake_slowdown"])
        }
        Signal::GpuPowerLimit => slowed(&["sw_power_cap"]),
        Signal::Others => change.others_share,
        Signal::ModelReadAgain | Signal::PagingRatio | Signal::ClockDrop => None,
    }
}

/// The share of the largest model that was read again in a second.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes a second")]
fn share_of_model(context: &JudgeContext, again: Option<u64>, seconds: f64) -> Option<f64> {
    let rate = again? as f64 / seconds;
    Some(if rate < QUIET_BYTES_PER_S { 0.0 } else { rate / largest(context)? })
}

#[expect(clippy::cast_precision_loss, reason = "no model has 2^52 bytes")]
fn largest(context: &JudgeContext) -> Option<f64> {
    context.model_bytes.iter().max().filter(|bytes| **bytes > 0).map(|bytes| *bytes as f64)
}

/// The verdict on a series of samples, all taken while the model was asked.
pub fn judge(samples: &[Sample], context: JudgeContext) -> Vec<Contamination> {
    let mut judge = Judge::new(context);
    let mut latest: Option<&Sample> = None;
    for sample in samples {
        // A clock that stood still or went back leaves nothing to compare with.
        if let Some(change) = latest.and_then(|before| Change::between(before, sample)) {
            judge.push(&change);
        }
        if latest.is_none_or(|before| sample.at > before.at + Duration::from_millis(50) || sample.at < before.at) {
            latest = Some(sample);
        }
    }
    judge.contaminations()
}
