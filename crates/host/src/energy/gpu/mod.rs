//! The joules of GPUs on Linux: NVML, `nvidia-smi`, the sensors of AMD's and Intel's drivers, the rails of a Jetson.

mod cards;
mod gather;
mod jetson;
mod nvml;
mod sensors;
mod smi;
mod tally;

pub(super) use gather::gpu_chain;
