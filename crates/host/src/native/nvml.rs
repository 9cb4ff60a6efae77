//! NVIDIA's management library, opened when it is asked and kept open: the answers are an array of `NvmlDevice` and one
//! of `NvmlCounters`.

use crate::machine::gpu::nvidia::{MigDevice, NvmlCounters, NvmlDevice};
use crate::source::{Answer, Unanswered};
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use std::ffi::OsStr;
use std::sync::OnceLock;

/// Where the library lies when the loader does not find it: under WSL and on NixOS.
const PLACES: [&str; 3] =
    ["libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1", "/run/opengl-driver/lib/libnvidia-ml.so.1"];

/// Everything about every GPU.
pub(super) fn devices() -> Answer {
    let nvml = open()?;
    let driver_version = nvml.sys_driver_version().ok();
    json(&each(nvml, |device, index| describe(device, index, driver_version.clone()))?)
}

/// What changes of every GPU.
pub(super) fn counters() -> Answer {
    json(&each(open()?, read_counters)?)
}

/// While the library is open, the driver cannot be unloaded under it.
fn open() -> Result<&'static Nvml, Unanswered> {
    static NVML: OnceLock<Result<Nvml, Unanswered>> = OnceLock::new();
    let opened = NVML.get_or_init(|| {
        let mut reason = Unanswered::Absent;
        for place in PLACES {
            match Nvml::builder().lib_path(OsStr::new(place)).init() {
                Ok(nvml) => return Ok(nvml),
                // A static build cannot open libraries, a machine without the driver has none: nvidia-smi may tell.
                Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound) => {}
                Err(error) => {
                    reason = why(&error);
                    break;
                }
            }
        }
        Err(reason)
    });
    opened.as_ref().map_err(Clone::clone)
}

fn why(error: &NvmlError) -> Unanswered {
    match error {
        NvmlError::NoPermission => Unanswered::Denied,
        NvmlError::Timeout => Unanswered::TimedOut,
        other => Unanswered::Failed(other.to_string()),
    }
}

fn each<T>(nvml: &'static Nvml, read: impl Fn(&Device<'_>, u32) -> T) -> Result<Vec<T>, Unanswered> {
    let count = nvml.device_count().map_err(|error| why(&error))?;
    // One that cannot be opened (lost, or given to another container) does not hide the rest.
    Ok((0..count).filter_map(|index| Some(read(&nvml.device_by_index(index).ok()?, index))).collect())
}

fn json<T: serde::Serialize>(value: &T) -> Answer {
    serde_json::to_string(value).map_err(|error| Unanswered::Failed(error.to_string()))
}

fn describe(device: &Device<'_>, index: u32, driver_version: Option<String>) -> NvmlDevice {
    let capability = device.cuda_compute_capability().ok();
    let mig_mode = device.mig_mode().ok().map(|mode| mode.current != 0);
    NvmlDevice {
        counters: read_counters(device, index),
        name: device.name().ok(),
        driver_version,
        vbios_version: device.vbios_version().ok(),
        compute_capability: capability.map(|version| format!("{}.{}", version.major, version.minor)),
        cores: device.num_cores().ok(),
        memory_bus_width_bits: device.memory_bus_width().ok(),
        max_memory_clock_mhz: device.max_clock_info(Clock::Memory).ok(),
        enforced_power_limit_mw: device.enforced_power_limit().ok(),
        pcie_generation: device.current_pcie_link_gen().ok(),
        pcie_width: device.current_pcie_link_width().ok(),
        // Only GPUs whose memory the system manages as its own have a NUMA node.
        addressing_mode: device.numa_node_id().ok().filter(|node| *node != u32::MAX).map(|_| "ATS".to_owned()),
        mig_mode,
        mig_devices: if mig_mode == Some(true) { parts(device) } else { Vec::new() },
    }
}

fn parts(device: &Device<'_>) -> Vec<MigDevice> {
    let count = device.mig_device_count().unwrap_or(0);
    (0..count)
        .filter_map(|index| device.mig_device_by_index(index).ok())
        .map(|part| {
            let memory = part.memory_info().ok();
            MigDevice {
                name: part.name().ok(),
                memory_total_bytes: memory.as_ref().map(|memory| memory.total),
                memory_free_bytes: memory.as_ref().map(|memory| memory.free),
            }
        })
        .collect()
}

fn read_counters(device: &Device<'_>, index: u32) -> NvmlCounters {
    let memory = device.memory_info().ok();
    NvmlCounters {
        index,
        pci_bus_id: device.pci_info().ok().map(|pci| pci.bus_id),
        memory_total_bytes: memory.as_ref().map(|memory| memory.total),
        memory_free_bytes: memory.as_ref().map(|memory| memory.free),
        memory_used_bytes: memory.as_ref().map(|memory| memory.used),
        power_draw_mw: device.power_usage().ok(),
        energy_mj: device.total_energy_consumption().ok(),
        utilization_percent: device.utilization_rates().ok().map(|rates| rates.gpu),
        temperature_c: device.temperature(TemperatureSensor::Gpu).ok(),
        graphics_clock_mhz: device.clock_info(Clock::Graphics).ok(),
        memory_clock_mhz: device.clock_info(Clock::Memory).ok(),
        throttle_reasons: device.current_throttle_reasons().ok().map(names),
    }
}

fn names(reasons: ThrottleReasons) -> Vec<String> {
    reasons.iter_names().map(|(name, _)| name.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_with_or_without_a_driver_is_asked_twice_with_the_same_outcome() {
        let (first, second) = (devices(), devices());
        assert_eq!(first.is_ok(), second.is_ok());
        match counters() {
            Ok(text) => assert!(serde_json::from_str::<Vec<NvmlCounters>>(&text).is_ok()),
            Err(reason) => assert_eq!(first, Err(reason)),
        }
    }
}
