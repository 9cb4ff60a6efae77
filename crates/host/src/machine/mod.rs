//! What machine this is.
//!
//! [`Machine::probe`] reads it; the facts are plain data. Deliberately absent: judgement. What the facts mean for a
//! model stands in `profile` and `fit`.

pub mod apple;
pub(crate) mod cgroup;
mod declared;
mod facts;
pub(crate) mod gpu;
mod linux;
mod macos;
pub(crate) mod macos_text;
mod probe;
mod surroundings;

pub use facts::{Apple, CoreTier, Gpu, GpuVendor, HostOs, Machine, Sign, Surroundings};
pub use gpu::{GpuCounters, gpu_counters};
pub use linux::last_level_cache_bytes;
pub use probe::disk_free_bytes;
