//! The GPU inside NVIDIA's Jetson modules, which is on no PCI bus and shares the machine's memory.

use super::{table, text};
use crate::machine::{Gpu, GpuVendor, Machine};
use crate::source::HostSource;
use puma_core::{Quality, Reading};

/// The module's GPU, where this is a Jetson.
pub(super) fn describe(host: &dyn HostSource, machine: &Machine) -> Option<Gpu> {
    let model = ["/proc/device-tree/model", "/sys/firmware/devicetree/base/model"]
        .iter()
        .find_map(|path| text::name(&host.read(path).ok()?))?;
    let lower = model.to_lowercase();
    if !lower.contains("jetson") && !lower.contains("tegra") {
        return None;
    }
    let listed = table::by_name(&model);
    Some(Gpu {
        vendor: GpuVendor::Nvidia,
        name: format!("{} GPU", model.strip_suffix(" Developer Kit").unwrap_or(&model)),
        pci_address: None,
        driver: release(host),
        memory_bytes: machine.memory_bytes.map(|bytes| Reading::new(bytes, "the machine's memory", Quality::Measured)),
        memory_free_bytes: machine.memory_available_bytes,
        shared_memory_bytes: None,
        unified: true,
        integrated: true,
        bandwidth_gb_s: table::bandwidth(&listed),
        cores: None,
        compute_target: listed.first().and_then(|listed| listed.compute_target.clone()),
        power_limit_w: None,
        energy_counter: Some(false),
    })
}

/// `L4T R36.3.0` of `# R36 (release), REVISION: 3.0, GCID: …`.
fn release(host: &dyn HostSource) -> Option<String> {
    let text = host.read("/etc/nv_tegra_release").ok()?;
    let major = text.strip_prefix("# ")?.split_whitespace().next()?;
    let minor = text.split("REVISION:").nth(1)?.split(',').next()?.trim();
    Some(format!("L4T {major}.{minor}"))
}
