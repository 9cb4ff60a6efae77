//! Signs that are a piece of one text: a file's, or the processor's own name for its hypervisor.

use super::evidence::Claim::{Container, Guest, Host, Translated};
use super::evidence::Votes;
use crate::machine::HostOs::{Linux, Macos, Windows};

/// A piece of text and what it speaks for.
pub(super) struct Clue {
    pub piece: &'static str,
    pub means: &'static str,
    pub votes: Votes,
}

const fn clue(piece: &'static str, means: &'static str, votes: Votes) -> Clue {
    Clue { piece, means, votes }
}

/// `/proc/sys/kernel/osrelease`; the first piece that is found counts.
pub(super) const KERNEL: &[Clue] = &[
    clue(
        "microsoft-standard",
        "the kernel of WSL2, also under Docker Desktop",
        &[(Guest(Some("wsl2")), 8), (Host(Windows), 8)],
    ),
    clue("Microsoft", "WSL1, which has no kernel of its own", &[(Guest(Some("wsl1")), 8), (Host(Windows), 8)]),
    clue(
        "linuxkit",
        "the kernel of Docker Desktop, mostly on a Mac",
        &[(Guest(Some("docker desktop")), 7), (Host(Macos), 4)],
    ),
    clue("orbstack", "the kernel of OrbStack on a Mac", &[(Guest(Some("orbstack")), 8), (Host(Macos), 8)]),
    clue("gvisor", "gVisor answers instead of a kernel", &[(Container(Some("gvisor")), 8)]),
    clue("firecracker", "a kernel built for Firecracker", &[(Guest(Some("firecracker")), 5), (Host(Linux), 4)]),
    clue("-fc-", "a kernel named like those built for Firecracker", &[(Guest(Some("firecracker")), 4)]),
    clue("asahi", "a kernel made for Apple's chips without macOS", &[(Host(Linux), 4)]),
];

/// `/proc/version`.
pub(super) const KERNEL_BUILD: &[Clue] = &[
    clue("libkrunfw", "the kernel of libkrun (krunkit, Podman, RamaLama)", &[(Guest(Some("krun")), 8)]),
    clue("#1 SMP Sun Jan 10 15:06:54 PST 2016", "the fixed date that gVisor shows", &[(Container(Some("gvisor")), 6)]),
];

/// `sys_vendor / product_name` of the firmware's tables; the first piece that is found counts.
pub(super) const FIRMWARE: &[Clue] = &[
    clue(
        "Apple Virtualization Generic Platform",
        "a guest of Apple's Virtualization framework",
        &[(Guest(Some("apple virtualization")), 8), (Host(Macos), 8)],
    ),
    clue(".metal", "a rented machine without hypervisor", &[]),
    clue("Amazon EC2", "a virtual machine at Amazon", &[(Guest(Some("kvm")), 4), (Host(Linux), 4)]),
    clue("Google Compute Engine", "a virtual machine at Google", &[(Guest(Some("kvm")), 4), (Host(Linux), 4)]),
    clue(
        "Microsoft Corporation / Virtual Machine",
        "a guest of Hyper-V",
        &[(Guest(Some("hyper-v")), 6), (Host(Windows), 5)],
    ),
    clue("VMware", "a guest of VMware", &[(Guest(Some("vmware")), 6)]),
    clue("VirtualBox", "a guest of VirtualBox", &[(Guest(Some("virtualbox")), 8)]),
    clue("Parallels", "a guest of Parallels on a Mac", &[(Guest(Some("parallels")), 8), (Host(Macos), 8)]),
    clue("HVM domU", "a guest of Xen", &[(Guest(Some("xen")), 6)]),
    clue("KVM", "a guest of KVM", &[(Guest(Some("kvm")), 5), (Host(Linux), 5)]),
    clue("OpenStack", "a virtual machine of an OpenStack cloud", &[(Guest(Some("kvm")), 4)]),
    clue("QEMU", "a machine that QEMU presents", &[(Guest(Some("qemu")), 5)]),
    clue("Bochs", "a machine that QEMU presents", &[(Guest(Some("qemu")), 5)]),
];

/// The maker's name in the ACPI tables.
pub(super) const ACPI_MAKER: &[Clue] = &[
    clue("FIRECK", "tables that Firecracker writes", &[(Guest(Some("firecracker")), 8), (Host(Linux), 5)]),
    clue("BOCHS", "tables that QEMU writes", &[(Guest(Some("qemu")), 4)]),
];

/// What the processor answers to a question that only hypervisors answer.
pub(super) const CPUID: &[Clue] = &[
    clue("KVMKVMKVM", "a guest of KVM", &[(Guest(Some("kvm")), 6), (Host(Linux), 5)]),
    clue("Microsoft Hv", "a guest of Hyper-V", &[(Guest(Some("hyper-v")), 4), (Host(Windows), 5)]),
    clue("VMwareVMware", "a guest of VMware", &[(Guest(Some("vmware")), 6)]),
    clue("VBoxVBoxVBox", "a guest of VirtualBox", &[(Guest(Some("virtualbox")), 6)]),
    clue("XenVMMXenVMM", "a guest of Xen", &[(Guest(Some("xen")), 6)]),
    clue("TCGTCGTCGTCG", "QEMU translates every instruction", &[(Guest(Some("qemu tcg")), 8), (Translated, 8)]),
    clue("prl hyperv", "a guest of Parallels on a Mac", &[(Guest(Some("parallels")), 8), (Host(Macos), 8)]),
    clue("bhyve", "a guest of bhyve", &[(Guest(Some("bhyve")), 6)]),
    clue("ACRN", "a guest of ACRN", &[(Guest(Some("acrn")), 6)]),
];

/// `/proc/device-tree/hypervisor/compatible` and `/sys/hypervisor/type`.
pub(super) const HYPERVISOR_NODE: &[Clue] = &[
    clue("kvm", "a guest of KVM", &[(Guest(Some("kvm")), 6), (Host(Linux), 5)]),
    clue("xen", "a guest of Xen", &[(Guest(Some("xen")), 6)]),
    clue("vmware", "a guest of VMware", &[(Guest(Some("vmware")), 6)]),
];

/// `/proc/self/cgroup`; every piece that is found counts.
pub(super) const GROUP: &[Clue] = &[
    clue("kubepods", "a pod of Kubernetes", &[(Container(Some("kubernetes")), 6)]),
    clue("/docker/", "a container of Docker", &[(Container(Some("docker")), 6)]),
    clue("docker-", "a container of Docker", &[(Container(Some("docker")), 6)]),
    clue("libpod", "a container of Podman", &[(Container(Some("podman")), 6)]),
    clue("crio-", "a container of CRI-O", &[(Container(Some("cri-o")), 5)]),
    clue("cri-containerd", "a container of containerd", &[(Container(Some("containerd")), 5)]),
    clue("/lxc", "a container of LXC", &[(Container(Some("lxc")), 6)]),
    clue("/ecs/", "a task of Amazon's container service", &[(Container(Some("docker")), 5)]),
    clue("/buildkit/", "a build step of a container image", &[(Container(Some("buildkit")), 5)]),
    clue("/machine.slice/", "a container that systemd manages", &[(Container(None), 2)]),
];

/// `/run/systemd/container`, and the variable `container`, which runtimes set for the first process.
pub(super) const MANAGER: &[Clue] = &[
    clue("docker", "a container of Docker", &[(Container(Some("docker")), 5)]),
    clue("podman", "a container of Podman", &[(Container(Some("podman")), 5)]),
    clue("oci", "a container of some runtime", &[(Container(None), 4)]),
    clue("lxc", "a container of LXC", &[(Container(Some("lxc")), 5)]),
    clue("systemd-nspawn", "a container of systemd", &[(Container(Some("systemd-nspawn")), 5)]),
    clue("flatpak", "an application sandbox", &[(Container(Some("flatpak")), 5)]),
];
