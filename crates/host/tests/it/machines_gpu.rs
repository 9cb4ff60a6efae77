//! Machines with GPUs; what is found of those stands in `gpus`.

use crate::expected::{Expected, ROW};
use puma_host::machine::HostOs;

pub(crate) const ROWS: &[Expected] = &[
    Expected {
        name: "gpu-rtx2060-mobile-6gb",
        cpu: Some("Intel(R) Core(TM) i7-10750H CPU @ 2.60GHz"),
        physical_cores: Some(6),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 12,
        memory_kib: Some(32_724_300),
        ..ROW
    },
    Expected {
        name: "gpu-rtx2060-mobile-11gbps",
        cpu: Some("Intel(R) Core(TM) i7-10750H CPU @ 2.60GHz"),
        physical_cores: Some(6),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 12,
        memory_kib: Some(32_724_300),
        ..ROW
    },
    Expected {
        name: "gpu-two-rtx3090",
        cpu: Some("AMD Ryzen 9 5950X 16-Core Processor"),
        physical_cores: Some(16),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 32,
        memory_kib: Some(131_829_000),
        ..ROW
    },
    Expected {
        name: "gpu-rtx5090",
        cpu: Some("AMD Ryzen 7 9800X3D 8-Core Processor"),
        physical_cores: Some(8),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 16,
        memory_kib: Some(65_011_712),
        ..ROW
    },
    Expected {
        name: "gpu-rtx4060-without-power",
        cpu: Some("13th Gen Intel(R) Core(TM) i5-13400F"),
        physical_cores: Some(10),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 10,
        memory_kib: Some(32_700_000),
        ..ROW
    },
    Expected {
        name: "gpu-rtx3060-smi-only",
        cpu: Some("Intel(R) Core(TM) i5-9600K CPU @ 3.70GHz"),
        physical_cores: Some(6),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 6,
        memory_kib: Some(16_300_000),
        ..ROW
    },
    Expected {
        name: "gpu-nvidia-mismatch",
        cpu: Some("Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz"),
        physical_cores: Some(6),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 12,
        memory_kib: Some(32_700_000),
        ..ROW
    },
    Expected {
        name: "gpu-wsl2-rtx4070-laptop",
        cpu: Some("13th Gen Intel(R) Core(TM) i7-13700H"),
        physical_cores: Some(10),
        sockets: Some(1),
        virtual_machine: Some("wsl2"),
        host_os: HostOs::Windows,
        logical_cores: 20,
        memory_kib: Some(16_121_000),
        ..ROW
    },
    Expected {
        name: "gpu-h200",
        cpu: Some("Intel(R) Xeon(R) Platinum 8480C"),
        physical_cores: Some(8),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 16,
        memory_kib: Some(134_217_728),
        ..ROW
    },
    Expected {
        name: "gpu-a100-mig",
        cpu: Some("AMD EPYC 7742 64-Core Processor"),
        physical_cores: Some(64),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 128,
        memory_kib: Some(528_280_000),
        ..ROW
    },
    Expected {
        name: "gpu-gb10-spark",
        cpu: Some("ARM Cortex-A725 + Cortex-X925"),
        host_os: HostOs::Linux,
        logical_cores: 20,
        memory_kib: Some(125_516_000),
        ..ROW
    },
    Expected {
        name: "gpu-jetson-agx-orin-64gb",
        cpu: Some("ARM Cortex-A78AE (NVIDIA Jetson AGX Orin Developer Kit)"),
        host_os: HostOs::Linux,
        logical_cores: 12,
        memory_kib: Some(64_349_000),
        ..ROW
    },
    Expected {
        name: "gpu-rx7900xtx",
        cpu: Some("AMD Ryzen 7 5800X3D 8-Core Processor"),
        physical_cores: Some(8),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 16,
        memory_kib: Some(32_700_000),
        ..ROW
    },
    Expected {
        name: "gpu-strix-halo-128gb",
        cpu: Some("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S"),
        physical_cores: Some(16),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 32,
        memory_kib: Some(131_190_000),
        ..ROW
    },
    Expected {
        name: "gpu-ryzen-apu-and-rx7800xt",
        cpu: Some("AMD Ryzen 9 7950X 16-Core Processor"),
        physical_cores: Some(16),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 32,
        memory_kib: Some(65_000_000),
        ..ROW
    },
    Expected {
        name: "gpu-arc-b580",
        cpu: Some("Intel(R) Core(TM) i5-14600K"),
        physical_cores: Some(14),
        sockets: Some(1),
        host_os: HostOs::Linux,
        logical_cores: 14,
        memory_kib: Some(32_500_000),
        ..ROW
    },
];
