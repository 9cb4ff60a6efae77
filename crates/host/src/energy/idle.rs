//! What the machine draws before a run.
//!
//! Three seconds are the default: more than the two below which no counter is trusted, and few enough that nobody turns
//! them off. A battery publishes too seldom for them and then has no baseline.

use super::chain::Chain;
use super::ledger::{Ledger, SessionOptions};
use super::session::{sample, sleep};
use super::track::State;
use puma_core::measure::{Channel, Quality};
use puma_core::{Cancel, Clock};
use std::time::Duration;

/// How long is measured unless the user says otherwise.
pub const IDLE_SECONDS: f64 = 3.0;
/// How often, so that an estimate from utilisation sees peaks.
const STEP: Duration = Duration::from_millis(500);

/// The power of every counter before a run.
#[derive(Clone, Debug, PartialEq)]
pub struct IdleBaseline {
    pub duration: Duration,
    rows: Vec<IdleRow>,
}

/// One counter's power.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IdleRow {
    source: String,
    channel: Channel,
    device: String,
    pub(super) power_w: f64,
    pub(super) quality: Quality,
}

impl IdleBaseline {
    /// What the counter drew; `None` where it could not be told.
    pub(super) fn power(&self, source: &str, channel: Channel, device: &str) -> Option<&IdleRow> {
        self.rows.iter().find(|row| row.source == source && row.channel == channel && row.device == device)
    }
}

/// Measures for `duration` what the machine draws without the run. `None` when it was cancelled or there are no meters.
pub fn measure_idle(chain: &mut Chain, clock: &dyn Clock, duration: Duration, cancel: &Cancel) -> Option<IdleBaseline> {
    if chain.meters.is_empty() || duration.is_zero() {
        return None;
    }
    let start = clock.monotonic();
    let mut ledger = Ledger::new(chain, SessionOptions::default(), start);
    loop {
        for (place, meter) in chain.meters.iter_mut().enumerate() {
            let (now, said, losses) = sample(meter.as_mut(), clock);
            ledger.record(place, now, said, losses);
        }
        let left = (start + duration).saturating_sub(clock.monotonic());
        if left.is_zero() {
            break;
        }
        if !sleep(left.min(STEP), cancel) {
            return None;
        }
    }
    Some(baseline(&ledger))
}

pub(super) fn baseline(ledger: &Ledger) -> IdleBaseline {
    let until = ledger.latest();
    let duration = until.saturating_sub(ledger.start);
    let row = |track: &super::track::Track| {
        let meter = &ledger.meters[track.meter];
        let (state, _) = track.judge(meter, ledger.start, until);
        (state == State::Fine).then(|| IdleRow {
            source: meter.source.clone(),
            channel: track.channel,
            device: track.device.clone(),
            power_w: track.energy_between(ledger.start, until) / duration.as_secs_f64(),
            quality: meter.quality,
        })
    };
    IdleBaseline { duration, rows: ledger.tracks.iter().filter_map(row).collect() }
}
