//! GPUs made of what NVML or `nvidia-smi` answered.

use super::answer::{MigDevice, NvmlDevice};
use crate::machine::gpu::{table, text};
use crate::machine::{Gpu, GpuVendor, Machine};
use puma_core::{Quality, Reading};

/// A GPU for each board, or for each part of a divided one; and remarks. Boards without a name are left out.
pub(super) fn gpus(devices: &[NvmlDevice], asked: &str, machine: &Machine) -> (Vec<Gpu>, Vec<String>) {
    let mut gpus = Vec::new();
    let mut notes = Vec::new();
    for device in devices {
        let index = device.counters.index;
        let Some(whole) = board(device, asked, machine) else {
            notes.push(format!("{asked} lists a GPU {index} without a name; it is left out."));
            continue;
        };
        if device.mig_mode != Some(true) {
            gpus.push(whole);
            continue;
        }
        let parts: Vec<Gpu> = device.mig_devices.iter().filter_map(|part| part_of(&whole, part, asked)).collect();
        if parts.is_empty() {
            notes.push(format!(
                "GPU {index} ({}) is divided by MIG, and {asked} lists no part of it: its memory cannot be used as a whole. \
                 hint: nvidia-smi mig -lgi",
                whole.name
            ));
            gpus.push(Gpu { memory_bytes: None, memory_free_bytes: None, bandwidth_gb_s: None, ..whole });
            continue;
        }
        notes.push(format!(
            "GPU {index} ({}) is divided by MIG into {}; a program gets one of them, and only the whole board counts energy.",
            whole.name,
            if parts.len() == 1 { "one part".to_owned() } else { format!("{} parts", parts.len()) }
        ));
        gpus.extend(parts);
    }
    (gpus, notes)
}

fn board(device: &NvmlDevice, asked: &str, machine: &Machine) -> Option<Gpu> {
    let name = text::name(device.name.as_deref()?)?;
    let own_memory = device.counters.memory_total_bytes.and_then(text::memory);
    let listed = table::by_name(&name);
    let shares = device.addressing_mode.as_deref() == Some("ATS");
    let inside = own_memory.is_none()
        && (shares || name.contains("nvgpu") || listed.iter().any(|card| card.memory == table::MemoryKind::Unified));
    let measured = |value: u64, source: &str| Reading::new(value, source, Quality::Measured);
    let memory_bytes = if inside {
        machine.memory_bytes.map(|bytes| measured(bytes, "the machine's memory"))
    } else {
        own_memory.map(|bytes| measured(bytes, asked))
    };
    let clock = device.max_memory_clock_mhz.map(f64::from).filter(|clock| *clock > 0.0);
    let listed = if inside { listed } else { table::matching(listed, own_memory, clock) };
    let limit = device.enforced_power_limit_mw.and_then(|limit| text::power(f64::from(limit) / 1000.0));
    Some(Gpu {
        vendor: GpuVendor::Nvidia,
        pci_address: device.counters.pci_bus_id.as_deref().and_then(text::pci_address),
        driver: device.driver_version.clone(),
        memory_free_bytes: if inside {
            machine.memory_available_bytes
        } else {
            // More free than there is means that one of the two is wrong.
            device.counters.memory_free_bytes.filter(|free| own_memory.is_some_and(|total| *free <= total))
        },
        memory_bytes,
        shared_memory_bytes: None,
        unified: inside || shares,
        integrated: inside,
        bandwidth_gb_s: bandwidth(device).or_else(|| table::bandwidth(&listed)),
        cores: device.cores.filter(|cores| *cores > 0),
        compute_target: device
            .compute_capability
            .clone()
            .or_else(|| listed.first().and_then(|card| card.compute_target.clone())),
        power_limit_w: limit
            .map(|watts| Reading::new(watts, asked, Quality::Measured))
            .or_else(|| table::board_power(&listed)),
        energy_counter: (asked == "NVML").then(|| device.counters.energy_mj.is_some_and(|energy| energy > 0)),
        name,
    })
}

/// Two transfers a clock over the whole width of the bus.
fn bandwidth(device: &NvmlDevice) -> Option<Reading<f64>> {
    let clock_mhz = device.max_memory_clock_mhz.filter(|clock| (100..=50_000).contains(clock))?;
    let width_bits = device.memory_bus_width_bits.filter(|width| (32..=32_768).contains(width))?;
    let gb_s = 2.0 * f64::from(clock_mhz) * f64::from(width_bits) / 8.0 / 1000.0;
    Some(Reading::new(rounded(gb_s), "NVML memory clock and bus width", Quality::Measured))
}

/// To a tenth: more digits than that are not known.
fn rounded(gb_s: f64) -> f64 {
    (gb_s * 10.0).round() / 10.0
}

/// A part of `whole`, with the share of the bandwidth that its share of the memory stands for.
fn part_of(whole: &Gpu, part: &MigDevice, asked: &str) -> Option<Gpu> {
    let bytes = part.memory_total_bytes.and_then(text::memory)?;
    let total = whole.memory_bytes.as_ref()?.value;
    let share = (bytes as f64 / total as f64).min(1.0);
    Some(Gpu {
        name: part.name.as_deref().and_then(text::name).unwrap_or_else(|| format!("{} MIG", whole.name)),
        memory_bytes: Some(Reading::new(bytes, asked, Quality::Measured)),
        memory_free_bytes: part.memory_free_bytes.filter(|free| *free <= bytes),
        bandwidth_gb_s: whole
            .bandwidth_gb_s
            .as_ref()
            .map(|board| Reading::new(rounded(board.value * share), "share of the divided board", Quality::Estimated)),
        cores: None,
        power_limit_w: None,
        energy_counter: Some(false),
        ..whole.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bandwidth_of(clock: u32, width: u32) -> Option<f64> {
        bandwidth(&NvmlDevice {
            max_memory_clock_mhz: Some(clock),
            memory_bus_width_bits: Some(width),
            ..NvmlDevice::default()
        })
        .map(|reading| reading.value)
    }

    #[test]
    fn clock_and_width_give_the_bandwidth_that_vendors_print() {
        for (clock, width, printed) in [
            (9751, 384, 936.0),
            (10_501, 384, 1008.0),
            (14_001, 512, 1792.0),
            (2619, 5120, 3350.0),
            (7001, 192, 336.0),
            (5501, 192, 264.0),
        ] {
            let computed = bandwidth_of(clock, width).expect("a bandwidth");
            assert!((computed / printed - 1.0).abs() < 0.001, "{computed} against {printed}");
        }
        assert_eq!(bandwidth_of(0, 384), None);
        assert_eq!(bandwidth_of(9751, 0), None);
    }
}
