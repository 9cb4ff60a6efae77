//! The facts about a machine that are stored with every run.

use puma_core::Reading;
use serde::{Deserialize, Serialize};

/// What is known of a machine. `None` means it could not be read, never a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// `linux`, `macos`, ….
    pub os: String,
    pub os_version: Option<String>,
    pub kernel: Option<String>,
    /// What this program was built for. Under Rosetta it differs from the processor; see [`Apple::translated`].
    pub arch: String,
    pub cpu: Option<String>,
    pub physical_cores: Option<u32>,
    /// Logical processors this process may use, after affinity and cgroup limits.
    pub logical_cores: u32,
    /// Kinds of cores, fastest first; empty where all are alike or nothing is known.
    pub core_tiers: Vec<CoreTier>,
    /// Instruction sets the embedded engine can use or could profit from.
    pub cpu_features: Vec<String>,
    pub cpu_max_mhz: Option<f64>,
    pub sockets: Option<u32>,
    pub numa_nodes: Option<u32>,
    /// Processors' worth of time a cgroup allows, where it allows less than there is.
    pub cpu_limit_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub memory_available_bytes: Option<u64>,
    /// The tightest cgroup limit, where it lies below the machine's memory.
    pub memory_limit_bytes: Option<u64>,
    /// What the limited group uses already, where there is a limit.
    pub memory_limit_used_bytes: Option<u64>,
    pub swap_bytes: Option<u64>,
    /// Free where the program was started. [`disk_free_bytes`](super::disk_free_bytes) asks for other folders.
    pub disk_free_bytes: Option<u64>,
    pub apple: Option<Apple>,
    /// Every GPU that programs here can use, as the system orders them. Apple's is one with [`Gpu::unified`] memory.
    pub gpus: Vec<Gpu>,
    /// What there is to say of GPUs: why one that is there cannot be used, how one is divided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpu_notes: Vec<String>,
    pub surroundings: Surroundings,
    /// The facts come from a recording, not from the machine that ran.
    pub recorded: bool,
}

impl Machine {
    /// Memory this process may use: the smaller of the machine's and the container's limit.
    pub fn usable_memory_bytes(&self) -> Option<u64> {
        match (self.memory_bytes, self.memory_limit_bytes) {
            (Some(total), Some(limit)) => Some(total.min(limit)),
            (total, limit) => total.or(limit),
        }
    }

    /// The GPU that a model would run on: one with memory of its own before one inside the processor, the largest first.
    pub fn main_gpu(&self) -> Option<&Gpu> {
        let memory = |gpu: &Gpu| gpu.memory_bytes.as_ref().map_or(0, |memory| memory.value);
        // The first of equals.
        self.gpus.iter().rev().max_by_key(|gpu| (!gpu.integrated, memory(gpu)))
    }

    /// Threads that arithmetic is best divided among: one for each physical core that this process may use. Two threads
    /// of one core share its arithmetic, and the slowest kind of cores holds up what is divided evenly, so where there
    /// are kinds, the slowest is left out. `None` where the cores are unknown.
    pub fn arithmetic_threads(&self) -> Option<usize> {
        let fast = match self.core_tiers.split_last() {
            Some((_, fast)) if !fast.is_empty() => fast.iter().map(|tier| tier.physical_cores).sum(),
            _ => self.physical_cores?,
        };
        Some(fast.min(self.logical_cores).max(1) as usize)
    }

    /// Memory that is free for this process now.
    pub fn free_memory_bytes(&self) -> Option<u64> {
        let left = self.memory_limit_bytes.map(|limit| limit.saturating_sub(self.memory_limit_used_bytes.unwrap_or(0)));
        match (self.memory_available_bytes, left) {
            (Some(available), Some(left)) => Some(available.min(left)),
            (available, left) => available.or(left),
        }
    }
}

/// Cores of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreTier {
    /// As the system calls it: `Performance`, `Efficiency`, `Super`.
    pub name: String,
    pub physical_cores: u32,
}

/// What only a Mac with Apple's own chip has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Apple {
    /// `Apple M4 Pro`, as the system spells it, without `(Virtual)`.
    pub brand: String,
    /// `M` or `A`; `None` when the brand is of no known pattern.
    pub family: Option<String>,
    /// 4 of `M4 Pro`.
    pub generation: Option<u32>,
    /// `Pro`, `Max`, `Ultra`; `None` for the base chip.
    pub variant: Option<String>,
    /// `Mac16,8`.
    pub model: Option<String>,
    pub gpu_cores: Option<u32>,
    /// This program runs translated (Rosetta): it is the build for Intel.
    pub translated: bool,
    /// A macOS guest: the GPU is paravirtual, power and frequency cannot be read.
    pub virtual_machine: bool,
    /// How much memory Metal recommends a program to use on the GPU.
    pub working_set_bytes: Option<Reading<u64>>,
    /// `iogpu.wired_limit_mb`, where the user set it.
    pub wired_limit_mb: Option<u64>,
    /// How sure the tables are of this chip: `spec-checked`, `sparse`, `unverified`, `unlisted`.
    pub table: Option<String>,
}

/// Who makes a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuVendor {
    Nvidia,
    Amd,
    Intel,
    Apple,
    Other,
}

/// One GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    pub vendor: GpuVendor,
    pub name: String,
    /// `0000:01:00.0`, which tells two views of one card from two cards.
    pub pci_address: Option<String>,
    pub driver: Option<String>,
    /// Memory of its own; for an integrated GPU the part cut out for it; for unified memory what a program may use.
    pub memory_bytes: Option<Reading<u64>>,
    pub memory_free_bytes: Option<u64>,
    /// System memory it may use besides (AMD's GTT pool).
    pub shared_memory_bytes: Option<u64>,
    /// Its memory is the machine's: never add the two.
    pub unified: bool,
    pub integrated: bool,
    pub bandwidth_gb_s: Option<Reading<f64>>,
    pub cores: Option<u32>,
    /// `8.9` (NVIDIA) or `gfx1100` (AMD).
    pub compute_target: Option<String>,
    pub power_limit_w: Option<Reading<f64>>,
    /// Whether it counts its own joules.
    pub energy_counter: Option<bool>,
}

/// Where the program runs: on the machine itself, or in something that stands for one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Surroundings {
    /// `docker`, `podman`, `kubernetes`, `gvisor`, `containerd`, …; `None` outside containers.
    pub container: Option<String>,
    /// `kvm`, `firecracker`, `wsl2`, `docker desktop`, `apple virtualization`, …; `None` on bare metal.
    pub virtual_machine: Option<String>,
    /// The system of the physical machine.
    pub host_os: HostOs,
    /// Instructions are translated to another processor's (Rosetta for Linux, qemu): speed says nothing.
    pub translated: bool,
    /// What was seen and what it speaks for, in the order of weight.
    pub signs: Vec<Sign>,
}

/// The system of the physical machine, as far as it can be told from inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostOs {
    Linux,
    Macos,
    Windows,
    #[default]
    Unknown,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// Where: `/proc/sys/kernel/osrelease`.
    pub place: String,
    /// What stood there, shortened.
    pub seen: String,
    /// What it speaks for.
    pub means: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_takes_one_thread_for_each_fast_core_that_may_be_used() {
        let tier = |name: &str, physical_cores| CoreTier { name: name.to_owned(), physical_cores };
        let machine = Machine { physical_cores: Some(8), logical_cores: 16, ..Machine::default() };
        assert_eq!(machine.arithmetic_threads(), Some(8));
        assert_eq!(Machine { logical_cores: 3, ..machine.clone() }.arithmetic_threads(), Some(3));
        let tiers = vec![tier("Performance", 4), tier("Efficiency", 6)];
        assert_eq!(Machine { core_tiers: tiers, ..machine.clone() }.arithmetic_threads(), Some(4));
        assert_eq!(Machine { core_tiers: vec![tier("Performance", 8)], ..machine }.arithmetic_threads(), Some(8));
        assert_eq!(Machine { logical_cores: 4, ..Machine::default() }.arithmetic_threads(), None);
    }
}
