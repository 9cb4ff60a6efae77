//! What is found of the GPUs of recorded machines, and which meters count their joules.

use crate::machines::host;
use proptest::prelude::*;
use puma_core::Reading;
use puma_host::energy::{ChainOptions, chain};
use puma_host::machine::{Gpu, GpuVendor, gpu_counters};
use puma_host::source::{HostSource, Kept, KeptNames, Recording};
use puma_host::{Machine, RecordedHost};
use std::fmt::{Debug, Display};
use std::sync::Arc;

/// A machine, a line for each GPU, a part of each note, a line for each meter of its GPUs and each one missing.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        "gpu-rtx2060-mobile-6gb",
        &[
            "Intel integrated GPU 8086:9bc4 @0000:00:02.0, unified, integrated",
            "NVIDIA GeForce RTX 2060 @0000:01:00.0, 6144 MiB (NVML), 336.0 GB/s (NVML memory clock and bus width), 7.5, \
             80 W (NVML), counts energy",
        ],
        &[],
        &["NVML energy counter"],
    ),
    (
        "gpu-rtx2060-mobile-11gbps",
        &[
            "Intel integrated GPU 8086:9bc4 @0000:00:02.0, unified, integrated",
            "NVIDIA GeForce RTX 2060 @0000:01:00.0, 6144 MiB (NVML), 264.0 GB/s (NVML memory clock and bus width), 7.5, \
             80 W (NVML), counts energy",
        ],
        &[],
        &["NVML energy counter"],
    ),
    (
        "gpu-two-rtx3090",
        &[
            "NVIDIA GeForce RTX 3090 @0000:21:00.0, 24576 MiB (NVML), 936.1 GB/s (NVML memory clock and bus width), 8.6, \
             350 W (NVML), counts energy",
            "NVIDIA GeForce RTX 3090 @0000:4a:00.0, 24576 MiB (NVML), 936.1 GB/s (NVML memory clock and bus width), 8.6, \
             350 W (NVML), counts energy",
        ],
        &[],
        &["NVML energy counter"],
    ),
    (
        "gpu-rtx5090",
        &[
            "NVIDIA GeForce RTX 5090 @0000:01:00.0, 32607 MiB (NVML), 1792.1 GB/s (NVML memory clock and bus width), 12.0, \
           575 W (NVML), counts energy",
        ],
        &[],
        &["NVML energy counter"],
    ),
    (
        "gpu-rtx4060-without-power",
        &[
            "NVIDIA GeForce RTX 4060 @0000:01:00.0, 8188 MiB (NVML), 272.0 GB/s (NVML memory clock and bus width), 8.9, \
           115 W (table of GPUs)",
        ],
        &[],
        &["missing: NVML tells neither energy nor power of GPU 0 NVIDIA GeForce RTX 4060"],
    ),
    (
        "gpu-rtx3060-smi-only",
        &["NVIDIA GeForce RTX 3060 @0000:01:00.0, 12288 MiB (nvidia-smi), 360.0 GB/s (table of GPUs), 8.6, \
           170 W (nvidia-smi)"],
        &[],
        &["nvidia-smi power"],
    ),
    (
        "gpu-nvidia-mismatch",
        &[],
        &[
            "NVIDIA GeForce GTX 1660 Ti (0000:01:00.0, driver 550.54.14) cannot be used: NVIDIA's kernel module and its library \
           are of different versions",
        ],
        &[],
    ),
    (
        "gpu-wsl2-rtx4070-laptop",
        &["NVIDIA GeForce RTX 4070 Laptop GPU @0000:01:00.0, 8188 MiB (nvidia-smi), 256.0 GB/s (table of GPUs), 8.9"],
        &[],
        &["missing: nvidia-smi tells no power of GPU 0 NVIDIA GeForce RTX 4070 Laptop GPU"],
    ),
    (
        "gpu-h200",
        &[
            "NVIDIA H200 @0000:04:00.0, 143771 MiB (NVML), 4916.7 GB/s (NVML memory clock and bus width), 9.0, 700 W (NVML), \
           counts energy",
        ],
        &[],
        &["NVML energy counter"],
    ),
    (
        "gpu-a100-mig",
        &[
            "NVIDIA A100-SXM4-80GB MIG 3g.40gb @0000:07:00.0, 40192 MiB (NVML), 1000.4 GB/s (share of the divided board), 8.0",
            "NVIDIA A100-SXM4-80GB MIG 2g.20gb @0000:07:00.0, 19968 MiB (NVML), 497.0 GB/s (share of the divided board), 8.0",
            "NVIDIA A100-SXM4-80GB MIG 1g.10gb @0000:07:00.0, 9728 MiB (NVML), 242.1 GB/s (share of the divided board), 8.0",
        ],
        &["divided by MIG into 3 parts"],
        &["NVML energy counter"],
    ),
    (
        "gpu-gb10-spark",
        &["NVIDIA GB10 @000f:01:00.0, 122574 MiB (the machine's memory), 273.0 GB/s (table of GPUs), 12.1, \
           140 W (table of GPUs), unified, integrated"],
        &[],
        &["NVML power"],
    ),
    (
        "gpu-jetson-agx-orin-64gb",
        &["NVIDIA Jetson AGX Orin GPU, 62840 MiB (the machine's memory), 204.8 GB/s (table of GPUs), 8.7, \
           unified, integrated"],
        &[],
        &["INA3221 rails"],
    ),
    (
        "gpu-rx7900xtx",
        &[
            "AMD Radeon RX 7900 XTX @0000:03:00.0, 24560 MiB (amdgpu sysfs), 15966 MiB shared, 960.0 GB/s (table of GPUs), \
           gfx1100, 339 W (amdgpu sysfs)",
        ],
        &[],
        &["amdgpu power"],
    ),
    (
        "gpu-strix-halo-128gb",
        &[
            "AMD Radeon 8060S @0000:c3:00.0, 512 MiB (amdgpu sysfs), 98304 MiB shared, 256.0 GB/s (table of GPUs), gfx1151, \
           integrated",
        ],
        &[],
        &["amdgpu power of the chip"],
    ),
    (
        "gpu-ryzen-apu-and-rx7800xt",
        &[
            "AMD Radeon RX 7800 XT @0000:03:00.0, 16368 MiB (amdgpu sysfs), 31738 MiB shared, 624.0 GB/s (table of GPUs), \
             gfx1101, 222 W (amdgpu sysfs)",
            "AMD Radeon Graphics (Raphael) @0000:0e:00.0, 512 MiB (amdgpu sysfs), 31738 MiB shared, gfx1036, integrated",
        ],
        &[],
        &["amdgpu power", "amdgpu power of the chip"],
    ),
    (
        "gpu-arc-b580",
        &[
            "Intel integrated GPU 8086:a780 @0000:00:02.0, unified, integrated",
            "Intel Arc B580 @0000:03:00.0, 12288 MiB (table of GPUs), 456.0 GB/s (table of GPUs), Xe2, 190 W (hwmon), \
             counts energy",
        ],
        &[],
        &["hwmon energy counter"],
    ),
];

fn line(gpu: &Gpu) -> String {
    fn told<T>(reading: Option<&Reading<T>>, text: impl Fn(&T) -> String) -> Option<String> {
        reading.map(|reading| format!("{} ({})", text(&reading.value), reading.source))
    }
    let address = gpu.pci_address.as_ref().map_or_else(String::new, |address| format!(" @{address}"));
    let parts = [
        Some(format!("{}{address}", gpu.name)),
        told(gpu.memory_bytes.as_ref(), |bytes| format!("{} MiB", bytes >> 20)),
        gpu.shared_memory_bytes.map(|bytes| format!("{} MiB shared", bytes >> 20)),
        told(gpu.bandwidth_gb_s.as_ref(), |bandwidth| format!("{bandwidth:.1} GB/s")),
        gpu.compute_target.clone(),
        told(gpu.power_limit_w.as_ref(), |watts| format!("{watts:.0} W")),
        gpu.unified.then(|| "unified".to_owned()),
        gpu.integrated.then(|| "integrated".to_owned()),
        (gpu.energy_counter == Some(true)).then(|| "counts energy".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[test]
fn every_recorded_gpu_is_found_once_with_what_its_driver_tells() {
    for (name, gpus, notes, _) in ROWS {
        let machine = Machine::probe(&host(name));
        assert_eq!(machine.gpus.iter().map(line).collect::<Vec<_>>(), *gpus, "{name}");
        assert_eq!(machine.gpu_notes.len(), notes.len(), "{name}: {:?}", machine.gpu_notes);
        for (note, part) in machine.gpu_notes.iter().zip(*notes) {
            assert!(note.contains(part), "{name}: {note}");
        }
    }
}

#[test]
fn every_recorded_gpu_has_a_meter_or_a_reason_why_not() {
    for (name, _, _, meters) in ROWS {
        let source: Arc<dyn HostSource> = Arc::new(host(name));
        let chain = chain(&source, &Machine::probe(source.as_ref()), &ChainOptions::default());
        let of_gpu = |source: &str| {
            ["NVML", "nvidia-smi", "amdgpu", "hwmon energy", "INA3221"].iter().any(|it| source.starts_with(it))
        };
        let found: Vec<String> = chain
            .meters
            .iter()
            .map(|meter| meter.source().to_owned())
            .chain(chain.missing.iter().filter(|it| of_gpu(&it.source)).map(|it| format!("missing: {}", it.reason)))
            .filter(|line| of_gpu(line) || line.starts_with("missing"))
            .collect();
        assert_eq!(found, *meters, "{name}");
    }
}

#[test]
fn a_gpu_that_shares_its_memory_is_never_given_more_than_the_machine_has() {
    for (name, ..) in ROWS {
        let machine = Machine::probe(&host(name));
        for gpu in machine.gpus.iter().filter(|gpu| gpu.unified) {
            let own = gpu.memory_bytes.as_ref().map(|memory| memory.value);
            assert!(own.is_none() || own <= machine.memory_bytes, "{name}: {}", gpu.name);
        }
    }
}

#[test]
fn the_monitor_sees_the_same_gpus_in_the_same_order() {
    let counters = gpu_counters(&host("gpu-ryzen-apu-and-rx7800xt"));
    let addresses: Vec<_> = counters.iter().map(|gpu| gpu.pci_address.as_deref().unwrap_or_default()).collect();
    assert_eq!(addresses, ["0000:03:00.0", "0000:0e:00.0"]);
    assert_eq!(counters[0].power_w, Some(16.0));
    let counters = gpu_counters(&host("gpu-rtx2060-mobile-6gb"));
    assert_eq!(counters.len(), 1);
    assert_eq!((counters[0].memory_used_bytes, counters[0].is_throttled()), (Some(330 << 20), Some(false)));
}

fn recording(files: &[(&str, &str)], folders: &[(&str, &[&str])], commands: &[(&str, &str)]) -> RecordedHost {
    fn kept<'a>(pairs: &'a [(&str, &str)]) -> impl Iterator<Item = (String, Kept)> + 'a {
        pairs.iter().map(|(key, text)| ((*key).to_owned(), Kept::Text((*text).to_owned())))
    }
    RecordedHost::new(Recording {
        format: Recording::FORMAT,
        os: "linux".to_owned(),
        files: kept(files).collect(),
        folders: folders
            .iter()
            .map(|(path, names)| {
                ((*path).to_owned(), KeptNames::Names(names.iter().map(|name| (*name).to_owned()).collect()))
            })
            .collect(),
        commands: kept(commands).collect(),
        ..Recording::default()
    })
}

#[test]
fn a_card_on_nouveau_or_out_of_a_containers_reach_is_explained_and_not_offered() {
    let card = |id: &str, driver: &str| format!("DRIVER={driver}\nPCI_ID={id}\nPCI_SLOT_NAME=0000:01:00.0\n");
    let path = "/sys/class/drm/card0/device/uevent";
    let drm: &[(&str, &[&str])] = &[("/sys/class/drm", &["card0"])];
    for (uevent, part) in [
        (card("10DE:1F11", "nouveau"), "install NVIDIA's own driver"),
        (card("10DE:1F11", "nvidia"), "its driver does not answer"),
        (card("1002:744C", "amdgpu"), "--device /dev/kfd"),
    ] {
        let machine = Machine::probe(&recording(&[(path, &uevent)], drm, &[]));
        assert_eq!(machine.gpus, [], "{uevent}");
        assert!(machine.gpu_notes.len() == 1 && machine.gpu_notes[0].contains(part), "{:?}", machine.gpu_notes);
    }
    let display = card("1AF4:1050", "virtio-pci");
    let machine = Machine::probe(&recording(&[(path, &display)], drm, &[]));
    assert!(machine.gpus.is_empty() && machine.gpu_notes.is_empty());
}

/// What must hold of any GPU, whatever the drivers printed.
fn is_sane(gpu: &Gpu) -> bool {
    let name = &gpu.name;
    let readable = (2..=200).contains(&name.len()) && !name.chars().any(char::is_control);
    let message = ["failed", "error", "n/a", "no devices"].iter().any(|part| name.to_lowercase().contains(part));
    let memory = gpu.memory_bytes.as_ref().is_none_or(|memory| (1..=16 << 40).contains(&memory.value));
    let bandwidth = gpu.bandwidth_gb_s.as_ref().is_none_or(|it| it.value.is_finite() && it.value > 0.0);
    let power = gpu.power_limit_w.as_ref().is_none_or(|it| it.value.is_finite() && it.value > 0.0);
    readable && !message && memory && bandwidth && power && gpu.vendor != GpuVendor::Apple
}

/// Values that drivers print in the place of numbers, and numbers that no GPU has.
const ODD: &[&str] = &[
    "0",
    "-1",
    "0.00",
    "[N/A]",
    "[Not Supported]",
    "[Unknown Error]",
    "NaN",
    "inf",
    "1e308",
    "18446744073709551615",
    "99999999999999999999",
    "ERR!",
    "0x1002",
    "0x8086",
    "8192",
    "24576",
    "00000000:01:00.0",
    "NVIDIA GeForce RTX 3090",
    "amdgpu",
    "xe",
    "vddnb",
    "DRIVER=amdgpu\nPCI_ID=1002:744C\nPCI_SLOT_NAME=0000:03:00.0",
    "\u{0}",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
];

fn odd_value() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(ODD).prop_map(str::to_owned), "\\PC{0,40}", "[0-9,. \n\\[\\]A-Za-z:]{0,60}"]
}

fn no_nonsense(host: impl HostSource + Debug + 'static) -> Result<(), TestCaseError> {
    let machine = Machine::probe(&host);
    for gpu in &machine.gpus {
        prop_assert!(is_sane(gpu), "{gpu:?}");
    }
    let shown = |note: &dyn Display| note.to_string().chars().count() < 400;
    prop_assert!(machine.gpu_notes.iter().all(|note| shown(note)), "{:?}", machine.gpu_notes);
    gpu_counters(&host);
    let host: Arc<dyn HostSource> = Arc::new(host);
    for meter in &mut chain(&host, &machine, &ChainOptions::default()).meters {
        let _ = meter.read(std::time::Duration::from_secs(1));
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_text_of_nvidia_smi_is_taken_for_a_gpu_that_cannot_be(values in prop::collection::vec(odd_value(), 0..40)) {
        let fields = "index,pci.bus_id,name,driver_version,memory.total,memory.free,memory.used,power.draw,power.limit,\
            utilization.gpu,temperature.gpu,clocks.max.memory,enforced.power.limit,vbios_version,compute_cap,\
            mig.mode.current,addressing_mode";
        let command = format!("nvidia-smi --query-gpu={fields} --format=csv,noheader,nounits");
        let mut whole: Vec<&str> = values.iter().map(String::as_str).chain(std::iter::repeat("0")).take(17).collect();
        let cut = values.join(", ");
        no_nonsense(recording(&[], &[], &[(&command, &cut)]))?;
        whole[1] = "00000000:01:00.0";
        no_nonsense(recording(&[], &[], &[(&command, &whole.join(", "))]))?;
    }

    #[test]
    fn no_file_of_sysfs_is_taken_for_a_gpu_that_cannot_be(values in prop::collection::vec(odd_value(), 20), vendor in 0..4usize) {
        let device = "/sys/class/drm/card0/device";
        let names = ["device", "revision", "uevent", "mem_info_vram_total", "mem_info_vram_used", "mem_info_gtt_total",
            "gpu_busy_percent", "product_name", "tile0/physical_vram_size_bytes", "hwmon/hwmon0/name",
            "hwmon/hwmon0/in1_label", "hwmon/hwmon0/power1_average", "hwmon/hwmon0/power1_input", "hwmon/hwmon0/power1_cap",
            "hwmon/hwmon0/energy1_input", "hwmon/hwmon0/power1_max", "hwmon/hwmon0/temp1_input"];
        let paths: Vec<String> = names.iter().map(|name| format!("{device}/{name}")).collect();
        let mut files: Vec<(&str, &str)> = paths.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
        let vendor_file = format!("{device}/vendor");
        files.push((&vendor_file, ["0x1002", "0x8086", "0x10de", &values[17]][vendor]));
        files.push(("/proc/device-tree/model", &values[18]));
        files.push(("/sys/class/kfd/kfd/topology/nodes/1/properties", &values[19]));
        let hwmon = format!("{device}/hwmon");
        let folders: &[(&str, &[&str])] = &[("/sys/class/drm", &["card0", "card0-DP-1", "cardx"]), (&hwmon, &["hwmon0"]),
            ("/dev/dri", &["renderD128"]), ("/sys/class/kfd/kfd/topology/nodes", &["1"])];
        no_nonsense(recording(&files, folders, &[]))?;
    }

    #[test]
    fn no_answer_of_nvml_is_taken_for_a_gpu_that_cannot_be(
        numbers in prop::collection::vec(prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>(), 0u64..100_000], 8),
        small in prop::collection::vec(prop_oneof![Just(0u32), Just(u32::MAX), any::<u32>(), 0u32..100_000], 8),
        name in odd_value(),
        divided in any::<bool>(),
    ) {
        let text = serde_json::json!([{
            "index": small[0], "name": name, "pci_bus_id": name, "memory_total_bytes": numbers[0],
            "memory_free_bytes": numbers[1], "memory_used_bytes": numbers[2], "energy_mj": numbers[3],
            "power_draw_mw": small[1], "memory_bus_width_bits": small[2], "max_memory_clock_mhz": small[3],
            "enforced_power_limit_mw": small[4], "cores": small[5], "mig_mode": divided,
            "mig_devices": [{"name": name, "memory_total_bytes": numbers[4], "memory_free_bytes": numbers[5]}],
        }]).to_string();
        let native = |text: &str| [("nvml devices", text), ("nvml counters", text)]
            .map(|(key, text)| (key.to_owned(), Kept::Text(text.to_owned())));
        let host = |text: &str| RecordedHost::new(Recording {
            format: Recording::FORMAT,
            os: "linux".to_owned(),
            native: native(text).into(),
            ..Recording::default()
        });
        no_nonsense(host(&text))?;
        no_nonsense(host(&name))?;
    }
}
