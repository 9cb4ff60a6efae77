//! Which of the ways to NVIDIA's GPUs works here.

use super::answer::NvmlDevice;
use super::{describe, kernel_module, smi};
use crate::machine::{Gpu, Machine};
use crate::source::{HostSource, NativeQuery, Unanswered};

/// The GPUs, and what there is to say about them.
pub(in crate::machine::gpu) fn find(host: &dyn HostSource, machine: &Machine) -> (Vec<Gpu>, Vec<String>) {
    let nvml = match host.native(&NativeQuery::NvmlDevices) {
        Ok(text) => serde_json::from_str::<Vec<NvmlDevice>>(&text)
            .map_err(|error| format!("NVML's answer cannot be read: {error}.")),
        Err(Unanswered::Absent) => Ok(Vec::new()),
        Err(reason) => Err(format!("NVML does not answer ({reason}).")),
    };
    let mut notes = Vec::new();
    match nvml {
        Ok(devices) => {
            let found = describe::gpus(&devices, "NVML", machine);
            if !found.0.is_empty() {
                return found;
            }
        }
        Err(reason) => notes.push(reason),
    }
    let (devices, complaint) = smi::devices(host);
    let (gpus, remarks) = describe::gpus(&devices, "nvidia-smi", machine);
    if !gpus.is_empty() {
        return (gpus, remarks.into_iter().chain(complaint).collect());
    }
    let listed = kernel_module::gpus(host);
    // Without a GPU and without a driver there is nothing to explain.
    if listed.is_empty() && complaint.is_none() {
        return (Vec::new(), Vec::new());
    }
    match complaint {
        // nvidia-smi asks NVML itself, and says more clearly what is wrong.
        Some(complaint) => notes = vec![complaint],
        None if notes.is_empty() => notes.push(
            "NVIDIA's kernel module is loaded, but neither its library nor nvidia-smi is found, so the GPU cannot be used \
             from here. hint: in a container, start it with the NVIDIA runtime (docker run --gpus all)."
                .to_owned(),
        ),
        None => {}
    }
    (listed, notes)
}
