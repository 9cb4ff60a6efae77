//! What the whole Mac draws, by its system management controller.

use super::super::chain::Missing;
use super::super::integral::Integral;
use crate::source::{HostSource, NativeQuery, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: &str = "system management controller";
const INTERVAL: Duration = Duration::from_millis(500);
const LONGEST_GAP: Duration = Duration::from_secs(5);
/// A Mac that is on draws something, and none draws more than its power supply gives.
const PLAUSIBLE_W: std::ops::Range<f64> = 0.01..2000.0;

/// Integrates the controller's watts.
pub(super) struct SystemPower {
    host: Arc<dyn HostSource>,
    integral: Integral,
}

impl SystemPower {
    /// # Errors
    /// The controller does not say.
    pub(super) fn open(host: &Arc<dyn HostSource>) -> Result<Self, Missing> {
        let missing = |reason: String| Missing::new(SOURCE, &[Channel::System]).because(reason);
        watts(host.as_ref()).map_err(missing)?;
        Ok(Self { host: Arc::clone(host), integral: Integral::new(Channel::System, "Mac", LONGEST_GAP) })
    }
}

fn watts(host: &dyn HostSource) -> Result<f64, String> {
    match host.native(&NativeQuery::SmcSystemPower) {
        Ok(text) => {
            let watts = text.trim().parse().ok().filter(|watts| PLAUSIBLE_W.contains(watts));
            watts.ok_or_else(|| format!("the controller says {:?} watts", text.trim()))
        }
        Err(Unanswered::Absent) => Err("this Mac has no controller that tells its power".to_owned()),
        Err(why) => Err(format!("the controller could not be asked: {why}")),
    }
}

impl Meter for SystemPower {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn note(&self) -> Option<String> {
        Some("the whole Mac, with screen, disk and fans".to_owned())
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let watts = watts(self.host.as_ref()).map_err(|message| MeterError { message, fatal: false })?;
        let energy_j = self.integral.update(watts, now);
        let device = self.integral.device().to_owned();
        Ok(vec![MeterReading { channel: self.integral.channel(), device, energy_j }])
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.integral.take_losses()
    }
}
