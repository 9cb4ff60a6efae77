//! The order in which the signs are looked for.

use super::clues::{self, Clue};
use super::evidence::Claim::{Container, Guest, Host};
use super::evidence::Evidence;
use super::{mounts, processor};
use crate::machine::HostOs::{Linux, Windows};
use crate::machine::Surroundings;
use crate::source::{HostSource, NativeQuery};

/// The process namespace every Linux kernel starts with; containers get others.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// Looks for every sign. `cpuinfo` is the text of `/proc/cpuinfo`.
pub(in crate::machine) fn probe(host: &dyn HostSource, cpuinfo: &str) -> Surroundings {
    let mut evidence = Evidence::default();
    let read = |path: &str| host.read(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    first(&mut evidence, "/proc/sys/kernel/osrelease", &kernel, clues::KERNEL);
    first(&mut evidence, "/proc/version", &read("/proc/version"), clues::KERNEL_BUILD);
    processor::look(cpuinfo, host.arch(), &mut evidence);
    mounts::look(&read("/proc/self/mountinfo"), &mut evidence);
    guest(host, &mut evidence);
    windows(host, &mut evidence);
    container(host, &mut evidence);
    // A fixed old release is what gVisor shows; its log gives it away.
    if kernel.contains("gvisor") || (kernel.starts_with("4.4.0") && !kernel.contains("Microsoft")) {
        let log = host.ask("dmesg", &[]).unwrap_or_default();
        if log.contains("Starting gVisor") {
            let votes = &[(Container(Some("gvisor")), 8)];
            evidence.add("dmesg", "Starting gVisor", "gVisor answers instead of a kernel", votes);
        }
    }
    evidence.verdict()
}

/// Adds the first clue whose piece stands in `text`.
fn first(evidence: &mut Evidence, place: &str, text: &str, clues: &[Clue]) {
    if let Some(clue) = clues.iter().find(|clue| text.contains(clue.piece)) {
        let line = text.lines().find(|line| line.contains(clue.piece)).unwrap_or(clue.piece);
        // A long line may name people; the piece cannot.
        let seen = if line.len() <= 60 && !line.contains('@') { line } else { clue.piece };
        evidence.add(place, seen, clue.means, clue.votes);
    }
}

/// What the firmware, the processor and the devices say of a hypervisor.
fn guest(host: &dyn HostSource, evidence: &mut Evidence) {
    let read = |path: &str| host.read(path).unwrap_or_default();
    let vendor = host.read("/sys/class/dmi/id/sys_vendor").ok();
    let firmware =
        format!("{} / {}", vendor.as_deref().unwrap_or_default().trim(), read("/sys/class/dmi/id/product_name"));
    first(evidence, "/sys/class/dmi/id", &firmware, clues::FIRMWARE);
    first(evidence, "/sys/firmware/acpi/tables/FACP", &read("/sys/firmware/acpi/tables/FACP"), clues::ACPI_MAKER);
    for path in ["/proc/device-tree/hypervisor/compatible", "/sys/hypervisor/type"] {
        first(evidence, path, &read(path), clues::HYPERVISOR_NODE);
    }
    let cpuid = host.native(&NativeQuery::Hypervisor).unwrap_or_default();
    first(evidence, "cpuid", cpuid.trim_matches('"'), clues::CPUID);
    if cpuid.contains("KVMKVMKVM") && vendor.is_none() {
        let means = "KVM without a PC's firmware: a minimal machine";
        evidence.add("/sys/class/dmi/id", "not there", means, &[(Guest(Some("firecracker")), 3)]);
    }
    if read("/proc/device-tree/model").contains("linux,dummy-virt") {
        let means = "the board QEMU and others present to ARM guests";
        evidence.add("/proc/device-tree/model", "linux,dummy-virt", means, &[(Guest(None), 5)]);
    }
    if host.list("/sys/bus/virtio/devices").is_ok_and(|names| !names.is_empty()) {
        evidence.add("/sys/bus/virtio/devices", "devices", "devices made for guests", &[(Guest(None), 3)]);
    }
    let graphics = host.list("/sys/bus/virtio/drivers/virtio_gpu").unwrap_or_default();
    if graphics.iter().any(|name| name.starts_with("virtio")) {
        let means = "a virtual GPU: where it offers Vulkan (Venus), slower than the real one";
        evidence.add("/sys/bus/virtio/drivers/virtio_gpu", "a device", means, &[]);
    }
    if host.list("/sys/bus/platform/drivers/asahi").is_ok_and(|names| names.iter().any(|name| name.contains("gpu"))) {
        let means = "an Apple GPU driven by Linux itself";
        evidence.add("/sys/bus/platform/drivers/asahi", "a GPU", means, &[(Host(Linux), 4)]);
    }
}

/// What Windows leaves in its Linux guests.
fn windows(host: &dyn HostSource, evidence: &mut Evidence) {
    if host.list("/sys/class/misc").is_ok_and(|names| names.iter().any(|name| name == "dxg")) {
        let votes = &[(Guest(Some("wsl2")), 4), (Host(Windows), 4)];
        evidence.add("/sys/class/misc", "dxg", "the GPU of a Windows computer", votes);
    }
    if host.list("/usr/lib/wsl/lib").is_ok() {
        evidence.add(
            "/usr/lib/wsl/lib",
            "a folder",
            "drivers that Windows lends",
            &[(Guest(None), 3), (Host(Windows), 4)],
        );
    }
    if host.variable("WSL_DISTRO_NAME").is_some() {
        evidence.add("WSL_DISTRO_NAME", "set", "a session of WSL", &[(Guest(None), 2), (Host(Windows), 4)]);
    }
}

/// What container runtimes leave.
fn container(host: &dyn HostSource, evidence: &mut Evidence) {
    let groups = host.read("/proc/self/cgroup").unwrap_or_default();
    for clue in clues::GROUP.iter().filter(|clue| groups.contains(clue.piece)) {
        evidence.add("/proc/self/cgroup", clue.piece, clue.means, clue.votes);
    }
    first(evidence, "/run/systemd/container", &host.read("/run/systemd/container").unwrap_or_default(), clues::MANAGER);
    first(evidence, "variable `container`", &host.variable("container").unwrap_or_default(), clues::MANAGER);
    if host.read("/.dockerenv").is_ok() {
        let means = "a Docker container, or a machine made from an image of one";
        evidence.add("/.dockerenv", "a file", means, &[(Container(Some("docker")), 2)]);
    }
    if let Ok(text) = host.read("/run/.containerenv") {
        let seen = if text.contains("rootless=1") { "rootless" } else { "a file" };
        evidence.add("/run/.containerenv", seen, "a container of Podman", &[(Container(Some("podman")), 4)]);
    }
    if host.variable("KUBERNETES_SERVICE_HOST").is_some() {
        let votes = &[(Container(Some("kubernetes")), 3)];
        evidence.add("KUBERNETES_SERVICE_HOST", "set", "a pod of Kubernetes", votes);
    }
    if host.list("/var/run/secrets/kubernetes.io/serviceaccount").is_ok() {
        let place = "/var/run/secrets/kubernetes.io/serviceaccount";
        evidence.add(place, "a folder", "the account of a pod", &[(Container(Some("kubernetes")), 4)]);
    }
    match host.link("/proc/self/ns/pid") {
        Ok(name) if name == FIRST_NAMESPACE => {
            let means = "the process namespace of the machine itself: no container of its own";
            evidence.add("/proc/self/ns/pid", &name, means, &[(Container(None), -3)]);
        }
        Ok(_) => {
            let votes = &[(Container(None), 3)];
            evidence.add("/proc/self/ns/pid", "another namespace", "a container's processes are counted apart", votes);
        }
        Err(_) => {}
    }
    let users = host.read("/proc/self/uid_map").unwrap_or_default();
    let columns: Vec<&str> = users.split_whitespace().take(3).collect();
    if columns.len() == 3 && columns != ["0", "0", "4294967295"] {
        let votes = &[(Container(None), 1)];
        evidence.add("/proc/self/uid_map", "mapped users", "a container without root's rights outside", votes);
    }
}
