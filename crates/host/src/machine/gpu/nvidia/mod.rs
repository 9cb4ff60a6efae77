//! NVIDIA's GPUs: by NVML, else by `nvidia-smi`, else by what the kernel module lists.

mod answer;
mod describe;
mod kernel_module;
mod smi;
mod sources;

pub(crate) use answer::{MigDevice, NvmlCounters, NvmlDevice};
pub(super) use sources::find;
