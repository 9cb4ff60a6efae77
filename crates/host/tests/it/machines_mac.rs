//! Macs. The files are written by `scripts/machines/macs.py`.

use crate::expected::{Expected, ROW};
use crate::machines::host;
use puma_core::Quality;
use puma_host::Machine;
use puma_host::machine::{GpuVendor, HostOs};
use puma_host::profile::{MachineSnapshot, ModeKind};

const GIB: u64 = 1 << 30;

const MAC: Expected = Expected { host_os: HostOs::Macos, ..ROW };

pub(crate) const ROWS: &[Expected] = &[
    Expected {
        name: "mac-a18-pro-8gb",
        cpu: Some("Apple A18 Pro"),
        physical_cores: Some(6),
        logical_cores: 6,
        tiers: "2 Performance, 4 Efficiency",
        memory_kib: Some(8 << 20),
        ..MAC
    },
    Expected {
        name: "mac-intel-i7-16gb",
        cpu: Some("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz"),
        physical_cores: Some(6),
        logical_cores: 6,
        memory_kib: Some(16 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m1-8gb",
        cpu: Some("Apple M1"),
        physical_cores: Some(8),
        logical_cores: 8,
        tiers: "4 Performance, 4 Efficiency",
        memory_kib: Some(8 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m1-max-64gb",
        cpu: Some("Apple M1 Max"),
        physical_cores: Some(10),
        logical_cores: 10,
        tiers: "8 Performance, 2 Efficiency",
        memory_kib: Some(64 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m1-rosetta",
        cpu: Some("Apple M1"),
        physical_cores: Some(8),
        logical_cores: 8,
        tiers: "4 Performance, 4 Efficiency",
        memory_kib: Some(16 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m1-ultra-128gb",
        cpu: Some("Apple M1 Ultra"),
        physical_cores: Some(20),
        logical_cores: 20,
        tiers: "16 Performance, 4 Efficiency",
        memory_kib: Some(128 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m2-24gb",
        cpu: Some("Apple M2"),
        physical_cores: Some(8),
        logical_cores: 8,
        tiers: "4 Performance, 4 Efficiency",
        memory_kib: Some(24 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m2-pro-16gb-wired-limit",
        cpu: Some("Apple M2 Pro"),
        physical_cores: Some(10),
        logical_cores: 10,
        tiers: "6 Performance, 4 Efficiency",
        memory_kib: Some(16 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m2-ultra-192gb",
        cpu: Some("Apple M2 Ultra"),
        physical_cores: Some(24),
        logical_cores: 24,
        tiers: "16 Performance, 8 Efficiency",
        memory_kib: Some(192 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m3-max-128gb",
        cpu: Some("Apple M3 Max"),
        physical_cores: Some(16),
        logical_cores: 16,
        tiers: "12 Performance, 4 Efficiency",
        memory_kib: Some(128 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m3-max-36gb",
        cpu: Some("Apple M3 Max"),
        physical_cores: Some(14),
        logical_cores: 14,
        tiers: "10 Performance, 4 Efficiency",
        memory_kib: Some(36 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m3-pro-18gb",
        cpu: Some("Apple M3 Pro"),
        physical_cores: Some(11),
        logical_cores: 11,
        tiers: "5 Performance, 6 Efficiency",
        memory_kib: Some(18 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m3-ultra-512gb",
        cpu: Some("Apple M3 Ultra"),
        physical_cores: Some(32),
        logical_cores: 32,
        tiers: "24 Performance, 8 Efficiency",
        memory_kib: Some(512 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m4-16gb",
        cpu: Some("Apple M4"),
        physical_cores: Some(10),
        logical_cores: 10,
        tiers: "4 Performance, 6 Efficiency",
        memory_kib: Some(16 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m4-max-128gb",
        cpu: Some("Apple M4 Max"),
        physical_cores: Some(16),
        logical_cores: 16,
        tiers: "12 Performance, 4 Efficiency",
        memory_kib: Some(128 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m4-max-36gb",
        cpu: Some("Apple M4 Max"),
        physical_cores: Some(14),
        logical_cores: 14,
        tiers: "10 Performance, 4 Efficiency",
        memory_kib: Some(36 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m4-pro-24gb",
        cpu: Some("Apple M4 Pro"),
        physical_cores: Some(12),
        logical_cores: 12,
        tiers: "8 Performance, 4 Efficiency",
        memory_kib: Some(24 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m4-pro-48gb",
        cpu: Some("Apple M4 Pro"),
        physical_cores: Some(14),
        logical_cores: 14,
        tiers: "10 Performance, 4 Efficiency",
        memory_kib: Some(48 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m5-24gb",
        cpu: Some("Apple M5"),
        physical_cores: Some(10),
        logical_cores: 10,
        tiers: "4 Super, 6 Efficiency",
        memory_kib: Some(24 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m5-max-128gb",
        cpu: Some("Apple M5 Max"),
        physical_cores: Some(18),
        logical_cores: 18,
        tiers: "6 Super, 12 Performance",
        memory_kib: Some(128 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m6-32gb",
        cpu: Some("Apple M6"),
        physical_cores: Some(12),
        logical_cores: 12,
        tiers: "3 Super, 5 Performance, 4 Efficiency",
        memory_kib: Some(32 << 20),
        ..MAC
    },
    Expected {
        name: "mac-m9-hyper-256gb",
        cpu: Some("Apple M9 Hyper"),
        physical_cores: Some(24),
        logical_cores: 24,
        tiers: "16 Super, 8 Efficiency",
        memory_kib: Some(256 << 20),
        ..MAC
    },
    Expected { name: "mac-nonsense", cpu: Some("Apple processor"), physical_cores: None, logical_cores: 1, ..MAC },
    Expected {
        name: "mac-vm-m4-max",
        cpu: Some("Apple M4 Max (Virtual)"),
        physical_cores: Some(2),
        logical_cores: 2,
        memory_kib: Some(4 << 20),
        virtual_machine: Some("apple virtualization"),
        ..MAC
    },
];

/// What only a Mac tells.
struct Chip {
    name: &'static str,
    family: &'static str,
    generation: u32,
    variant: Option<&'static str>,
    gpu_cores: u32,
    bandwidth_gb_s: f64,
    working_set_gib: f64,
    /// A word of the source of the working set.
    by: &'static str,
    table: &'static str,
}

#[rustfmt::skip]
const CHIPS: &[Chip] = &[
    Chip { name: "mac-a18-pro-8gb", family: "A", generation: 18, variant: Some("Pro"), gpu_cores: 5, bandwidth_gb_s: 60.0, working_set_gib: 5.33, by: "rule", table: "sparse" },
    Chip { name: "mac-m1-8gb", family: "M", generation: 1, variant: None, gpu_cores: 7, bandwidth_gb_s: 68.25, working_set_gib: 5.33, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m1-max-64gb", family: "M", generation: 1, variant: Some("Max"), gpu_cores: 32, bandwidth_gb_s: 400.0, working_set_gib: 51.84, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m1-rosetta", family: "M", generation: 1, variant: None, gpu_cores: 8, bandwidth_gb_s: 68.25, working_set_gib: 10.67, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m1-ultra-128gb", family: "M", generation: 1, variant: Some("Ultra"), gpu_cores: 64, bandwidth_gb_s: 800.0, working_set_gib: 107.52, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m2-24gb", family: "M", generation: 2, variant: None, gpu_cores: 10, bandwidth_gb_s: 100.0, working_set_gib: 16.00, by: "Metal", table: "spec-checked" },
    Chip { name: "mac-m2-pro-16gb-wired-limit", family: "M", generation: 2, variant: Some("Pro"), gpu_cores: 16, bandwidth_gb_s: 200.0, working_set_gib: 11.72, by: "iogpu", table: "spec-checked" },
    Chip { name: "mac-m2-ultra-192gb", family: "M", generation: 2, variant: Some("Ultra"), gpu_cores: 76, bandwidth_gb_s: 800.0, working_set_gib: 144.00, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m3-max-128gb", family: "M", generation: 3, variant: Some("Max"), gpu_cores: 40, bandwidth_gb_s: 400.0, working_set_gib: 107.52, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m3-max-36gb", family: "M", generation: 3, variant: Some("Max"), gpu_cores: 30, bandwidth_gb_s: 300.0, working_set_gib: 27.00, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m3-pro-18gb", family: "M", generation: 3, variant: Some("Pro"), gpu_cores: 14, bandwidth_gb_s: 150.0, working_set_gib: 13.32, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m3-ultra-512gb", family: "M", generation: 3, variant: Some("Ultra"), gpu_cores: 80, bandwidth_gb_s: 819.0, working_set_gib: 464.00, by: "Metal", table: "spec-checked" },
    Chip { name: "mac-m4-16gb", family: "M", generation: 4, variant: None, gpu_cores: 10, bandwidth_gb_s: 120.0, working_set_gib: 11.84, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m4-max-128gb", family: "M", generation: 4, variant: Some("Max"), gpu_cores: 40, bandwidth_gb_s: 546.0, working_set_gib: 107.52, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m4-max-36gb", family: "M", generation: 4, variant: Some("Max"), gpu_cores: 32, bandwidth_gb_s: 410.0, working_set_gib: 28.08, by: "rule", table: "spec-checked" },
    Chip { name: "mac-m4-pro-24gb", family: "M", generation: 4, variant: Some("Pro"), gpu_cores: 16, bandwidth_gb_s: 273.0, working_set_gib: 16.00, by: "Metal", table: "spec-checked" },
    Chip { name: "mac-m4-pro-48gb", family: "M", generation: 4, variant: Some("Pro"), gpu_cores: 20, bandwidth_gb_s: 273.0, working_set_gib: 37.44, by: "Metal", table: "spec-checked" },
    Chip { name: "mac-m5-24gb", family: "M", generation: 5, variant: None, gpu_cores: 10, bandwidth_gb_s: 153.6, working_set_gib: 17.76, by: "rule", table: "sparse" },
    Chip { name: "mac-m5-max-128gb", family: "M", generation: 5, variant: Some("Max"), gpu_cores: 40, bandwidth_gb_s: 614.0, working_set_gib: 107.52, by: "rule", table: "sparse" },
    Chip { name: "mac-m6-32gb", family: "M", generation: 6, variant: None, gpu_cores: 12, bandwidth_gb_s: 170.0, working_set_gib: 24.96, by: "rule", table: "unverified" },
    Chip { name: "mac-m9-hyper-256gb", family: "M", generation: 9, variant: Some("Hyper"), gpu_cores: 64, bandwidth_gb_s: 920.0, working_set_gib: 222.72, by: "rule", table: "unlisted" },
];

#[test]
fn every_mac_knows_its_chip_its_bandwidth_and_what_its_gpu_may_use() {
    for chip in CHIPS {
        let machine = Machine::probe(&host(chip.name));
        let apple = machine.apple.as_ref().unwrap_or_else(|| panic!("{} has a chip of Apple's", chip.name));
        let named = (apple.family.as_deref(), apple.generation, apple.variant.as_deref(), apple.table.as_deref());
        assert_eq!(named, (Some(chip.family), Some(chip.generation), chip.variant, Some(chip.table)), "{}", chip.name);
        assert_eq!(apple.gpu_cores, Some(chip.gpu_cores), "{}", chip.name);
        let set = apple.working_set_bytes.as_ref().unwrap_or_else(|| panic!("{} has a working set", chip.name));
        let gib = set.value as f64 / GIB as f64;
        assert!((gib - chip.working_set_gib).abs() < 0.006, "{}: {gib} GiB", chip.name);
        assert!(set.source.contains(chip.by), "{}: {}", chip.name, set.source);
        assert_eq!(set.quality == Quality::Estimated, chip.by == "rule", "{}", chip.name);
        let [gpu] = machine.gpus.as_slice() else { panic!("{}: {:?}", chip.name, machine.gpus) };
        assert!(gpu.vendor == GpuVendor::Apple && gpu.unified && gpu.integrated, "{}", chip.name);
        assert_eq!((gpu.cores, gpu.memory_bytes.as_ref()), (Some(chip.gpu_cores), Some(set)), "{}", chip.name);
        let bandwidth = gpu.bandwidth_gb_s.as_ref().unwrap_or_else(|| panic!("{} has a bandwidth", chip.name));
        assert_eq!((bandwidth.value, bandwidth.quality), (chip.bandwidth_gb_s, Quality::Estimated), "{}", chip.name);
        assert_eq!(bandwidth.source.contains("extrapolated"), chip.table == "unlisted", "{}", chip.name);
        assert!(!apple.virtual_machine, "{}", chip.name);
        assert_eq!(apple.translated, chip.name.contains("rosetta"), "{}", chip.name);
        assert!(machine.memory_available_bytes.is_some() && machine.swap_bytes.is_some(), "{}", chip.name);
    }
}

#[rustfmt::skip]
const PROFILES: [(&str, &str, Option<&str>, ModeKind); 24] = {
    use ModeKind::{NativeCpu, NativeMetal};
    [
        ("mac-a18-pro-8gb", "apple-silicon-a18-pro", Some("cpu-lite"), NativeMetal),
        ("mac-intel-i7-16gb", "cpu-standard", Some("cpu-standard"), NativeCpu),
        ("mac-m1-8gb", "apple-silicon-m1", Some("cpu-lite"), NativeMetal),
        ("mac-m1-max-64gb", "apple-silicon-m1-max", Some("cpu-standard"), NativeMetal),
        ("mac-m1-rosetta", "apple-silicon-m1", Some("cpu-standard"), NativeCpu),
        ("mac-m1-ultra-128gb", "apple-silicon-m1-ultra", Some("cpu-standard"), NativeMetal),
        ("mac-m2-24gb", "apple-silicon-m2", Some("cpu-standard"), NativeMetal),
        ("mac-m2-pro-16gb-wired-limit", "apple-silicon-m2-pro", Some("cpu-standard"), NativeMetal),
        ("mac-m2-ultra-192gb", "apple-silicon-m2-ultra", Some("cpu-standard"), NativeMetal),
        ("mac-m3-max-128gb", "apple-silicon-m3-max", Some("apple-silicon-m3-max"), NativeMetal),
        ("mac-m3-max-36gb", "apple-silicon-m3-max", Some("apple-silicon-m3-max"), NativeMetal),
        ("mac-m3-pro-18gb", "apple-silicon-m3-pro", Some("apple-silicon-m3-pro"), NativeMetal),
        ("mac-m3-ultra-512gb", "apple-silicon-m3-ultra", Some("cpu-standard"), NativeMetal),
        ("mac-m4-16gb", "apple-silicon-m4", Some("apple-silicon-m4"), NativeMetal),
        ("mac-m4-max-128gb", "apple-silicon-m4-max", Some("apple-silicon-m4-max"), NativeMetal),
        ("mac-m4-max-36gb", "apple-silicon-m4-max", Some("apple-silicon-m4-max"), NativeMetal),
        ("mac-m4-pro-24gb", "apple-silicon-m4-pro", Some("apple-silicon-m4-pro"), NativeMetal),
        ("mac-m4-pro-48gb", "apple-silicon-m4-pro", Some("apple-silicon-m4-pro"), NativeMetal),
        ("mac-m5-24gb", "apple-silicon-m5", Some("apple-silicon-m5"), NativeMetal),
        ("mac-m5-max-128gb", "apple-silicon-m5-max", Some("apple-silicon-m5-max"), NativeMetal),
        ("mac-m6-32gb", "apple-silicon-m6", Some("cpu-standard"), NativeMetal),
        ("mac-m9-hyper-256gb", "apple-silicon-m9-hyper", Some("cpu-standard"), NativeMetal),
        ("mac-nonsense", "apple-silicon-processor", None, NativeMetal),
        ("mac-vm-m4-max", "cpu-small", None, NativeCpu),
    ]
};

#[test]
fn every_mac_has_a_profile_and_a_mode_and_is_told_when_its_gpu_is_out_of_reach() {
    assert_eq!(PROFILES.map(|row| row.0).as_slice(), ROWS.iter().map(|row| row.name).collect::<Vec<_>>());
    for (name, id, upstream_id, kind) in PROFILES {
        let taken = MachineSnapshot::take(&host(name), None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = (taken.profile.id.as_str(), taken.profile.upstream_id, taken.mode.kind);
        assert_eq!(found, (id, upstream_id, kind), "{name}: {}", taken.profile.reason);
        let out_of_reach = name == "mac-vm-m4-max" || name == "mac-m1-rosetta";
        assert_eq!(!taken.mode.warnings.is_empty(), out_of_reach, "{name}: {:?}", taken.mode.warnings);
    }
}

#[test]
fn a_mac_that_set_a_limit_for_the_gpu_says_which() {
    let machine = Machine::probe(&host("mac-m2-pro-16gb-wired-limit"));
    assert_eq!(machine.apple.and_then(|apple| apple.wired_limit_mb), Some(12_000));
    let machine = Machine::probe(&host("mac-m1-8gb"));
    assert_eq!(machine.apple.expect("a chip of Apple's").wired_limit_mb, None, "0 is the system's own limit");
}

#[test]
fn a_virtual_mac_promises_nothing_of_the_chip_below() {
    let machine = Machine::probe(&host("mac-vm-m4-max"));
    let apple = machine.apple.expect("a chip of Apple's");
    assert_eq!((apple.brand.as_str(), apple.virtual_machine), ("Apple M4 Max", true));
    assert_eq!((apple.gpu_cores, apple.working_set_bytes), (None, None));
    let [gpu] = machine.gpus.as_slice() else { panic!("{:?}", machine.gpus) };
    assert_eq!((gpu.name.as_str(), &gpu.bandwidth_gb_s, &gpu.memory_bytes), ("Apple Paravirtual device", &None, &None));
}

#[test]
fn an_intel_mac_has_no_chip_of_apples() {
    let machine = Machine::probe(&host("mac-intel-i7-16gb"));
    assert_eq!((machine.apple, machine.gpus.len()), (None, 0));
    assert_eq!(machine.cpu_features, ["avx2"]);
    assert_eq!(machine.cpu_max_mhz, Some(2600.0));
}

#[test]
fn nonsense_is_not_taken_for_facts() {
    let machine = Machine::probe(&host("mac-nonsense"));
    let apple = machine.apple.as_ref().expect("the build is for Apple's processors");
    assert_eq!((apple.generation, apple.gpu_cores, &apple.model), (None, None, &None));
    assert_eq!((&apple.working_set_bytes, apple.wired_limit_mb), (&None, None));
    assert!(!apple.virtual_machine && !apple.translated);
    assert_eq!((machine.memory_bytes, machine.memory_available_bytes, machine.swap_bytes), (None, None, None));
    assert_eq!((machine.os_version, machine.kernel), (None, None));
    let bandwidths: Vec<_> = machine.gpus.iter().map(|gpu| gpu.bandwidth_gb_s.clone()).collect();
    assert_eq!(bandwidths, [None]);
}

#[test]
fn memory_that_programs_can_get_is_read_from_vm_stat() {
    let machine = Machine::probe(&host("mac-m3-pro-18gb"));
    assert_eq!(machine.memory_available_bytes, Some((33_762 + 401_894 + 172_602 + 5_850) * 16_384));
    assert_eq!(machine.swap_bytes, Some(2 * GIB));
    assert_eq!(machine.os_version.as_deref(), Some("26.1"));
}
