//! Devices whose energy or power stands in files of sysfs.

use super::tally::{POWER_INTERVAL, Tally};
use crate::machine::gpu::text;
use crate::source::HostSource;
use puma_core::measure::{Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

/// Where a device's number stands.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A counter in microjoules.
    Microjoules(String),
    /// A power in microwatts: the first of these files that answers.
    Microwatts(Vec<String>),
    /// A power in milliwatts.
    Milliwatts(String),
    /// A voltage in millivolts and a current in milliamperes.
    VoltageAndCurrent(String, String),
}

impl Place {
    /// The counter's value.
    pub(super) fn steps(&self, host: &dyn HostSource) -> Option<u64> {
        let Self::Microjoules(path) = self else { return None };
        text::positive(&host.read(path).ok()?)
    }

    /// The power in watts; a power of exactly zero is no reading.
    pub(super) fn watts(&self, host: &dyn HostSource) -> Option<f64> {
        let number = |path: &str| text::number(&host.read(path).ok()?);
        let watts = match self {
            Self::Microjoules(_) => None,
            Self::Microwatts(paths) => paths.iter().find_map(|path| text::power(number(path)? / 1e6)),
            Self::Milliwatts(path) => number(path).map(|milliwatts| milliwatts / 1e3),
            Self::VoltageAndCurrent(voltage, current) => {
                number(voltage).zip(number(current)).map(|(millivolts, milliamperes)| millivolts * milliamperes / 1e6)
            }
        };
        watts.and_then(text::power)
    }
}

/// Devices of one driver.
pub(super) struct SensorMeter {
    pub host: Arc<dyn HostSource>,
    pub source: String,
    pub quality: Quality,
    pub note: Option<String>,
    pub gauges: Vec<(Place, Tally)>,
}

impl Meter for SensorMeter {
    fn source(&self) -> &str {
        &self.source
    }

    fn quality(&self) -> Quality {
        self.quality
    }

    fn resolution(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn interval(&self) -> Duration {
        let counts = self.gauges.iter().all(|(_, tally)| tally.is_counter());
        if counts { Duration::from_secs(1) } else { POWER_INTERVAL }
    }

    fn note(&self) -> Option<String> {
        self.note.clone()
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let host = self.host.as_ref();
        let readings: Vec<MeterReading> = self
            .gauges
            .iter_mut()
            .filter_map(|(place, tally)| tally.update(place.steps(host), place.watts(host), now))
            .collect();
        if readings.is_empty() {
            return Err(MeterError { message: format!("{} cannot be read now.", self.source), fatal: false });
        }
        Ok(readings)
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.gauges.iter_mut().flat_map(|(_, tally)| tally.take_losses()).collect()
    }
}
