//! Which meters the GPUs of a machine offer.

use super::nvml::{self, Board, NvmlMeter};
use super::smi::{self, SmiMeter};
use super::tally::Tally;
use super::{cards, jetson};
use crate::energy::{Chain, Missing};
use crate::machine::gpu::nvidia::{self, NvmlDevice};
use crate::machine::gpu::text;
use crate::machine::{Gpu, GpuVendor, Machine};
use crate::source::{HostSource, NativeQuery};
use puma_core::measure::Channel;
use std::sync::Arc;

/// The meters of every GPU, and why those of others are missing. `package_counted`: another meter counts the
/// processor's package, and with it what an integrated GPU draws.
pub(in crate::energy) fn gpu_chain(host: &Arc<dyn HostSource>, machine: &Machine, package_counted: bool) -> Chain {
    let mut chain = Chain::default();
    let is_module = |gpu: &Gpu| gpu.vendor == GpuVendor::Nvidia && gpu.integrated && gpu.pci_address.is_none();
    if machine.gpus.iter().any(is_module) {
        jetson::add(host, &mut chain);
    } else if machine.gpus.iter().any(|gpu| gpu.vendor == GpuVendor::Nvidia) && !by_nvml(host, machine, &mut chain) {
        by_smi(host, machine, &mut chain);
    }
    cards::add(host, machine, package_counted, &mut chain);
    chain
}

/// `GPU 1 NVIDIA H200`, by the place in [`Machine::gpus`].
pub(super) fn label(machine: &Machine, pci_address: Option<&str>, name: &str) -> String {
    let place = machine.gpus.iter().position(|gpu| pci_address.is_some() && gpu.pci_address.as_deref() == pci_address);
    place.map_or_else(|| name.to_owned(), |place| format!("GPU {place} {name}"))
}

fn device_label(machine: &Machine, device: &NvmlDevice) -> String {
    let address = device.counters.pci_bus_id.as_deref().and_then(text::pci_address);
    let name = device.name.as_deref().and_then(text::name).unwrap_or_else(|| "NVIDIA GPU".to_owned());
    label(machine, address.as_deref(), &name)
}

/// Whether NVML knows the boards, with or without their energy.
fn by_nvml(host: &Arc<dyn HostSource>, machine: &Machine, chain: &mut Chain) -> bool {
    let answer = host.native(&NativeQuery::NvmlDevices).ok();
    let devices = answer.and_then(|text| serde_json::from_str::<Vec<NvmlDevice>>(&text).ok()).unwrap_or_default();
    let (mut counted, mut summed) = (Vec::new(), Vec::new());
    for device in &devices {
        let (index, label) = (device.counters.index, device_label(machine, device));
        if nvml::energy_mj(&device.counters).is_some() {
            counted.push(Board { index, tally: Tally::counter(Channel::Gpu, label, 1e-3) });
        } else if nvml::watts(&device.counters).is_some() {
            summed.push(Board { index, tally: Tally::power(Channel::Gpu, label) });
        } else {
            chain.missing.push(untold(nvml::COUNTER, "NVML tells neither energy nor power of", label));
        }
    }
    for (source, boards) in [(nvml::COUNTER, counted), (nvml::POWER, summed)] {
        if !boards.is_empty() {
            chain.meters.push(Box::new(NvmlMeter { host: Arc::clone(host), source, boards }));
        }
    }
    !devices.is_empty()
}

fn by_smi(host: &Arc<dyn HostSource>, machine: &Machine, chain: &mut Chain) {
    let devices = nvidia::smi_devices(host.as_ref());
    let mut boards = Vec::new();
    for device in &devices {
        let label = device_label(machine, device);
        if nvml::watts(&device.counters).is_some() {
            let tally = Tally::power_with_gaps(Channel::Gpu, label, smi::LONGEST_GAP);
            boards.push((device.counters.index, tally));
        } else {
            chain.missing.push(untold(smi::SOURCE, "nvidia-smi tells no power of", label));
        }
    }
    if !boards.is_empty() {
        chain.meters.push(Box::new(SmiMeter { host: Arc::clone(host), boards }));
    }
}

fn untold(source: &str, reason: &str, device: String) -> Missing {
    Missing::new(source, &[Channel::Gpu]).because(format!("{reason} {device}")).uncounted(device)
}
