//! NVIDIA's boards by NVML: the counter of those that have one, the power of the others.

use super::tally::{POWER_INTERVAL, Tally};
use crate::machine::gpu::nvidia::NvmlCounters;
use crate::machine::gpu::text;
use crate::source::{HostSource, NativeQuery, Unanswered};
use puma_core::measure::{Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

pub(super) const COUNTER: &str = "NVML energy counter";
pub(super) const POWER: &str = "NVML power";

/// One board.
pub(super) struct Board {
    pub index: u32,
    pub tally: Tally,
}

/// Boards that are read alike.
pub(super) struct NvmlMeter {
    pub host: Arc<dyn HostSource>,
    pub source: &'static str,
    pub boards: Vec<Board>,
}

impl Meter for NvmlMeter {
    fn source(&self) -> &str {
        self.source
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn resolution(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn interval(&self) -> Duration {
        if self.source == POWER { POWER_INTERVAL } else { Duration::from_secs(1) }
    }

    fn note(&self) -> Option<String> {
        let averaged =
            "power read five times a second and summed; since Ampere boards report the mean of the last second";
        (self.source == POWER).then(|| averaged.to_owned())
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let text = self.host.native(&NativeQuery::NvmlCounters).map_err(|reason| MeterError {
            message: format!("NVML does not answer any more ({reason})."),
            fatal: reason == Unanswered::Absent,
        })?;
        let now_counters: Vec<NvmlCounters> = serde_json::from_str(&text)
            .map_err(|error| MeterError { message: format!("NVML's answer cannot be read: {error}."), fatal: false })?;
        let mut readings = Vec::new();
        for board in &mut self.boards {
            let Some(counters) = now_counters.iter().find(|counters| counters.index == board.index) else { continue };
            readings.extend(board.tally.update(energy_mj(counters), watts(counters), now));
        }
        if readings.is_empty() {
            return Err(MeterError { message: "NVML tells no energy of any GPU any more.".to_owned(), fatal: false });
        }
        Ok(readings)
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.boards.iter_mut().flat_map(|board| board.tally.take_losses()).collect()
    }
}

/// The counter of a board that counts.
pub(super) fn energy_mj(counters: &NvmlCounters) -> Option<u64> {
    counters.energy_mj.filter(|energy| *energy > 0)
}

/// The power of a board that tells it.
pub(super) fn watts(counters: &NvmlCounters) -> Option<f64> {
    counters.power_draw_mw.and_then(|milliwatts| text::power(f64::from(milliwatts) / 1000.0))
}
