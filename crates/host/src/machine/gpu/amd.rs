//! AMD's GPUs, from what `amdgpu` publishes in sysfs. `rocm-smi` is not asked: its text changes and leaves things out.

use super::drm::Card;
use super::table::MemoryKind;
use super::{hwmon, kfd, table};
use crate::machine::{Gpu, GpuVendor};
use crate::source::HostSource;
use puma_core::{Quality, Reading};

const SOURCE: &str = "amdgpu sysfs";

/// What is known of a card.
pub(super) fn describe(host: &dyn HostSource, card: &Card) -> Gpu {
    let total = card.memory(host, "mem_info_vram_total");
    let used = card.read(host, "mem_info_vram_used").and_then(|text| text.trim().parse::<u64>().ok());
    let shared = card.memory(host, "mem_info_gtt_total");
    let sensors = sensors(host, card);
    let listed = table::by_pci_id(card.vendor, card.device, card.revision);
    let integrated = match listed.first() {
        Some(listed) => listed.memory != MemoryKind::Own,
        None => is_integrated(host, sensors.as_deref()).unwrap_or(total < shared && total <= Some(2 << 30)),
    };
    let listed = if integrated { listed } else { table::matching(listed, total, None) };
    let power_cap = sensors.as_ref().and_then(|folder| hwmon::watts(host, folder, "power1_cap"));
    Gpu {
        vendor: GpuVendor::Amd,
        name: name(host, card, &listed, integrated),
        pci_address: card.pci_address.clone(),
        driver: card.driver.clone(),
        memory_bytes: total.map(|bytes| Reading::new(bytes, SOURCE, Quality::Measured)),
        memory_free_bytes: total.zip(used).and_then(|(total, used)| total.checked_sub(used)),
        shared_memory_bytes: shared,
        unified: false,
        integrated,
        bandwidth_gb_s: table::bandwidth(&listed),
        cores: None,
        compute_target: card
            .pci_address
            .as_ref()
            .and_then(|address| kfd::compute_target(host, address))
            .or_else(|| listed.first().and_then(|listed| listed.compute_target.clone())),
        power_limit_w: power_cap
            .map(|watts| Reading::new(watts, SOURCE, Quality::Measured))
            .or_else(|| table::board_power(&listed)),
        energy_counter: sensors.map(|folder| hwmon::joules(host, &folder, "energy1_input").is_some()),
    }
}

/// The folder of the card's sensors.
pub(crate) fn sensors(host: &dyn HostSource, card: &Card) -> Option<String> {
    hwmon::folder(host, &format!("{}/device", card.path), &["amdgpu"])
}

/// Whether the GPU shares a chip with the processor; `None` where nothing tells.
///
/// Only such GPUs have a voltage of the north bridge (`vddnb`), and of the rest all have a power cap.
pub(crate) fn is_integrated(host: &dyn HostSource, sensors: Option<&str>) -> Option<bool> {
    let folder = sensors?;
    let labelled = host.read(&format!("{folder}/in1_label")).is_ok_and(|label| label.trim() == "vddnb");
    let capped = hwmon::watts(host, folder, "power1_cap").is_some();
    (labelled || capped).then_some(labelled)
}

fn name(host: &dyn HostSource, card: &Card, listed: &[&table::Card], integrated: bool) -> String {
    if let Some(listed) = listed.first() {
        return format!("AMD {}", listed.name);
    }
    let product = card.read(host, "product_name").and_then(|text| super::text::name(&text));
    product.unwrap_or_else(|| {
        let kind = if integrated { "integrated GPU" } else { "GPU" };
        format!("AMD {kind} {:04x}:{:04x}", card.vendor, card.device)
    })
}
