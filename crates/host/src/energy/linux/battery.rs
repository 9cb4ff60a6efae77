//! What a laptop draws from its battery: the whole machine, screen and all, and only while it is unplugged.

use crate::energy::chain::Missing;
use crate::energy::integral::Integral;
use crate::source::{HostSource, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

const ROOT: &str = "/sys/class/power_supply";
const SOURCE: &str = "battery discharge";
/// Batteries publish a new value every 1 to 30 seconds.
const RESOLUTION: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_GAP: Duration = Duration::from_secs(5);

/// Reads every battery.
pub(in crate::energy) struct Battery {
    host: Arc<dyn HostSource>,
    folders: Vec<String>,
    integral: Integral,
}

impl Battery {
    /// Finds the batteries of a machine that runs on them.
    ///
    /// # Errors
    /// There are none, or the machine is plugged in.
    pub(in crate::energy) fn open(host: &Arc<dyn HostSource>) -> Result<Self, Missing> {
        let missing = || Missing::new(SOURCE, &[Channel::System]);
        let names = host.list(ROOT).map_err(|why| missing().because(format!("{ROOT}: {why}")))?;
        let is_battery = |folder: &String| {
            let says = |file: &str| host.read(&format!("{folder}/{file}")).unwrap_or_default().trim().to_owned();
            // A mouse or a headset has a battery too; its scope is the device.
            says("type") == "Battery" && says("scope") != "Device"
        };
        let folders: Vec<String> = names.iter().map(|name| format!("{ROOT}/{name}")).filter(is_battery).collect();
        if folders.is_empty() {
            return Err(missing().because("the machine has no battery"));
        }
        let device = folders.iter().filter_map(|folder| folder.rsplit('/').next()).collect::<Vec<_>>().join(" + ");
        let integral = Integral::new(Channel::System, device, LONGEST_GAP);
        let battery = Self { host: Arc::clone(host), folders, integral };
        match battery.power_w() {
            Ok(_) => Ok(battery),
            Err(why) => Err(missing().because(why).hint("unplug the machine to have its whole draw measured")),
        }
    }

    /// Watts out of all batteries; of two, often only one is used at a time.
    fn power_w(&self) -> Result<f64, String> {
        let mut sum_w = 0.0;
        for folder in &self.folders {
            let status =
                self.host.read(&format!("{folder}/status")).map_err(|why| format!("{folder}/status: {why}"))?;
            match status.trim() {
                "Discharging" => sum_w += discharge_w(self.host.as_ref(), folder)?,
                "Charging" => return Err("a battery is being charged: the machine is plugged in".to_owned()),
                _ => {}
            }
        }
        if sum_w > 0.0 {
            Ok(sum_w)
        } else {
            Err("no battery is being discharged: the machine is plugged in".to_owned())
        }
    }
}

/// Watts out of one battery: `power_now`, or the product of current and voltage. Some drivers give the sign of the flow.
fn discharge_w(host: &dyn HostSource, folder: &str) -> Result<f64, String> {
    let micro = |file: &str| -> Result<f64, Unanswered> {
        let text = host.read(&format!("{folder}/{file}"))?;
        let value: i64 = text.trim().parse().map_err(|_| Unanswered::Failed("it does not hold a number".to_owned()))?;
        #[expect(clippy::cast_precision_loss, reason = "millionths of a watt, ampere or volt")]
        let value = value.unsigned_abs() as f64;
        Ok(value * 1e-6)
    };
    match micro("power_now") {
        Ok(power_w) if power_w > 0.0 => Ok(power_w),
        _ => match (micro("current_now"), micro("voltage_now")) {
            (Ok(ampere), Ok(volt)) => Ok(ampere * volt),
            (Err(why), _) | (_, Err(why)) => {
                Err(format!("{folder} tells neither power nor current and voltage: {why}"))
            }
        },
    }
}

impl Meter for Battery {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn note(&self) -> Option<String> {
        Some("the whole machine with its screen".to_owned())
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let power_w = self.power_w().map_err(|message| MeterError { message, fatal: false })?;
        let energy_j = self.integral.update(power_w, now);
        Ok(vec![MeterReading { channel: Channel::System, device: self.integral.device().to_owned(), energy_j }])
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.integral.take_losses()
    }
}
