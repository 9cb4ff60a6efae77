//! The counted joules of a session over time.

use super::ledger::Ledger;
use puma_core::Timestamp;
use std::time::Duration;

/// What was spent in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerInterval {
    pub from: Timestamp,
    pub until: Timestamp,
    pub energy_j: f64,
}

/// The stretches between readings of the counted channels; empty where the total is unknown.
pub(super) fn intervals(ledger: &Ledger, started_at: Timestamp) -> Vec<PowerInterval> {
    let until = ledger.latest();
    let report = ledger.report(until);
    if report.total_j.is_none() {
        return Vec::new();
    }
    let is_counted = |track: &super::track::Track| {
        let source = &ledger.meters[track.meter].source;
        let counts = |row: &puma_core::measure::ChannelEnergy| {
            row.counted && row.channel == track.channel && row.device == track.device && row.source == *source
        };
        report.channels.iter().any(counts)
    };
    let tracks: Vec<_> = ledger.tracks.iter().filter(|track| is_counted(track)).collect();
    // The times of the most often read counter are fine enough for all.
    let finest = tracks.iter().max_by_key(|track| track.series.times().count());
    let mut times: Vec<Duration> = finest.map(|track| track.series.times().collect()).unwrap_or_default();
    times.insert(0, ledger.start);
    times.push(until);
    times.dedup();
    let moment = |at: Duration| {
        let offset = at.saturating_sub(ledger.start).as_millis();
        Timestamp(started_at.0.saturating_add(i64::try_from(offset).unwrap_or(i64::MAX)))
    };
    times
        .windows(2)
        .map(|pair| PowerInterval {
            from: moment(pair[0]),
            until: moment(pair[1]),
            energy_j: tracks.iter().map(|track| track.energy_between(pair[0], pair[1])).sum(),
        })
        .collect()
}
