//! What GPUs are doing now, for whoever watches a run. One call costs a few milliseconds at most.

use super::drm::{self, Card};
use super::nvidia::NvmlCounters;
use super::{amd, hwmon, text};
use crate::source::{HostSource, NativeQuery};
use serde::Serialize;

/// One GPU at one moment. `None` where the driver does not tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GpuCounters {
    /// As in [`Gpu::pci_address`](crate::machine::Gpu::pci_address).
    pub pci_address: Option<String>,
    pub memory_used_bytes: Option<u64>,
    pub memory_total_bytes: Option<u64>,
    /// Share of the time in which anything ran on it.
    pub utilization_percent: Option<f64>,
    /// Of an integrated AMD GPU: of the whole chip, processor included.
    pub power_w: Option<f64>,
    pub temperature_c: Option<f64>,
    pub clock_mhz: Option<f64>,
    /// Why its clocks are held down, in the driver's words; empty when they are not.
    pub slowed_by: Option<Vec<String>>,
}

impl GpuCounters {
    /// Whether heat or power holds the GPU back, not merely idleness or a setting of the user's.
    pub fn is_throttled(&self) -> Option<bool> {
        let harmless = ["gpu_idle", "applications_clocks_setting", "display_clock_setting"];
        self.slowed_by.as_ref().map(|reasons| reasons.iter().any(|reason| !harmless.contains(&reason.as_str())))
    }
}

/// Every GPU that tells anything, in the order of [`Machine::gpus`](crate::Machine::gpus).
pub fn gpu_counters(host: &dyn HostSource) -> Vec<GpuCounters> {
    let nvidia = host.native(&NativeQuery::NvmlCounters).ok();
    let nvidia = nvidia.and_then(|text| serde_json::from_str::<Vec<NvmlCounters>>(&text).ok()).unwrap_or_default();
    let mut counters: Vec<GpuCounters> = nvidia.iter().map(of_nvidia).collect();
    counters.extend(drm::cards(host).iter().filter(|card| card.vendor == drm::AMD).map(|card| of_amd(host, card)));
    counters.sort_by(|one, other| {
        (one.pci_address.is_none(), &one.pci_address).cmp(&(other.pci_address.is_none(), &other.pci_address))
    });
    counters
}

fn of_nvidia(device: &NvmlCounters) -> GpuCounters {
    GpuCounters {
        pci_address: device.pci_bus_id.as_deref().and_then(text::pci_address),
        memory_used_bytes: device.memory_used_bytes,
        memory_total_bytes: device.memory_total_bytes.and_then(text::memory),
        utilization_percent: device.utilization_percent.filter(|percent| *percent <= 100).map(f64::from),
        power_w: device.power_draw_mw.and_then(|milliwatts| text::power(f64::from(milliwatts) / 1000.0)),
        temperature_c: device.temperature_c.map(f64::from),
        clock_mhz: device.graphics_clock_mhz.map(f64::from),
        slowed_by: device.throttle_reasons.clone(),
    }
}

fn of_amd(host: &dyn HostSource, card: &Card) -> GpuCounters {
    let sensors = amd::sensors(host, card);
    let sensor = |file: &str| {
        let folder = sensors.as_ref()?;
        text::number(&host.read(&format!("{folder}/{file}")).ok()?)
    };
    let power = |file: &str| hwmon::watts(host, sensors.as_ref()?, file);
    let percent = card.read(host, "gpu_busy_percent").and_then(|text| text::number(&text));
    GpuCounters {
        pci_address: card.pci_address.clone(),
        memory_used_bytes: card.read(host, "mem_info_vram_used").and_then(|text| text.trim().parse().ok()),
        memory_total_bytes: card.memory(host, "mem_info_vram_total"),
        utilization_percent: percent.filter(|percent| (0.0..=100.0).contains(percent)),
        power_w: power("power1_average").or_else(|| power("power1_input")),
        temperature_c: sensor("temp1_input").map(|millidegrees| millidegrees / 1000.0),
        clock_mhz: sensor("freq1_input").map(|hertz| hertz / 1e6),
        slowed_by: None,
    }
}
