//! From a machine to the memories that an engine may use on it.

use super::budget::{Budget, MARGIN_BYTES, Pool, PoolKind};
use super::load::{AmdDriver, EngineRules};
use crate::machine::apple::{WorkingSetRule, working_set};
use crate::machine::{Gpu, GpuVendor, Machine};
use puma_core::measure::{Quality, Reading};

const GIB: u64 = 1 << 30;

/// Nothing is known of the machine's memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory of this machine cannot be read")]
pub struct NoBudget;

/// Where an engine of these rules would put a model on `machine`.
///
/// Unified memory is one pool and never counted twice; an integrated GPU beside a card is left out; a GPU of which
/// nothing is known but its name does not count.
///
/// # Errors
/// Not even the main memory is known.
pub fn budget(machine: &Machine, rules: &EngineRules) -> Result<Budget, NoBudget> {
    let host = host_pool(machine).ok_or(NoBudget)?;
    if !rules.uses_gpu {
        return Ok(Budget::Cpu { host });
    }
    // A virtual Mac's GPU is paravirtual, and no engine computes on it.
    let apple = machine.apple.as_ref().filter(|apple| !apple.translated && !apple.virtual_machine);
    if let Some(apple) = apple {
        let memory_bytes = machine.memory_bytes.ok_or(NoBudget)?;
        let set = apple.working_set_bytes.clone().filter(|reading| reading.value > 0).unwrap_or_else(|| {
            let rule = WorkingSetRule::of_version(machine.os_version.as_deref());
            working_set(memory_bytes, rule, apple.wired_limit_mb)
        });
        let working_set = Pool {
            kind: PoolKind::MetalWorkingSet,
            name: apple.brand.clone(),
            total_bytes: set.value.min(memory_bytes),
            available_bytes: set.value.min(memory_bytes),
            margin_bytes: MARGIN_BYTES,
            source: set.source,
            quality: set.quality,
        };
        return Ok(Budget::Metal { working_set, memory_bytes });
    }
    let cards = cards(machine);
    if !cards.is_empty() {
        return Ok(Budget::Discrete { devices: cards, host });
    }
    Ok(match machine.gpus.iter().find_map(|gpu| shared_pool(gpu, rules, machine)) {
        Some((pool, carve_out_bytes)) => Budget::Integrated { pool, carve_out_bytes, host },
        None => Budget::Cpu { host },
    })
}

/// Main memory as far as this process may use it.
fn host_pool(machine: &Machine) -> Option<Pool> {
    let total_bytes = machine.usable_memory_bytes()?;
    let free = machine.free_memory_bytes();
    let limited = machine.memory_limit_bytes.is_some_and(|limit| limit <= total_bytes);
    let (margin_bytes, source) = match free {
        Some(_) => (MARGIN_BYTES, "what the system calls available"),
        // Where the system does not say what is free, a share is left to it and to other programs.
        None => ((total_bytes / 100 * 15).clamp(4 * GIB, 32 * GIB), "all memory; what is free is not known"),
    };
    Some(Pool {
        kind: if limited { PoolKind::Cgroup } else { PoolKind::Ram },
        name: machine.cpu.clone().unwrap_or_else(|| machine.arch.clone()),
        total_bytes,
        available_bytes: free.unwrap_or(total_bytes).min(total_bytes),
        margin_bytes,
        source: source.to_owned(),
        quality: if free.is_some() { Quality::Measured } else { Quality::Estimated },
    })
}

/// Cards of one vendor, the one with the most memory: no engine splits a model over two vendors' drivers.
fn cards(machine: &Machine) -> Vec<Pool> {
    let own = |gpu: &&Gpu| !gpu.unified && !gpu.integrated && gpu.memory_bytes.is_some();
    let memory_of = |vendor: GpuVendor| -> u64 {
        let of_vendor = machine.gpus.iter().filter(own).filter(|gpu| gpu.vendor == vendor);
        of_vendor.filter_map(|gpu| gpu.memory_bytes.as_ref()).map(|memory| memory.value).sum()
    };
    let vendor = [GpuVendor::Nvidia, GpuVendor::Amd, GpuVendor::Intel]
        .into_iter()
        .max_by_key(|&vendor| (memory_of(vendor), std::cmp::Reverse(vendor)));
    let Some(vendor) = vendor.filter(|&vendor| memory_of(vendor) > 0) else { return Vec::new() };
    let mut seen = Vec::new();
    let of_vendor = machine.gpus.iter().filter(own).filter(|gpu| gpu.vendor == vendor);
    // One card seen by two drivers is one card.
    let once = of_vendor.filter(|gpu| match &gpu.pci_address {
        Some(address) if seen.contains(address) => false,
        Some(address) => {
            seen.push(address.clone());
            true
        }
        None => true,
    });
    once.filter_map(card_pool).collect()
}

fn card_pool(gpu: &Gpu) -> Option<Pool> {
    let Reading { value, source, quality } = gpu.memory_bytes.clone()?;
    let free = gpu.memory_free_bytes;
    Some(Pool {
        kind: PoolKind::Vram,
        name: gpu.name.clone(),
        total_bytes: value,
        available_bytes: free.unwrap_or(value).min(value),
        margin_bytes: MARGIN_BYTES,
        source: if free.is_some() { source } else { format!("{source}; what is free is not known") },
        quality: if free.is_some() { quality } else { Quality::Estimated },
    })
}

/// The memory of a GPU that shares the machine's, and how much of it main memory does not see.
fn shared_pool(gpu: &Gpu, rules: &EngineRules, machine: &Machine) -> Option<(Pool, u64)> {
    let own = gpu.memory_bytes.as_ref();
    let (bytes, carve_out, source, quality) = if gpu.unified {
        let memory = machine.usable_memory_bytes()?;
        let reading = own.cloned().unwrap_or_else(|| Reading::new(memory, "main memory", Quality::Measured));
        (reading.value.min(memory), 0, reading.source, reading.quality)
    } else if gpu.integrated && gpu.vendor == GpuVendor::Amd {
        let carve_out = own.map_or(0, |reading| reading.value);
        let shared = gpu.shared_memory_bytes.unwrap_or(0);
        let (bytes, seen, how) = match rules.amd {
            AmdDriver::Vulkan => (carve_out + shared, carve_out, "carve-out and GTT together"),
            AmdDriver::Rocm if shared > carve_out => (shared, 0, "GTT, the larger of two pools"),
            AmdDriver::Rocm => (carve_out, carve_out, "carve-out, the larger of two pools"),
        };
        (bytes, seen, how.to_owned(), own.map_or(Quality::Estimated, |reading| reading.quality))
    } else {
        return None;
    };
    let pool = Pool {
        kind: PoolKind::SharedGpu,
        name: gpu.name.clone(),
        total_bytes: bytes,
        available_bytes: bytes,
        margin_bytes: MARGIN_BYTES,
        source,
        quality,
    };
    (bytes > 0).then_some((pool, carve_out))
}
