//! Everything read in a session, and the report of it. Time comes from outside, so that a test can make it.

use super::chain::Chain;
use super::idle::IdleBaseline;
use super::track::{MeterFacts, Track};
use puma_core::measure::{Loss, MeterError, MeterReading, Phase, TrackingMode};
use std::time::Duration;

/// What a session is told besides its meters.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// As given to [`chain`](super::chain()); decides what the report calls itself.
    pub mode: Option<TrackingMode>,
    /// What [`measure_idle`](super::measure_idle) found.
    pub idle: Option<IdleBaseline>,
    /// The model is known not to run on a GPU: one whose energy nobody counts does not spoil the total.
    pub gpu_unused: bool,
}

/// The readings of a session.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) options: SessionOptions,
    pub(super) start: Duration,
    pub(super) meters: Vec<MeterFacts>,
    pub(super) tracks: Vec<Track>,
    /// Beginnings of phases.
    pub(super) marks: Vec<(Phase, Duration)>,
    pub(super) missing: Vec<super::Missing>,
    pub(super) inside_package: Vec<String>,
    pub(super) warnings: Vec<String>,
    latest: Duration,
}

impl Ledger {
    pub(super) fn new(chain: &Chain, options: SessionOptions, now: Duration) -> Self {
        Self {
            options,
            start: now,
            meters: chain.meters.iter().map(|meter| MeterFacts::of(meter.as_ref())).collect(),
            tracks: Vec::new(),
            marks: Vec::new(),
            missing: chain.missing.clone(),
            inside_package: chain.inside_package.clone(),
            warnings: Vec::new(),
            latest: now,
        }
    }

    /// Time counts from `now`: the first readings are taken.
    pub(super) fn begin(&mut self, now: Duration) {
        self.start = now;
        self.latest = self.latest.max(now);
    }

    /// Takes what a meter said at `now`.
    pub(super) fn record(
        &mut self,
        meter: usize,
        now: Duration,
        said: Result<Vec<MeterReading>, MeterError>,
        losses: Vec<Loss>,
    ) {
        self.latest = self.latest.max(now);
        match said {
            Ok(readings) => {
                self.meters[meter].error = None;
                for reading in readings {
                    let place = self.place(meter, &reading, now);
                    self.tracks[place].push(now, reading.energy_j);
                }
            }
            Err(error) => {
                self.meters[meter].gone = error.fatal;
                self.meters[meter].error = Some(error.message);
            }
        }
        for loss in losses {
            let of_loss = |track: &&mut Track| {
                track.meter == meter && track.channel == loss.channel && track.device == loss.device
            };
            if let Some(track) = self.tracks.iter_mut().find(of_loss) {
                track.lose(loss);
            }
        }
    }

    fn place(&mut self, meter: usize, reading: &MeterReading, now: Duration) -> usize {
        let of_reading =
            |track: &Track| track.meter == meter && track.channel == reading.channel && track.device == reading.device;
        self.tracks.iter().position(of_reading).unwrap_or_else(|| {
            self.tracks.push(Track::new(meter, reading.channel, reading.device.clone(), now));
            self.tracks.len() - 1
        })
    }

    /// From `now` on time and joules belong to `phase`.
    pub(super) fn mark(&mut self, phase: Phase, now: Duration) {
        if self.marks.last().is_some_and(|(last, _)| *last == phase) {
            return;
        }
        self.marks.push((phase, now));
        for track in &mut self.tracks {
            track.series.pin();
        }
    }

    /// The latest moment anything was read.
    pub(super) fn latest(&self) -> Duration {
        self.latest
    }

    /// The stretches of time of each phase up to `until`, in the order in which the phases first came.
    pub(super) fn stretches(&self, until: Duration) -> Vec<(Phase, Vec<(Duration, Duration)>)> {
        let mut phases: Vec<(Phase, Vec<(Duration, Duration)>)> = Vec::new();
        for (place, (phase, from)) in self.marks.iter().enumerate() {
            let end = self.marks.get(place + 1).map_or(until, |(_, next)| *next).min(until);
            let stretch = ((*from).max(self.start).min(end), end);
            match phases.iter_mut().find(|(known, _)| known == phase) {
                Some((_, stretches)) => stretches.push(stretch),
                None => phases.push((*phase, vec![stretch])),
            }
        }
        phases
    }
}
