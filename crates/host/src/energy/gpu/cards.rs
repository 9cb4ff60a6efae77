//! The sensors of AMD's and Intel's cards.

use super::gather::label;
use super::sensors::{Place, SensorMeter};
use super::tally::Tally;
use crate::energy::{Chain, Missing};
use crate::machine::gpu::{amd, drm, intel};
use crate::machine::{Gpu, GpuVendor, Machine};
use crate::source::HostSource;
use puma_core::measure::{Channel, Quality};
use std::sync::Arc;

/// What the kernel's documentation says of an integrated AMD GPU.
const WHOLE_CHIP: &str = "an integrated AMD GPU tells the power of the whole chip, processor included";

/// Adds a meter for each driver and kind of reading. `package_counted`: another meter counts the processor's package.
pub(super) fn add(host: &Arc<dyn HostSource>, machine: &Machine, package_counted: bool, chain: &mut Chain) {
    let mut gauges = Gauges::default();
    for card in drm::cards(host.as_ref()) {
        let gpu = machine.gpus.iter().find(|gpu| gpu.pci_address.is_some() && gpu.pci_address == card.pci_address);
        let Some(gpu) = gpu else { continue };
        let device = label(machine, gpu.pci_address.as_deref(), &gpu.name);
        match gpu.vendor {
            // What it draws is in the package's joules.
            GpuVendor::Amd if gpu.integrated && package_counted => {}
            GpuVendor::Amd => {
                let place = amd::sensors(host.as_ref(), &card).and_then(|folder| of_amd(host.as_ref(), &folder));
                gauges.sort_in(place, gpu, device, chain);
            }
            GpuVendor::Intel if !gpu.integrated => {
                let place = intel::sensors(host.as_ref(), &card).and_then(|folder| {
                    let file = intel::energy_file(host.as_ref(), &folder)?;
                    Some(Place::Microjoules(format!("{folder}/{file}")))
                });
                gauges.sort_in(place, gpu, device, chain);
            }
            _ => {}
        }
    }
    gauges.into_meters(host, chain);
}

fn of_amd(host: &dyn HostSource, folder: &str) -> Option<Place> {
    let energy = Place::Microjoules(format!("{folder}/energy1_input"));
    if energy.steps(host).is_some() {
        return Some(energy);
    }
    let power = Place::Microwatts(vec![format!("{folder}/power1_average"), format!("{folder}/power1_input")]);
    power.watts(host).map(|_| power)
}

/// Cards by what they tell.
#[derive(Default)]
struct Gauges {
    amd_counters: Vec<(Place, Tally)>,
    amd_power: Vec<(Place, Tally)>,
    amd_chips: Vec<(Place, Tally)>,
    intel_counters: Vec<(Place, Tally)>,
}

impl Gauges {
    fn sort_in(&mut self, place: Option<Place>, gpu: &Gpu, device: String, chain: &mut Chain) {
        let whole_chip = gpu.vendor == GpuVendor::Amd && gpu.integrated;
        let channel = if whole_chip { Channel::Package } else { Channel::Gpu };
        match place {
            Some(place @ Place::Microjoules(_)) => {
                let tally = Tally::counter(channel, device, 1e-6);
                let group =
                    if gpu.vendor == GpuVendor::Amd { &mut self.amd_counters } else { &mut self.intel_counters };
                group.push((place, tally));
            }
            Some(place) => {
                let group = if whole_chip { &mut self.amd_chips } else { &mut self.amd_power };
                group.push((place, Tally::power(channel, device)));
            }
            None => {
                let source = if gpu.vendor == GpuVendor::Amd { "amdgpu sensors" } else { "hwmon energy counter" };
                let missing = Missing::new(source, &[channel])
                    .because(format!("the driver publishes neither energy nor power of {device}"));
                chain.missing.push(if whole_chip { missing } else { missing.uncounted(device) });
            }
        }
    }

    fn into_meters(self, host: &Arc<dyn HostSource>, chain: &mut Chain) {
        let summed = "power read five times a second and summed";
        for (source, note, gauges) in [
            ("amdgpu energy counter", None, self.amd_counters),
            ("amdgpu power", Some(summed.to_owned()), self.amd_power),
            ("amdgpu power of the chip", Some(format!("{summed}; {WHOLE_CHIP}")), self.amd_chips),
            ("hwmon energy counter", None, self.intel_counters),
        ] {
            if !gauges.is_empty() {
                chain.meters.push(Box::new(SensorMeter {
                    host: Arc::clone(host),
                    source: source.to_owned(),
                    quality: Quality::VendorModel,
                    note,
                    gauges,
                }));
            }
        }
    }
}
