//! What NVIDIA's kernel module lists by itself: names and addresses, no memory.

use crate::machine::gpu::text;
use crate::machine::{Gpu, GpuVendor};
use crate::source::HostSource;

const FOLDER: &str = "/proc/driver/nvidia";

/// The GPUs of the module.
pub(super) fn gpus(host: &dyn HostSource) -> Vec<Gpu> {
    let Ok(addresses) = host.list(&format!("{FOLDER}/gpus")) else { return Vec::new() };
    let driver = host.read(&format!("{FOLDER}/version")).ok().and_then(|text| version(&text));
    addresses
        .iter()
        .filter_map(|address| {
            let pci_address = text::pci_address(address)?;
            let text = host.read(&format!("{FOLDER}/gpus/{address}/information")).ok();
            let model = text.as_deref().and_then(model);
            Some(Gpu {
                vendor: GpuVendor::Nvidia,
                name: model.unwrap_or_else(|| "NVIDIA GPU".to_owned()),
                pci_address: Some(pci_address),
                driver: driver.clone(),
                memory_bytes: None,
                memory_free_bytes: None,
                shared_memory_bytes: None,
                unified: false,
                integrated: false,
                bandwidth_gb_s: None,
                cores: None,
                compute_target: None,
                power_limit_w: None,
                energy_counter: None,
            })
        })
        .collect()
}

fn model(information: &str) -> Option<String> {
    information.lines().find_map(|line| text::name(line.strip_prefix("Model:")?))
}

/// `550.54.14` of `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 …`.
fn version(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version"))?;
    let is_version = |word: &&str| {
        word.contains('.') && word.split('.').all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()))
    };
    line.split_whitespace().find(is_version).map(str::to_owned)
}
