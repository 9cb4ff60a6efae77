//! Puts together what the drivers say, so that each GPU is there once.

use super::{amd, drm, intel, jetson, nvidia};
use crate::machine::{Gpu, Machine};
use crate::source::HostSource;

/// Fills in [`Machine::gpus`] and [`Machine::gpu_notes`]. The machine's memory must be known by now.
pub(in crate::machine) fn probe(host: &dyn HostSource, machine: &mut Machine) {
    let nvidia::Found { mut gpus, mut notes, explained } = nvidia::find(host, machine);
    if let Some(module) = jetson::describe(host, machine) {
        match gpus.iter_mut().find(|gpu| gpu.pci_address.is_none() || gpu.integrated) {
            Some(seen) => merge(seen, module),
            None => gpus.push(module),
        }
    }
    let reachable = drm::has_render_node(host);
    for card in drm::cards(host) {
        let seen = card.pci_address.as_ref().is_some_and(|address| {
            explained.contains(address) || gpus.iter().any(|gpu| gpu.pci_address.as_ref() == Some(address))
        });
        match card.vendor {
            drm::NVIDIA if seen => {}
            drm::NVIDIA => notes.push(without_driver(&card)),
            drm::AMD | drm::INTEL if !reachable => notes.push(format!(
                "{} is a GPU of the machine, but none of /dev/dri/renderD* is there, so it cannot be used from here. hint: \
                 give it to the container (docker run --device /dev/dri --device /dev/kfd).",
                card.pci_address.as_deref().unwrap_or(&card.path)
            )),
            drm::AMD => gpus.push(amd::describe(host, &card)),
            drm::INTEL => gpus.push(intel::describe(host, &card)),
            _ => {}
        }
    }
    // The bus orders them, as NVML and the drivers do; what is on no bus comes last, in the order found.
    gpus.sort_by(|one, other| {
        (one.pci_address.is_none(), &one.pci_address).cmp(&(other.pci_address.is_none(), &other.pci_address))
    });
    machine.gpus = gpus;
    machine.gpu_notes = notes;
}

/// NVML names a module's GPU only `Orin (nvgpu)` and knows nothing of its memory.
fn merge(seen: &mut Gpu, module: Gpu) {
    let driver = seen.driver.take().or(module.driver.clone());
    let compute_target = seen.compute_target.take().or(module.compute_target.clone());
    *seen = Gpu { driver, compute_target, cores: seen.cores, ..module };
}

fn without_driver(card: &drm::Card) -> String {
    let place = card.pci_address.as_deref().unwrap_or(&card.path);
    match card.driver.as_deref() {
        Some(driver @ ("nouveau" | "nova")) => format!(
            "The NVIDIA GPU at {place} runs on {driver}, which serves no model. hint: install NVIDIA's own driver."
        ),
        _ => format!(
            "There is an NVIDIA GPU at {place}, but its driver does not answer, so it cannot be used from here."
        ),
    }
}
