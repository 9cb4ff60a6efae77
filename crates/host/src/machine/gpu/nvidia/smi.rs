//! `nvidia-smi`, where NVML itself cannot be opened.
//!
//! Its text is no interface: fields come and go, and errors are printed like answers, sometimes with success as exit
//! status. A line counts only if it has every field and a PCI address in the right place.

use super::answer::{NvmlCounters, NvmlDevice};
use crate::machine::gpu::text;
use crate::source::{HostSource, Unanswered};
use std::time::Duration;

/// Asked first. Older drivers do not know all of them and then answer nothing at all.
const FIELDS: &str = "index,pci.bus_id,name,driver_version,memory.total,memory.free,memory.used,power.draw,\
    power.limit,utilization.gpu,temperature.gpu,clocks.max.memory,enforced.power.limit,vbios_version,compute_cap,\
    mig.mode.current,addressing_mode";
/// The part of [`FIELDS`] that every driver in use knows.
const OLD_FIELDS: &str = "index,pci.bus_id,name,driver_version,memory.total,memory.free,memory.used,power.draw,\
    power.limit,utilization.gpu,temperature.gpu";
const POWER_FIELDS: &str = "index,pci.bus_id,power.draw";
const FORMAT: &str = "--format=csv,noheader,nounits";
/// Without its persistence service the driver starts anew at each call, which takes seconds.
const LIMIT: Duration = Duration::from_secs(10);
/// While it is asked for power again and again it runs warm, and other meters wait for it.
const POWER_LIMIT: Duration = Duration::from_secs(2);

/// The GPUs it lists, and what it says instead or besides.
pub(super) fn devices(host: &dyn HostSource) -> (Vec<NvmlDevice>, Option<String>) {
    let mut fields = FIELDS;
    let mut answer = query(host, fields, LIMIT);
    let unknown_field = match &answer {
        Ok(text) | Err(Unanswered::Failed(text)) => text.contains("not a valid field"),
        Err(_) => false,
    };
    if unknown_field {
        fields = OLD_FIELDS;
        answer = query(host, fields, LIMIT);
    }
    match answer {
        Ok(text) => parse(&text, fields),
        Err(Unanswered::Absent) => (Vec::new(), None),
        Err(Unanswered::Failed(text)) => (Vec::new(), Some(meaning(&text))),
        Err(reason) => (Vec::new(), Some(format!("nvidia-smi does not answer ({reason})."))),
    }
}

/// The GPUs it lists.
pub(crate) fn listed(host: &dyn HostSource) -> Vec<NvmlDevice> {
    devices(host).0
}

/// The power of every board in watts, by index; `None` for a board that does not tell.
///
/// # Errors
/// It cannot be run, or prints something else.
pub(crate) fn power(host: &dyn HostSource) -> Result<Vec<(u32, Option<f64>)>, String> {
    let text = query(host, POWER_FIELDS, POWER_LIMIT).map_err(|reason| match reason {
        Unanswered::Failed(text) => meaning(&text),
        reason => format!("nvidia-smi does not answer ({reason})."),
    })?;
    let (devices, complaint) = parse(&text, POWER_FIELDS);
    match complaint {
        Some(complaint) if devices.is_empty() => Err(complaint),
        _ => Ok(devices.iter().map(|device| (device.counters.index, watts(device))).collect()),
    }
}

fn watts(device: &NvmlDevice) -> Option<f64> {
    device.counters.power_draw_mw.and_then(|milliwatts| text::power(f64::from(milliwatts) / 1000.0))
}

fn query(host: &dyn HostSource, fields: &str, limit: Duration) -> Result<String, Unanswered> {
    host.run("nvidia-smi", &[&format!("--query-gpu={fields}"), FORMAT], limit)
}

/// The devices of its lines, and what the first other line means.
fn parse(text: &str, fields: &str) -> (Vec<NvmlDevice>, Option<String>) {
    let names: Vec<&str> = fields.split(',').map(str::trim).collect();
    let mut devices: Vec<NvmlDevice> = Vec::new();
    let mut complaint = None;
    // A Jetson's GPU is on no bus and has no memory of its own: its device tree tells more.
    let is_gpu_of_module = |line: &&str| line.contains("(nvgpu)");
    for line in text.lines().filter(|line| !line.trim().is_empty() && !is_gpu_of_module(line)) {
        let values: Vec<&str> = line.split(',').map(str::trim).collect();
        match device(&names, &values) {
            Some(device) if devices.iter().all(|other| other.counters.pci_bus_id != device.counters.pci_bus_id) => {
                devices.push(device);
            }
            Some(_) => {}
            None => complaint = complaint.or_else(|| Some(meaning(line))),
        }
    }
    if text.trim().is_empty() {
        complaint = Some("nvidia-smi printed nothing.".to_owned());
    }
    (devices, complaint)
}

fn device(names: &[&str], values: &[&str]) -> Option<NvmlDevice> {
    if names.len() != values.len() {
        return None;
    }
    let value = |name: &str| {
        let at = names.iter().position(|it| *it == name)?;
        Some(values[at]).filter(|text| !text.is_empty() && !text.starts_with('['))
    };
    let number = |name: &str| value(name).and_then(text::number);
    let mebibytes = |name: &str| number(name).map(|mebibytes| (mebibytes * f64::from(1 << 20)) as u64);
    let milliwatts = |name: &str| number(name).and_then(text::power).map(|watts| (watts * 1000.0).round() as u32);
    let whole = |name: &str| value(name).and_then(|text| text.parse::<u32>().ok());
    let short = |name: &str| value(name).filter(|text| *text != "N/A" && text.len() < 32).map(str::to_owned);
    // A line without a name is whole only where no name was asked for.
    let name = value("name").and_then(text::name);
    if names.contains(&"name") && name.is_none() {
        return None;
    }
    Some(NvmlDevice {
        counters: NvmlCounters {
            index: whole("index")?,
            pci_bus_id: Some(text::pci_address(value("pci.bus_id")?)?),
            memory_total_bytes: mebibytes("memory.total"),
            memory_free_bytes: mebibytes("memory.free"),
            memory_used_bytes: mebibytes("memory.used"),
            power_draw_mw: milliwatts("power.draw"),
            utilization_percent: whole("utilization.gpu").filter(|percent| *percent <= 100),
            temperature_c: whole("temperature.gpu"),
            ..NvmlCounters::default()
        },
        name,
        driver_version: short("driver_version"),
        vbios_version: short("vbios_version"),
        compute_capability: short("compute_cap"),
        max_memory_clock_mhz: whole("clocks.max.memory"),
        enforced_power_limit_mw: milliwatts("enforced.power.limit").or_else(|| milliwatts("power.limit")),
        addressing_mode: short("addressing_mode"),
        mig_mode: value("mig.mode.current").and_then(|text| match text {
            "Enabled" => Some(true),
            "Disabled" => Some(false),
            _ => None,
        }),
        ..NvmlDevice::default()
    })
}

/// What a line that is no device says, with what to do about it.
fn meaning(text: &str) -> String {
    let has = |part: &str| text.contains(part);
    if has("version mismatch") {
        return "NVIDIA's kernel module and its library are of different versions, usually after an update. hint: \
                restart the machine."
            .to_owned();
    }
    if has("couldn't communicate with the NVIDIA driver") || has("Driver Not Loaded") {
        return "nvidia-smi cannot reach NVIDIA's driver: the kernel module is not loaded. hint: sudo modprobe nvidia, or \
                install the driver for this kernel."
            .to_owned();
    }
    if has("No devices were found") {
        return "NVIDIA's driver is loaded and finds no GPU it can use.".to_owned();
    }
    if has("Insufficient Permissions") {
        return "nvidia-smi may not open the GPU. hint: this user needs access to /dev/nvidia*.".to_owned();
    }
    let line: String =
        text.lines().next().unwrap_or_default().chars().filter(|letter| !letter.is_control()).take(120).collect();
    format!("nvidia-smi answered with something else than GPUs: `{}`.", line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "0, 00000000:01:00.0, NVIDIA GeForce RTX 2060, 535.183.01, 6144, 5809, 5, 12.40, 80.00, 0, 45, \
        7001, 80.00, 90.06.4d.00.a3, 7.5, [N/A], None";

    #[test]
    fn a_line_with_every_field_is_a_gpu() {
        let (devices, complaint) = parse(LINE, FIELDS);
        assert_eq!(complaint, None);
        let device = &devices[0];
        assert_eq!(device.name.as_deref(), Some("NVIDIA GeForce RTX 2060"));
        assert_eq!(device.counters.memory_total_bytes, Some(6 << 30));
        assert_eq!(device.counters.power_draw_mw, Some(12_400));
        assert_eq!((device.max_memory_clock_mhz, device.mig_mode), (Some(7001), None));
    }

    #[test]
    fn a_line_cut_anywhere_is_no_gpu_and_is_reported() {
        let last_comma = LINE.rfind(',').expect("a comma");
        for end in 1..=last_comma {
            let (devices, complaint) = parse(&LINE[..end], FIELDS);
            assert!(devices.is_empty() && complaint.is_some(), "{}", &LINE[..end]);
        }
    }

    #[test]
    fn errors_are_told_in_words_that_help() {
        for (text, expected) in [
            ("Failed to initialize NVML: Driver/library version mismatch", "different versions"),
            ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "not loaded"),
            ("No devices were found", "finds no GPU"),
            ("Segmentation fault", "`Segmentation fault`"),
        ] {
            let (devices, complaint) = parse(text, FIELDS);
            assert!(devices.is_empty());
            assert!(complaint.as_deref().is_some_and(|it| it.contains(expected)), "{complaint:?}");
        }
    }
}
