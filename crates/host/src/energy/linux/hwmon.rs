//! Drivers that show a processor's or a whole machine's energy or power as a sensor.
//!
//! A table of drivers, not every `power1_input`: most of those belong to a GPU, a disk or a part that another counter
//! includes.

use crate::energy::chain::Missing;
use crate::energy::counter::{Counter, CounterLimits};
use crate::energy::integral::Integral;
use crate::source::{HostSource, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

const ROOT: &str = "/sys/class/hwmon";
const SOURCE: &str = "hwmon";
const IMPLAUSIBLE_SOCKET_W: f64 = 1500.0;
/// A power that was not read for longer is unknown in between.
const LONGEST_GAP: Duration = Duration::from_secs(3);

/// What a driver shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    /// `energyN_input`, a counter in microjoules.
    Microjoules,
    /// `powerN_input` or `powerN_average`, in microwatts.
    Microwatts,
}

/// A driver whose sensors are known to cover a channel.
struct Driver {
    name: &'static str,
    /// Beginning of the sensor's label; empty takes a sensor without one.
    label: &'static str,
    channel: Channel,
    unit: Unit,
    quality: Quality,
}

const DRIVERS: [Driver; 6] = [
    // Out-of-tree driver for EPYC; the cores' own counters are left out, they are inside.
    driver("amd_energy", "Esocket", Channel::Package, Unit::Microjoules, Quality::VendorModel),
    driver("fam17h_power", "", Channel::Package, Unit::Microwatts, Quality::VendorModel),
    driver("fam15h_power", "", Channel::Package, Unit::Microwatts, Quality::VendorModel),
    // ARM servers with a power sensor of the socket.
    driver("xgene", "SoC power", Channel::Package, Unit::Microwatts, Quality::Measured),
    // The mainboard's own meter (ACPI 4), in many servers.
    driver("power_meter", "", Channel::System, Unit::Microwatts, Quality::Measured),
    driver("corsairpsu", "power total", Channel::System, Unit::Microwatts, Quality::Measured),
];

const fn driver(name: &'static str, label: &'static str, channel: Channel, unit: Unit, quality: Quality) -> Driver {
    Driver { name, label, channel, unit, quality }
}

enum Sum {
    Counter(Counter),
    Integral(Integral),
}

struct Sensor {
    path: String,
    sum: Sum,
}

/// Reads the sensors of one driver.
pub(in crate::energy) struct Hwmon {
    host: Arc<dyn HostSource>,
    source: String,
    quality: Quality,
    unit: Unit,
    sensors: Vec<Sensor>,
}

impl Hwmon {
    /// The sensors of each known driver that cover `channel`.
    ///
    /// # Errors
    /// There are none.
    pub(in crate::energy) fn open(host: &Arc<dyn HostSource>, channel: Channel) -> Result<Self, Missing> {
        let missing = || Missing::new(SOURCE, &[channel]);
        let folders = host.list(ROOT).map_err(|why| missing().because(format!("{ROOT}: {why}")))?;
        let mut named: Vec<(String, String)> = Vec::new();
        for folder in folders {
            let path = format!("{ROOT}/{folder}");
            if let Ok(name) = host.read(&format!("{path}/name")) {
                named.push((path, name.trim().to_owned()));
            }
        }
        for driver in DRIVERS.iter().filter(|driver| driver.channel == channel) {
            let of_driver = named.iter().filter(|(_, name)| name == driver.name);
            let sensors: Vec<Sensor> = of_driver.flat_map(|(path, _)| sensors(host.as_ref(), path, driver)).collect();
            if !sensors.is_empty() {
                let (source, quality, unit) = (format!("{SOURCE} {}", driver.name), driver.quality, driver.unit);
                return Ok(Self { host: Arc::clone(host), source, quality, unit, sensors });
            }
        }
        Err(missing().because(format!("no driver under {ROOT} is known to measure the {}", channel.as_str())))
    }
}

/// The sensors of a driver's folder that answer with a number above zero.
fn sensors(host: &dyn HostSource, path: &str, driver: &Driver) -> Vec<Sensor> {
    let names = host.list(path).unwrap_or_default();
    let mut found: Vec<Sensor> = Vec::new();
    for name in names {
        let Some(stem) = sensor_of(&name, driver.unit) else { continue };
        let label = host.read(&format!("{path}/{stem}_label")).unwrap_or_default();
        let fits =
            if driver.label.is_empty() { label.trim().is_empty() } else { label.trim().starts_with(driver.label) };
        let file = format!("{path}/{name}");
        // One power may be shown both as it is and averaged.
        let again = found.iter().any(|sensor| sensor.path.starts_with(&format!("{path}/{stem}_")));
        if fits && !again && number(host, &file).is_ok_and(|value| value > 0) {
            let device = format!("{} {}", driver.name, if label.trim().is_empty() { stem } else { label.trim() });
            found.push(Sensor { path: file, sum: sum(driver, device) });
        }
    }
    found
}

/// `power1` of `power1_average`; `None` for files that are no reading.
fn sensor_of(name: &str, unit: Unit) -> Option<&str> {
    let (stem, kind) = name.split_once('_')?;
    let (prefix, kinds): (&str, &[&str]) = match unit {
        Unit::Microjoules => ("energy", &["input"]),
        Unit::Microwatts => ("power", &["average", "input"]),
    };
    let numbered = stem.strip_prefix(prefix)?;
    (kinds.contains(&kind) && numbered.parse::<u32>().is_ok()).then_some(stem)
}

fn sum(driver: &Driver, device: String) -> Sum {
    match driver.unit {
        Unit::Microwatts => Sum::Integral(Integral::new(driver.channel, device, LONGEST_GAP)),
        Unit::Microjoules => {
            let limits =
                CounterLimits { joules_per_step: 1e-6, range_steps: None, implausible_power_w: IMPLAUSIBLE_SOCKET_W };
            Sum::Counter(Counter::new(driver.channel, device, limits))
        }
    }
}

fn number(host: &dyn HostSource, path: &str) -> Result<u64, Unanswered> {
    host.read(path)?.trim().parse().map_err(|_| Unanswered::Failed("it does not hold a number".to_owned()))
}

impl Meter for Hwmon {
    fn source(&self) -> &str {
        &self.source
    }

    fn quality(&self) -> Quality {
        self.quality
    }

    fn resolution(&self) -> Duration {
        match self.unit {
            Unit::Microjoules => Duration::from_millis(100),
            Unit::Microwatts => Duration::from_millis(200),
        }
    }

    fn interval(&self) -> Duration {
        match self.unit {
            Unit::Microjoules => Duration::from_secs(1),
            Unit::Microwatts => Duration::from_millis(200),
        }
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let mut readings = Vec::new();
        let mut failure = "there is no sensor".to_owned();
        for sensor in &mut self.sensors {
            let value = match number(self.host.as_ref(), &sensor.path) {
                // A power of exactly zero is a sensor that sleeps.
                Ok(0) if self.unit == Unit::Microwatts => Err("it reads zero".to_owned()),
                Ok(value) => Ok(value),
                Err(why) => Err(why.to_string()),
            };
            match value {
                Ok(value) => readings.push(sensor.sum.update(value, now)),
                Err(why) => failure = format!("{}: {why}", sensor.path),
            }
        }
        if readings.is_empty() { Err(MeterError { message: failure, fatal: false }) } else { Ok(readings) }
    }

    fn losses(&mut self) -> Vec<Loss> {
        let lost = |sensor: &mut Sensor| match &mut sensor.sum {
            Sum::Counter(counter) => counter.take_losses(),
            Sum::Integral(integral) => integral.take_losses(),
        };
        self.sensors.iter_mut().flat_map(lost).collect()
    }
}

impl Sum {
    fn update(&mut self, value: u64, now: Duration) -> MeterReading {
        match self {
            Self::Counter(counter) => {
                let energy_j = counter.update(value, now);
                MeterReading { channel: counter.channel(), device: counter.device().to_owned(), energy_j }
            }
            Self::Integral(integral) => {
                #[expect(clippy::cast_precision_loss, reason = "microwatts")]
                let energy_j = integral.update(value as f64 * 1e-6, now);
                MeterReading { channel: integral.channel(), device: integral.device().to_owned(), energy_j }
            }
        }
    }
}
