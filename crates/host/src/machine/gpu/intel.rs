//! Intel's GPUs, from what `xe` and `i915` publish in sysfs.

use super::drm::Card;
use super::table::MemoryKind;
use super::{hwmon, table};
use crate::machine::{Gpu, GpuVendor};
use crate::source::HostSource;
use puma_core::{Quality, Reading};

/// What is known of a card. One without memory of its own is part of the processor.
pub(super) fn describe(host: &dyn HostSource, card: &Card) -> Gpu {
    let listed = table::by_pci_id(card.vendor, card.device, None);
    let published = own_memory(host, card);
    let discrete = published.is_some() || listed.iter().any(|listed| listed.memory == MemoryKind::Own);
    let sensors = sensors(host, card);
    let limit = sensors
        .as_ref()
        .and_then(|folder| ["power1_max", "power1_cap"].iter().find_map(|file| hwmon::watts(host, folder, file)));
    Gpu {
        vendor: GpuVendor::Intel,
        name: listed.first().map_or_else(
            || {
                format!(
                    "Intel {} {:04x}:{:04x}",
                    if discrete { "GPU" } else { "integrated GPU" },
                    card.vendor,
                    card.device
                )
            },
            |listed| format!("Intel {}", listed.name),
        ),
        pci_address: card.pci_address.clone(),
        driver: card.driver.clone(),
        memory_bytes: published
            .map(|bytes| Reading::new(bytes, "sysfs of the driver", Quality::Measured))
            .or_else(|| table::memory_bytes(&listed)),
        memory_free_bytes: None,
        shared_memory_bytes: None,
        unified: !discrete,
        integrated: !discrete,
        bandwidth_gb_s: table::bandwidth(&listed),
        cores: None,
        compute_target: listed.first().and_then(|listed| listed.compute_target.clone()),
        power_limit_w: limit
            .map(|watts| Reading::new(watts, "hwmon", Quality::Measured))
            .or_else(|| table::board_power(&listed)),
        energy_counter: sensors.map(|folder| energy_file(host, &folder).is_some()),
    }
}

/// The folder of the card's sensors; GPUs that are part of the processor have none.
pub(crate) fn sensors(host: &dyn HostSource, card: &Card) -> Option<String> {
    hwmon::folder(host, &format!("{}/device", card.path), &["xe", "i915"])
}

/// The counter of the whole card, or of the chip where the driver has only that.
pub(crate) fn energy_file(host: &dyn HostSource, folder: &str) -> Option<&'static str> {
    ["energy1_input", "energy2_input"].into_iter().find(|file| hwmon::joules(host, folder, file).is_some())
}

/// Older `xe` lists the memory of each tile, newer releases tell only programs that ask the driver itself.
fn own_memory(host: &dyn HostSource, card: &Card) -> Option<u64> {
    let tiles: Vec<u64> =
        (0..4).map_while(|tile| card.memory(host, &format!("tile{tile}/physical_vram_size_bytes"))).collect();
    if !tiles.is_empty() {
        return super::text::memory(tiles.iter().sum());
    }
    let text = host.read(&format!("{}/lmem_total_bytes", card.path)).ok()?;
    super::text::positive(&text).and_then(super::text::memory)
}
