//! Linux machines without a GPU of their own.

use crate::expected::{Expected, ROW};
use puma_host::machine::HostOs;

pub(crate) const ROWS: &[Expected] = &[
    Expected {
        name: "laptop-intel-8gb",
        cpu: Some("12th Gen Intel(R) Core(TM) i5-1235U"),
        physical_cores: Some(10),
        logical_cores: 12,
        sockets: Some(1),
        numa_nodes: Some(1),
        tiers: "2 Performance, 8 Efficiency",
        memory_kib: Some(7_872_004),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "kubernetes-pod-4gb",
        cpu: Some("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz"),
        physical_cores: Some(4),
        logical_cores: 2,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(32_386_540),
        memory_limit_kib: Some(4_194_304),
        cpu_limit_cores: Some(2.0),
        container: Some("kubernetes"),
        virtual_machine: Some("kvm"),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "docker-linux",
        cpu: Some("Intel(R) Xeon(R) E-2288G CPU @ 3.70GHz"),
        physical_cores: Some(8),
        logical_cores: 16,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(65_703_504),
        container: Some("docker"),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "podman-rootless",
        cpu: Some("Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz"),
        physical_cores: Some(4),
        logical_cores: 8,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(16_115_372),
        container: Some("podman"),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "gvisor",
        logical_cores: 2,
        memory_kib: Some(2_097_152),
        container: Some("gvisor"),
        virtual_machine: Some("kvm"),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "wsl2",
        cpu: Some("12th Gen Intel(R) Core(TM) i7-12700H"),
        physical_cores: Some(10),
        logical_cores: 20,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(16_256_784),
        virtual_machine: Some("wsl2"),
        host_os: HostOs::Windows,
        ..ROW
    },
    Expected {
        name: "docker-desktop-m3",
        cpu: Some("Apple core, virtualised (M2 or later)"),
        physical_cores: Some(8),
        logical_cores: 8,
        sockets: Some(1),
        memory_kib: Some(8_025_636),
        container: Some("docker"),
        virtual_machine: Some("docker desktop"),
        host_os: HostOs::Macos,
        ..ROW
    },
    Expected {
        name: "docker-desktop-m1-old",
        physical_cores: Some(4),
        logical_cores: 4,
        sockets: Some(1),
        memory_kib: Some(8_039_740),
        container: Some("docker"),
        virtual_machine: Some("docker desktop"),
        host_os: HostOs::Macos,
        ..ROW
    },
    Expected {
        name: "docker-desktop-rosetta",
        cpu: Some("VirtualApple @ 2.50GHz"),
        logical_cores: 8,
        memory_kib: Some(8_025_636),
        container: Some("docker"),
        virtual_machine: Some("docker desktop"),
        host_os: HostOs::Macos,
        translated: true,
        ..ROW
    },
    Expected {
        name: "colima-m2",
        cpu: Some("Apple core, virtualised (M2 or later)"),
        physical_cores: Some(4),
        logical_cores: 4,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(8_129_684),
        virtual_machine: Some("apple virtualization"),
        host_os: HostOs::Macos,
        ..ROW
    },
    Expected {
        name: "orbstack",
        cpu: Some("Apple core, virtualised (M2 or later)"),
        physical_cores: Some(10),
        logical_cores: 10,
        sockets: Some(1),
        memory_kib: Some(16_370_296),
        container: Some("docker"),
        virtual_machine: Some("orbstack"),
        host_os: HostOs::Macos,
        ..ROW
    },
    Expected {
        name: "krunkit-m1",
        cpu: Some("Apple core, virtualised (M1)"),
        physical_cores: Some(4),
        logical_cores: 4,
        sockets: Some(1),
        memory_kib: Some(8_127_012),
        container: Some("podman"),
        virtual_machine: Some("krun"),
        host_os: HostOs::Macos,
        ..ROW
    },
    Expected {
        name: "asahi-m1",
        cpu: Some("Apple M1 Firestorm + M1 Icestorm (Apple MacBook Air (M1, 2020))"),
        physical_cores: Some(8),
        logical_cores: 8,
        sockets: Some(1),
        tiers: "4 M1 Firestorm, 4 M1 Icestorm",
        memory_kib: Some(7_835_072),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "raspberry-pi-5",
        cpu: Some("ARM Cortex-A76 (Raspberry Pi 5 Model B Rev 1.0)"),
        physical_cores: Some(4),
        logical_cores: 4,
        sockets: Some(1),
        memory_kib: Some(8_247_248),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "server-arm-two-sockets",
        cpu: Some("ARM Neoverse-N1"),
        physical_cores: Some(64),
        logical_cores: 64,
        sockets: Some(2),
        numa_nodes: Some(2),
        memory_kib: Some(263_846_120),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "server-xeon-two-sockets",
        cpu: Some("Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz"),
        physical_cores: Some(24),
        logical_cores: 24,
        sockets: Some(2),
        numa_nodes: Some(2),
        memory_kib: Some(131_543_212),
        memory_limit_kib: Some(67_108_864),
        cpu_limit_cores: Some(24.0),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "lxc-proxmox",
        cpu: Some("AMD Ryzen 5 3400G with Radeon Vega Graphics"),
        physical_cores: Some(4),
        logical_cores: 4,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(4_194_304),
        container: Some("lxc"),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "desktop-amd-zen",
        cpu: Some("AMD Ryzen 7 7700X 8-Core Processor"),
        physical_cores: Some(8),
        logical_cores: 16,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(32_004_560),
        host_os: HostOs::Linux,
        ..ROW
    },
    Expected {
        name: "firecracker-vm",
        cpu: Some("AMD EPYC"),
        physical_cores: Some(2),
        logical_cores: 2,
        sockets: Some(1),
        numa_nodes: Some(1),
        memory_kib: Some(24_684_092),
        virtual_machine: Some("firecracker"),
        host_os: HostOs::Linux,
        ..ROW
    },
];
