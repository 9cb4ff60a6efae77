//! One counter over a session, and whether it can be believed.

use super::series::Series;
use puma_core::measure::{Channel, Loss, Meter, Quality};
use std::time::Duration;

/// A counter that stands still this long does not work.
const FROZEN: Duration = Duration::from_secs(5);
/// More missing time than this share of the session makes its joules unknown.
pub(super) const MOST_LOST: f64 = 0.05;

/// What a meter says of itself.
#[derive(Clone, Debug)]
pub(super) struct MeterFacts {
    pub(super) source: String,
    pub(super) quality: Quality,
    pub(super) resolution: Duration,
    pub(super) interval: Duration,
    pub(super) note: Option<String>,
    pub(super) may_rest: Vec<Channel>,
    /// What it said last, while it has no reading.
    pub(super) error: Option<String>,
    /// It will not come back.
    pub(super) gone: bool,
}

impl MeterFacts {
    pub(super) fn of(meter: &dyn Meter) -> Self {
        use Channel::{Cpu, Dram, Gpu, Package, System};
        Self {
            source: meter.source().to_owned(),
            quality: meter.quality(),
            resolution: meter.resolution(),
            interval: meter.interval(),
            note: meter.note(),
            may_rest: [Cpu, Gpu, Dram, Package, System]
                .into_iter()
                .filter(|channel| meter.may_rest(*channel))
                .collect(),
            error: None,
            gone: false,
        }
    }
}

/// What became of a counter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Fine,
    /// It stood still and may: the device was off, or cannot be read. Not part of a total.
    Resting,
    /// Its joules are unknown.
    Broken,
}

/// The readings of one counter.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Place of its meter.
    pub(super) meter: usize,
    pub(super) channel: Channel,
    pub(super) device: String,
    pub(super) series: Series,
    moved_at: Duration,
    stood_longest: Duration,
    losses: Vec<(String, Duration, u32)>,
}

impl Track {
    pub(super) fn new(meter: usize, channel: Channel, device: String, now: Duration) -> Self {
        Self {
            meter,
            channel,
            device,
            series: Series::default(),
            moved_at: now,
            stood_longest: Duration::ZERO,
            losses: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, now: Duration, energy_j: f64) {
        match self.series.last() {
            Some((_, before)) if energy_j <= before => {
                self.stood_longest = self.stood_longest.max(now.saturating_sub(self.moved_at));
            }
            _ => self.moved_at = now,
        }
        self.series.push(now, energy_j);
    }

    /// Notes a loss; losses of one kind are told as one.
    pub(super) fn lose(&mut self, loss: Loss) {
        match self.losses.iter_mut().find(|(reason, ..)| *reason == loss.reason) {
            Some((_, duration, times)) => {
                *duration += loss.duration;
                *times += 1;
            }
            None => self.losses.push((loss.reason, loss.duration, 1)),
        }
    }

    /// Joules between two moments.
    pub(super) fn energy_between(&self, from: Duration, until: Duration) -> f64 {
        self.series.energy_at(until) - self.series.energy_at(from)
    }

    /// What can be said of the counter between `from` and `until`, with the reason where it is not plain.
    pub(super) fn judge(&self, meter: &MeterFacts, from: Duration, until: Duration) -> (State, Option<String>) {
        let window = until.saturating_sub(from);
        let seconds = |duration: Duration| format!("{:.1} s", duration.as_secs_f64());
        let (Some((first, start_j)), Some((last, end_j))) = (self.series.first(), self.series.last()) else {
            return (State::Broken, Some("it was never read".to_owned()));
        };
        if end_j <= start_j {
            if window < meter.resolution * 3 {
                let note = format!("too short for a counter that is published every {}", seconds(meter.resolution));
                return (State::Broken, Some(note));
            }
            if meter.may_rest.contains(self.channel()) {
                return (
                    State::Resting,
                    Some("the counter stood still: the device was off, or cannot be read".to_owned()),
                );
            }
            return (State::Broken, Some(format!("the counter stood still for all of {}", seconds(window))));
        }
        let frozen = FROZEN.max(meter.resolution * 5).max(meter.interval * 3);
        if self.stood_longest >= frozen && !meter.may_rest.contains(self.channel()) {
            let note = format!("the counter stood still for {} of {}", seconds(self.stood_longest), seconds(window));
            return (State::Broken, Some(note));
        }
        let (lost, reasons) = self.lost(meter, first.saturating_sub(from), until.saturating_sub(last));
        if lost.is_zero() {
            return (State::Fine, meter.note.clone());
        }
        let note = format!("{} of {} are missing: {reasons}", seconds(lost), seconds(window));
        let share = lost.as_secs_f64() / window.as_secs_f64().max(f64::MIN_POSITIVE);
        let state = if share > MOST_LOST { State::Broken } else { State::Fine };
        (state, Some(meter.note.iter().chain([&note]).cloned().collect::<Vec<_>>().join("; ")))
    }

    fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Time without joules, and why. Readings come at intervals: what is shorter than one and a half is not missing.
    fn lost(&self, meter: &MeterFacts, before: Duration, after: Duration) -> (Duration, String) {
        let patience = meter.interval.mul_f64(1.5);
        let mut lost = Duration::ZERO;
        let mut reasons = Vec::new();
        for (reason, duration, times) in &self.losses {
            lost += *duration;
            reasons.push(if *times == 1 { reason.clone() } else { format!("{reason} ({times} times)") });
        }
        if before > patience {
            lost += before;
            reasons.push("it could not be read at first".to_owned());
        }
        if after > patience || (meter.gone && !after.is_zero()) {
            lost += after;
            let error = meter.error.as_deref().map_or(String::new(), |error| format!(" ({error})"));
            reasons.push(format!("it vanished{error}"));
        }
        (lost, reasons.join(", "))
    }

    /// Share of the time from `from` to `until` that is missing.
    pub(super) fn lost_share(&self, meter: &MeterFacts, from: Duration, until: Duration) -> f64 {
        let (Some((first, _)), Some((last, _))) = (self.series.first(), self.series.last()) else { return 1.0 };
        let (lost, _) = self.lost(meter, first.saturating_sub(from), until.saturating_sub(last));
        lost.as_secs_f64() / until.saturating_sub(from).as_secs_f64().max(f64::MIN_POSITIVE)
    }
}
