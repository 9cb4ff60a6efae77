//! The GPU that the user declares by `PUMA_GPU_NAME`, `PUMA_GPU_VRAM_GB` and `PUMA_GPU_BACKEND`.
//!
//! Upstream's launch script sets them for its containers, which cannot see the GPU. They win over what is found, since
//! whoever sets them wants so.

use super::{Gpu, GpuVendor, Machine};
use crate::source::HostSource;
use puma_core::{Quality, Reading};

/// Takes the declared GPU in the place of those found; `PUMA_GPU_BACKEND=none` leaves none.
pub(super) fn apply(host: &dyn HostSource, machine: &mut Machine) {
    let backend = host.variable("PUMA_GPU_BACKEND").map(|text| text.trim().to_ascii_lowercase());
    let name = host.variable("PUMA_GPU_NAME");
    let vram_gb = host.variable("PUMA_GPU_VRAM_GB").and_then(|text| text.trim().parse::<f64>().ok());
    let vram_gb = vram_gb.filter(|vram| vram.is_finite() && *vram > 0.0 && *vram < 1e6);
    if backend.as_deref() == Some("none") {
        machine.gpus.clear();
        return;
    }
    if backend.is_none() && name.is_none() && vram_gb.is_none() {
        return;
    }
    let vendor = match backend.as_deref() {
        Some("nvidia") | None => GpuVendor::Nvidia,
        Some("rocm") => GpuVendor::Amd,
        Some("metal") => GpuVendor::Apple,
        Some(_) => GpuVendor::Other,
    };
    // What was found of the card (its bandwidth, its free memory) stays when only a part is declared.
    let found = machine.gpus.iter().find(|gpu| gpu.vendor == vendor).cloned();
    let mut gpu = found.unwrap_or_else(|| Gpu {
        vendor,
        name: "Unknown GPU".to_owned(),
        pci_address: None,
        driver: None,
        memory_bytes: None,
        memory_free_bytes: None,
        shared_memory_bytes: None,
        unified: vendor == GpuVendor::Apple,
        integrated: vendor == GpuVendor::Apple,
        bandwidth_gb_s: None,
        cores: None,
        compute_target: None,
        power_limit_w: None,
        energy_counter: None,
    });
    if let Some(name) = name {
        gpu.name = name;
    }
    if let Some(vram) = vram_gb {
        let bytes = (vram * f64::from(1 << 30)).round() as u64;
        gpu.memory_bytes = Some(Reading::new(bytes, "PUMA_GPU_VRAM_GB", Quality::Estimated));
    }
    machine.gpus = vec![gpu];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{RecordedHost, Recording};

    fn with(variables: &[(&str, &str)]) -> Machine {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let os = "linux".to_owned();
        Machine::probe(&RecordedHost::new(Recording { format: 1, os, variables, ..Recording::default() }))
    }

    #[test]
    fn a_declared_gpu_counts_with_the_word_of_the_user() {
        let machine = with(&[("PUMA_GPU_VRAM_GB", "6.0"), ("PUMA_GPU_BACKEND", "nvidia")]);
        let [gpu] = &machine.gpus[..] else { panic!("one GPU: {:?}", machine.gpus) };
        assert_eq!((gpu.name.as_str(), gpu.vendor), ("Unknown GPU", GpuVendor::Nvidia));
        let memory = gpu.memory_bytes.clone().expect("declared");
        assert_eq!((memory.value, memory.quality), (6 << 30, Quality::Estimated));
    }

    #[test]
    fn nonsense_declares_no_memory() {
        for text in ["", "many", "NaN", "-3", "inf", "1e300"] {
            let machine = with(&[("PUMA_GPU_VRAM_GB", text)]);
            assert!(machine.gpus.iter().all(|gpu| gpu.memory_bytes.is_none()), "{text}");
        }
        assert!(with(&[("PUMA_GPU_BACKEND", "none"), ("PUMA_GPU_VRAM_GB", "6")]).gpus.is_empty());
    }
}
