//! Every GPU of a Linux machine: NVIDIA, AMD, Intel, Jetson.
//!
//! Start at `probe`. What the drivers tell comes first; `table` fills in what they keep to themselves, and only for
//! cards it names exactly. Deliberately absent: display adapters that compute nothing (virtio, ASPEED, VMware), and
//! Apple's GPU, which `apple` reads.

pub(crate) mod amd;
pub(crate) mod counters;
pub(crate) mod drm;
pub(crate) mod hwmon;
pub(crate) mod intel;
mod jetson;
mod kfd;
pub(crate) mod nvidia;
mod probe;
mod table;
pub(crate) mod text;

pub use counters::{GpuCounters, gpu_counters};
pub(super) use probe::probe;
