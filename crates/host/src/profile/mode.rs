//! What models run on here, and what is out of reach.

use crate::machine::{GpuVendor, HostOs, Machine};
use serde::Serialize;

/// What a model server started here can use. The embedded engine uses the processor in every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeKind {
    /// The GPU of a Mac.
    NativeMetal,
    Cuda,
    Rocm,
    /// A GPU that neither CUDA nor ROCm serves.
    Vulkan,
    /// Only the processor, on the machine itself or in a virtual one.
    NativeCpu,
    /// Only the processor, in a container that sees no GPU.
    ContainerWithoutGpu,
}

impl ModeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NativeMetal => "native, GPU by Metal",
            Self::Cuda => "GPU by CUDA",
            Self::Rocm => "GPU by ROCm",
            Self::Vulkan => "GPU by Vulkan",
            Self::NativeCpu => "native, processor only",
            Self::ContainerWithoutGpu => "container without GPU",
        }
    }
}

/// The mode with what the user should know of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mode {
    pub kind: ModeKind,
    /// What is wrong with it and how to do better, a sentence each.
    pub warnings: Vec<ModeWarning>,
}

/// Something that makes results slow, meaningless or unlike those of the machine outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModeWarning {
    pub message: String,
    pub hint: String,
}

/// Judges the machine.
pub fn mode(machine: &Machine) -> Mode {
    let has = |vendor: GpuVendor| machine.gpus.iter().any(|gpu| gpu.vendor == vendor);
    // No server uses the graphics inside Intel's processors unless it is told to.
    let has_arc = machine.gpus.iter().any(|gpu| gpu.vendor == GpuVendor::Intel && !gpu.integrated);
    let virtual_mac = machine.apple.as_ref().is_some_and(|apple| apple.virtual_machine);
    let kind = if machine.os == "macos" && has(GpuVendor::Apple) && !virtual_mac && !translated(machine) {
        ModeKind::NativeMetal
    } else if has(GpuVendor::Nvidia) {
        ModeKind::Cuda
    } else if has(GpuVendor::Amd) {
        ModeKind::Rocm
    } else if machine.os != "macos" && (has_arc || has(GpuVendor::Other) || has(GpuVendor::Apple)) {
        ModeKind::Vulkan
    } else if machine.surroundings.container.is_some() || is_docker_desktop(machine) {
        ModeKind::ContainerWithoutGpu
    } else {
        ModeKind::NativeCpu
    };
    Mode { kind, warnings: warnings(machine, kind, virtual_mac) }
}

/// This program, or everything in this system, is translated from another processor's instructions.
fn translated(machine: &Machine) -> bool {
    machine.apple.as_ref().is_some_and(|apple| apple.translated) || machine.surroundings.translated
}

fn is_docker_desktop(machine: &Machine) -> bool {
    machine.surroundings.virtual_machine.as_deref() == Some("docker desktop")
}

fn warnings(machine: &Machine, kind: ModeKind, virtual_mac: bool) -> Vec<ModeWarning> {
    let mut warnings = Vec::new();
    let mut warn = |message: &str, hint: &str| {
        warnings.push(ModeWarning { message: message.to_owned(), hint: hint.to_owned() });
    };
    if machine.apple.as_ref().is_some_and(|apple| apple.translated) {
        warn(
            "this is the build for Intel, translated by Rosetta: slow, and the GPU is out of reach",
            "install the build for arm64 (aarch64-apple-darwin)",
        );
    }
    if machine.surroundings.translated {
        warn(
            "the instructions of this system are translated to another processor's: speed and energy say nothing",
            "use an image or a system for the processor that is really there",
        );
    }
    let on_a_mac = machine.os == "linux" && machine.surroundings.host_os == HostOs::Macos;
    let without_gpu = matches!(kind, ModeKind::NativeCpu | ModeKind::ContainerWithoutGpu);
    if on_a_mac && without_gpu {
        warn(
            "this is a Linux system inside a Mac: the Mac's GPU is out of reach, and memory and processors are those of \
             the virtual machine",
            "run PUMA and Ollama on the Mac itself (`puma up --native`), or start Ollama there and set \
             OLLAMA_HOST=http://host.docker.internal:11434 here",
        );
    }
    if kind == ModeKind::Vulkan && on_a_mac {
        warn(
            "the Mac's GPU is reached through a paravirtual Vulkan device, slower than Metal itself",
            "run PUMA and Ollama on the Mac itself (`puma up --native`)",
        );
    }
    if virtual_mac {
        warn(
            "this Mac is virtual: its GPU is paravirtual, and power and frequency cannot be read",
            "numbers of speed and energy need the Mac itself",
        );
    }
    if kind == ModeKind::ContainerWithoutGpu && machine.surroundings.host_os != HostOs::Macos {
        warn(
            "the container sees no GPU; if the machine has one, models run on the processor all the same",
            "start it with a GPU (`docker run --gpus all …`, `puma up --docker` does so where it can)",
        );
    }
    warnings
}
