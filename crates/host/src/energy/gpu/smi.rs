//! NVIDIA's boards by `nvidia-smi`, where NVML cannot be opened: a static build, or a broken library path.

use super::tally::Tally;
use crate::machine::gpu::nvidia;
use crate::source::HostSource;
use puma_core::measure::{Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

pub(super) const SOURCE: &str = "nvidia-smi power";
/// Starting it costs tens of milliseconds of a core each time.
const INTERVAL: Duration = Duration::from_secs(2);
pub(super) const LONGEST_GAP: Duration = Duration::from_secs(10);

/// Boards by their index.
pub(super) struct SmiMeter {
    pub host: Arc<dyn HostSource>,
    pub boards: Vec<(u32, Tally)>,
}

impl Meter for SmiMeter {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn resolution(&self) -> Duration {
        INTERVAL
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn note(&self) -> Option<String> {
        Some("power read every two seconds and summed: what lies between two readings is not seen".to_owned())
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let powers = nvidia::smi_power(self.host.as_ref()).map_err(|message| MeterError { message, fatal: false })?;
        let mut readings = Vec::new();
        for (index, tally) in &mut self.boards {
            let watts = powers.iter().find(|(board, _)| board == index).and_then(|(_, watts)| *watts);
            readings.extend(tally.update(None, watts, now));
        }
        if readings.is_empty() {
            return Err(MeterError { message: "nvidia-smi tells no power any more.".to_owned(), fatal: false });
        }
        Ok(readings)
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.boards.iter_mut().flat_map(|(_, tally)| tally.take_losses()).collect()
    }
}
