//! The rails of a Jetson module, as its INA3221 monitors measure them.

use super::sensors::{Place, SensorMeter};
use super::tally::Tally;
use crate::energy::{Chain, Missing};
use crate::source::HostSource;
use puma_core::measure::{Channel, Quality};
use std::sync::Arc;

const SOURCE: &str = "INA3221 rails";
/// The driver of the mainline kernel, and that of L4T up to 32.
const DRIVERS: [&str; 2] = ["/sys/bus/i2c/drivers/ina3221", "/sys/bus/i2c/drivers/ina3221x"];

/// Adds the meter of the rails whose meaning is known.
pub(super) fn add(host: &Arc<dyn HostSource>, chain: &mut Chain) {
    let rails = rails(host.as_ref());
    let mut gauges = Vec::new();
    let mut left_out = Vec::new();
    for (label, place) in rails {
        match channel(&label) {
            Some(channel) if place.watts(host.as_ref()).is_some() => {
                gauges.push((place, Tally::power(channel, label)));
            }
            _ => left_out.push(label),
        }
    }
    if gauges.is_empty() {
        chain.missing.push(
            Missing::new(SOURCE, &[Channel::Gpu, Channel::Cpu, Channel::System])
                .because("no power monitor of the module can be read")
                .hint("the ina3221 driver must be loaded; in a container, /sys of the host must be seen")
                .uncounted("Jetson module"),
        );
        return;
    }
    let note = (!left_out.is_empty()).then(|| format!("rails that are not counted: {}", left_out.join(", ")));
    chain.meters.push(Box::new(SensorMeter {
        host: Arc::clone(host),
        source: SOURCE.to_owned(),
        quality: Quality::Measured,
        note,
        gauges,
    }));
}

/// What a rail feeds, by the names of NVIDIA's boards. A rail that feeds other things stays out.
fn channel(label: &str) -> Option<Channel> {
    match label {
        "VDD_GPU_SOC" | "VDD_GPU" | "GPU" => Some(Channel::Gpu),
        "VDD_CPU_CV" | "VDD_CPU" | "CPU" => Some(Channel::Cpu),
        "VDD_CPU_GPU_CV" => Some(Channel::Package),
        "VDDRQ" => Some(Channel::Dram),
        "VDD_IN" | "POM_5V_IN" | "VIN" => Some(Channel::System),
        _ => None,
    }
}

/// Every rail with its label, in the order of the chips and their inputs.
fn rails(host: &dyn HostSource) -> Vec<(String, Place)> {
    let mut rails = Vec::new();
    for driver in DRIVERS {
        let Ok(chips) = host.list(driver) else { continue };
        for chip in chips.iter().filter(|name| name.contains('-')) {
            let folder = format!("{driver}/{chip}");
            for sensor in host.list(&format!("{folder}/hwmon")).unwrap_or_default() {
                rails.extend(mainline(host, &format!("{folder}/hwmon/{sensor}")));
            }
            rails.extend(of_l4t(host, &format!("{folder}/iio:device0")));
        }
    }
    rails
}

fn mainline(host: &dyn HostSource, folder: &str) -> Vec<(String, Place)> {
    (1..=3)
        .filter_map(|input| {
            let label = host.read(&format!("{folder}/in{input}_label")).ok()?.trim().to_owned();
            let place =
                Place::VoltageAndCurrent(format!("{folder}/in{input}_input"), format!("{folder}/curr{input}_input"));
            Some((label, place))
        })
        .collect()
}

fn of_l4t(host: &dyn HostSource, folder: &str) -> Vec<(String, Place)> {
    (0..=2)
        .filter_map(|input| {
            let label = host.read(&format!("{folder}/rail_name_{input}")).ok()?.trim().to_owned();
            Some((label, Place::Milliwatts(format!("{folder}/in_power{input}_input"))))
        })
        .collect()
}
