//! Which of the ways to NVIDIA's GPUs works here.

use super::answer::NvmlDevice;
use super::{describe, kernel_module, smi};
use crate::machine::{Gpu, Machine};
use crate::source::{HostSource, NativeQuery, Unanswered};

/// NVIDIA's GPUs.
#[derive(Default)]
pub(in crate::machine::gpu) struct Found {
    /// Those that can be used.
    pub gpus: Vec<Gpu>,
    pub notes: Vec<String>,
    /// PCI addresses of those that cannot and are explained in the notes.
    pub explained: Vec<String>,
}

/// The GPUs, and what there is to say about them.
pub(in crate::machine::gpu) fn find(host: &dyn HostSource, machine: &Machine) -> Found {
    let refusal = match by_nvml(host, machine) {
        Ok(found) if !found.gpus.is_empty() => return found,
        Ok(_) => None,
        Err(refusal) => Some(refusal),
    };
    let (devices, complaint) = smi::devices(host);
    let (gpus, mut notes) = describe::gpus(&devices, "nvidia-smi", machine);
    if !gpus.is_empty() {
        notes.extend(complaint);
        return Found { gpus, notes, explained: Vec::new() };
    }
    let listed = kernel_module::gpus(host);
    // nvidia-smi asks NVML itself, and says more clearly what is wrong.
    let reason = complaint.or(refusal);
    if listed.is_empty() && reason.is_none() { Found::default() } else { unusable(&listed, reason) }
}

fn by_nvml(host: &dyn HostSource, machine: &Machine) -> Result<Found, String> {
    let text = match host.native(&NativeQuery::NvmlDevices) {
        Ok(text) => text,
        Err(Unanswered::Absent) => return Ok(Found::default()),
        Err(reason) => return Err(format!("NVML does not answer ({reason}).")),
    };
    let devices: Vec<NvmlDevice> =
        serde_json::from_str(&text).map_err(|error| format!("NVML's answer cannot be read: {error}."))?;
    let (gpus, notes) = describe::gpus(&devices, "NVML", machine);
    Ok(Found { gpus, notes, explained: Vec::new() })
}

/// Says why the GPUs that the kernel module lists cannot be used.
fn unusable(listed: &[kernel_module::Listed], reason: Option<String>) -> Found {
    let explained: Vec<String> = listed.iter().map(|gpu| gpu.pci_address.clone()).collect();
    let names: Vec<&str> = listed.iter().map(|gpu| gpu.described.as_str()).collect();
    let reason = reason.unwrap_or_else(|| {
        "NVIDIA's kernel module is loaded, but neither its library nor nvidia-smi is found. hint: in a container, start \
         it with the NVIDIA runtime (docker run --gpus all)."
            .to_owned()
    });
    let note = if names.is_empty() { reason } else { format!("{} cannot be used: {reason}", names.join(", ")) };
    Found { gpus: Vec::new(), notes: vec![note], explained }
}
