//! NVIDIA's GPUs: by NVML, else by `nvidia-smi`, else by what the kernel module lists.

mod answer;
mod describe;
mod kernel_module;
mod smi;
mod sources;

#[cfg(target_os = "linux")]
pub(crate) use answer::MigDevice;
pub(crate) use answer::{NvmlCounters, NvmlDevice};
pub(crate) use smi::{listed as smi_devices, power as smi_power};
pub(super) use sources::{Found, find};
