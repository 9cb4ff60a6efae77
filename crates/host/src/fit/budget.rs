//! The memories of a machine that a model may use, each with what it keeps free and how it is known.

use puma_core::measure::Quality;
use serde::{Deserialize, Serialize};

/// Memory that a model never plans with: the display, other programs' growth, the driver's own context. llama.cpp's
/// default for each device, and the margin of every pool here.
pub const MARGIN_BYTES: u64 = 1 << 30;

/// What kind of memory a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// A graphics card's own.
    Vram,
    /// The part of a Mac's memory that Metal lets the GPU use.
    MetalWorkingSet,
    /// The carve-out and the part of main memory that an integrated GPU may use.
    SharedGpu,
    /// Main memory.
    Ram,
    /// Main memory as far as a container may use it.
    Cgroup,
}

impl PoolKind {
    /// In words, for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vram => "VRAM",
            Self::MetalWorkingSet => "Metal working set",
            Self::SharedGpu => "shared GPU memory",
            Self::Ram => "RAM",
            Self::Cgroup => "container limit",
        }
    }
}

/// One memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub kind: PoolKind,
    /// The device, for people.
    pub name: String,
    pub total_bytes: u64,
    /// What is free of it now; the total where that cannot be read.
    pub available_bytes: u64,
    /// Kept free.
    pub margin_bytes: u64,
    /// Where the numbers come from.
    pub source: String,
    pub quality: Quality,
}

impl Pool {
    /// What a model may use with the margin kept.
    pub fn budget_bytes(&self) -> u64 {
        self.available_bytes.min(self.total_bytes).saturating_sub(self.margin_bytes)
    }

    /// What a model may use when nothing is kept back.
    pub fn limit_bytes(&self) -> u64 {
        self.available_bytes.min(self.total_bytes)
    }
}

/// Where a model would lie. Memory that two pools share is never counted twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "placement", rename_all = "snake_case")]
pub enum Budget {
    /// Everything in main memory, computed by the processor.
    Cpu { host: Pool },
    /// Apple's unified memory: one pool, of which the GPU may use the working set.
    Metal { working_set: Pool, memory_bytes: u64 },
    /// Graphics cards with memory of their own, beside main memory.
    Discrete { devices: Vec<Pool>, host: Pool },
    /// An integrated GPU: a carve-out that main memory does not see, and main memory itself for the rest.
    Integrated { pool: Pool, carve_out_bytes: u64, host: Pool },
}

impl Budget {
    /// The pools, the fastest first.
    pub fn pools(&self) -> Vec<&Pool> {
        match self {
            Self::Cpu { host } => vec![host],
            Self::Metal { working_set, .. } => vec![working_set],
            Self::Discrete { devices, host } => devices.iter().chain([host]).collect(),
            Self::Integrated { pool, host, .. } => vec![pool, host],
        }
    }

    /// The memory that decides whether everything runs at full speed.
    pub fn fast_bytes(&self) -> u64 {
        match self {
            Self::Cpu { host } => host.limit_bytes(),
            Self::Metal { working_set, .. } => working_set.limit_bytes(),
            Self::Discrete { devices, .. } => devices.iter().map(Pool::limit_bytes).sum(),
            Self::Integrated { pool, .. } => pool.limit_bytes(),
        }
    }
}
