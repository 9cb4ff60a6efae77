//! What the choice of a profile rests on.

use crate::machine::{GpuVendor, Machine};
use serde::Serialize;

const GIB: f64 = (1 << 30) as f64;

/// The few numbers of a machine that upstream's rules look at, rounded as it rounds them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProfileFacts {
    /// Memory in GiB, two decimals.
    pub ram_gb: Option<f64>,
    /// Own memory of the largest GPU in GiB, one decimal. Unified and integrated GPUs have none.
    pub vram_gb: Option<f64>,
    /// `Apple M4 Pro`; `None` off Apple's chips and on virtual Macs, where the GPU is not the chip's.
    pub brand: Option<String>,
    /// Whole GiB of unified memory; only with a brand.
    pub unified_memory_gb: Option<u32>,
    /// GiB that an integrated or unified GPU other than Apple's may use, system memory included.
    pub shared_gpu_gb: Option<f64>,
}

impl ProfileFacts {
    pub fn of(machine: &Machine) -> Self {
        let rounded = |value: f64, digits: f64| (value * digits).round() / digits;
        let memory = machine.usable_memory_bytes();
        let chip = machine.apple.as_ref().filter(|apple| !apple.virtual_machine && !apple.brand.is_empty());
        let largest = |bytes: &mut dyn Iterator<Item = u64>| bytes.max().filter(|bytes| *bytes > 0);
        let own = |gpu: &&crate::machine::Gpu| !gpu.unified && !gpu.integrated;
        let vram =
            largest(&mut machine.gpus.iter().filter(own).filter_map(|gpu| Some(gpu.memory_bytes.as_ref()?.value)));
        let shared = machine.gpus.iter().filter(|gpu| !own(gpu) && gpu.vendor != GpuVendor::Apple);
        let shared = largest(&mut shared.filter_map(|gpu| {
            let carved_out = gpu.memory_bytes.as_ref().map(|memory| memory.value);
            Some(carved_out?.saturating_add(gpu.shared_memory_bytes.unwrap_or(0)))
        }));
        Self {
            ram_gb: memory.map(|bytes| rounded(bytes as f64 / GIB, 100.0)),
            vram_gb: vram.map(|bytes| rounded(bytes as f64 / GIB, 10.0)),
            brand: chip.map(|apple| apple.brand.clone()),
            unified_memory_gb: chip.and(memory).and_then(|bytes| u32::try_from(bytes >> 30).ok()),
            shared_gpu_gb: shared.map(|bytes| rounded(bytes as f64 / GIB, 10.0)),
        }
    }
}
