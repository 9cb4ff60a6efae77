//! A Mac, from the programs that come with macOS.
//!
//! Asked first is what is cheap and stable: `sysctl`, then `ioreg`, Metal, and `system_profiler` (a quarter of a second)
//! only for what the others did not tell.

use super::apple::{Chip, MOST_GPU_CORES, Seen, WorkingSetRule, chip_facts, working_set};
use super::macos_text::{Swap, VmPages, gpu_core_count, metal_device, profiler_gpu_cores, profiler_hardware};
use super::{Apple, CoreTier, Gpu, GpuVendor, HostOs, Machine};
use crate::source::{HostSource, NativeQuery};
use puma_core::{Quality, Reading};
use std::str::FromStr;
use std::time::Duration;

/// `system_profiler` looks at every device.
const PROFILER_LIMIT: Duration = Duration::from_secs(15);

/// No Mac has less or more; another number is a misreading.
const PLAUSIBLE_MEMORY_BYTES: std::ops::RangeInclusive<u64> = (1 << 30)..=(1 << 50);

/// Fills in what the machine tells of itself.
pub(super) fn probe(host: &dyn HostSource, machine: &mut Machine) {
    machine.os_version = host.ask("/usr/bin/sw_vers", &["-productVersion"]).ok().and_then(|text| one_word(&text));
    machine.kernel = text(host, "kern.osrelease").and_then(|text| one_word(&text));
    machine.surroundings.host_os = HostOs::Macos;
    processor(host, machine);
    memory(host, machine);
    if let Some(chip) = apple_chip(host, machine) {
        apple(host, machine, chip);
    }
}

fn text(host: &dyn HostSource, key: &str) -> Option<String> {
    host.sysctl(key).ok().filter(|text| !text.is_empty())
}

fn number<T: FromStr>(host: &dyn HostSource, key: &str) -> Option<T> {
    text(host, key)?.parse().ok()
}

/// A version number, not a message.
fn one_word(text: &str) -> Option<String> {
    let text = text.trim();
    let word = !text.is_empty() && text.len() <= 40 && !text.contains(char::is_whitespace);
    word.then(|| text.to_owned())
}

fn cores(host: &dyn HostSource, key: &str) -> Option<u32> {
    number(host, key).filter(|cores| (1..=1024).contains(cores))
}

fn processor(host: &dyn HostSource, machine: &mut Machine) {
    machine.cpu = text(host, "machdep.cpu.brand_string").filter(|brand| !brand.contains(char::is_control));
    machine.core_tiers = core_tiers(host);
    let in_tiers = || machine.core_tiers.iter().map(|tier| tier.physical_cores).reduce(|sum, cores| sum + cores);
    machine.physical_cores = cores(host, "hw.physicalcpu").or_else(in_tiers);
    let frequency_hz: Option<u64> = number(host, "hw.cpufrequency_max");
    machine.cpu_max_mhz = frequency_hz.filter(|hz| *hz > 0).map(|hz| hz as f64 / 1e6);
    for (key, feature) in [
        ("hw.optional.arm.FEAT_DotProd", "dotprod"),
        ("hw.optional.arm.FEAT_I8MM", "i8mm"),
        ("hw.optional.arm.FEAT_BF16", "bf16"),
        ("hw.optional.arm.FEAT_SME", "sme"),
        ("hw.optional.arm.FEAT_SME2", "sme2"),
        ("hw.optional.avx2_0", "avx2"),
    ] {
        if text(host, key).as_deref() == Some("1") {
            machine.cpu_features.push(feature.to_owned());
        }
    }
}

/// The kinds of cores by the system's own names. `number_processors` of `system_profiler` also tells them, in an order
/// that changes from chip to chip.
fn core_tiers(host: &dyn HostSource) -> Vec<CoreTier> {
    let levels: u32 = number(host, "hw.nperflevels").filter(|levels| (2..=8).contains(levels)).unwrap_or(0);
    let tiers = (0..levels).map(|level| {
        let physical_cores = cores(host, &format!("hw.perflevel{level}.physicalcpu"))?;
        let name = text(host, &format!("hw.perflevel{level}.name")).unwrap_or_else(|| format!("perflevel{level}"));
        Some(CoreTier { name, physical_cores })
    });
    // A level that does not answer makes the others a wrong total.
    tiers.collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn memory(host: &dyn HostSource, machine: &mut Machine) {
    let plausible = |bytes: &u64| PLAUSIBLE_MEMORY_BYTES.contains(bytes);
    machine.memory_bytes = number(host, "hw.memsize").filter(plausible);
    let pages = host.ask("/usr/bin/vm_stat", &[]).ok().and_then(|text| VmPages::parse(&text));
    let available = pages.map(|pages| pages.available_bytes());
    machine.memory_available_bytes = available.filter(|bytes| machine.memory_bytes.is_none_or(|total| *bytes <= total));
    machine.swap_bytes =
        host.sysctl("vm.swapusage").ok().and_then(|text| Swap::parse(&text)).map(|swap| swap.total_bytes);
}

/// The chip, when it is one of Apple's.
fn apple_chip(host: &dyn HostSource, machine: &mut Machine) -> Option<Chip> {
    let named = machine.cpu.as_deref().and_then(Chip::parse);
    let is_apple =
        named.is_some() || machine.arch == "aarch64" || text(host, "hw.optional.arm64").as_deref() == Some("1");
    if !is_apple {
        return None;
    }
    if let Some(chip) = named.clone().filter(|chip| chip.family.is_some()) {
        return Some(chip);
    }
    let hardware = profiler(host, "SPHardwareDataType").and_then(|text| profiler_hardware(&text)).unwrap_or_default();
    if machine.memory_bytes.is_none() {
        machine.memory_bytes = hardware.memory_bytes;
    }
    let told = hardware.chip.as_deref().and_then(Chip::parse).or(named).unwrap_or_else(Chip::unknown);
    machine.cpu = Some(told.brand.clone());
    Some(told)
}

fn profiler(host: &dyn HostSource, section: &str) -> Option<String> {
    host.run("/usr/sbin/system_profiler", &[section, "-json"], PROFILER_LIMIT).ok()
}

fn apple(host: &dyn HostSource, machine: &mut Machine, chip: Chip) {
    let model = text(host, "hw.model").and_then(|text| one_word(&text));
    let hypervisor = text(host, "kern.hv_vmm_present").as_deref() == Some("1");
    let is_virtual =
        chip.is_virtual || hypervisor || model.as_deref().is_some_and(|model| model.starts_with("VirtualMac"));
    // A guest's GPU is not the chip's, whatever the tables say of the chip.
    let gpu_cores = if is_virtual { None } else { counted_gpu_cores(host) };
    let seen = Seen { gpu_cores, cpu_cores: machine.physical_cores, memory_bytes: machine.memory_bytes };
    let facts = chip_facts(&chip, seen);
    let wired_limit_mb = wired_limit_mb(host);
    let metal = host.native(&NativeQuery::MetalDevice).ok().and_then(|text| metal_device(&text));
    let set = metal
        .as_ref()
        .and_then(|metal| metal.working_set_bytes)
        .filter(|bytes| machine.memory_bytes.is_none_or(|memory| *bytes <= memory))
        .map(|bytes| Reading::new(bytes, "Metal recommendedMaxWorkingSetSize", Quality::Measured));
    let rule = WorkingSetRule::of_version(machine.os_version.as_deref());
    let by_rule = machine.memory_bytes.filter(|_| !is_virtual).map(|bytes| working_set(bytes, rule, wired_limit_mb));
    let working_set_bytes = set.or(by_rule);
    let gpu_cores = gpu_cores.or_else(|| facts.gpu_cores.clone().filter(|_| !is_virtual).map(|reading| reading.value));
    if !is_virtual || metal.is_some() {
        let free =
            metal.as_ref().and_then(|metal| Some(metal.working_set_bytes?.saturating_sub(metal.allocated_bytes?)));
        let name = metal.and_then(|metal| metal.name).unwrap_or_else(|| chip.brand.clone());
        let bandwidth = facts.bandwidth_gb_s.filter(|_| !is_virtual);
        machine.gpus.push(gpu(name, working_set_bytes.clone(), free, gpu_cores, bandwidth));
    }
    if is_virtual {
        machine.surroundings.virtual_machine.get_or_insert_with(|| "apple virtualization".to_owned());
    }
    machine.apple = Some(Apple {
        brand: chip.brand,
        family: chip.family,
        generation: chip.generation,
        variant: chip.variant,
        model,
        gpu_cores,
        translated: machine.arch == "x86_64" && is_translated(host),
        virtual_machine: is_virtual,
        working_set_bytes,
        wired_limit_mb,
        table: Some(facts.status.as_str().to_owned()),
    });
}

/// Under Rosetta the processor is Apple's although this program is built for Intel's.
fn is_translated(host: &dyn HostSource) -> bool {
    ["sysctl.proc_translated", "hw.optional.arm64"].iter().any(|key| text(host, key).as_deref() == Some("1"))
}

fn counted_gpu_cores(host: &dyn HostSource) -> Option<u32> {
    let by_ioreg = host.ask("/usr/sbin/ioreg", &["-rc", "AGXAccelerator", "-d1"]).ok();
    let by_ioreg = by_ioreg.and_then(|text| gpu_core_count(&text));
    let counted = by_ioreg.or_else(|| profiler(host, "SPDisplaysDataType").and_then(|text| profiler_gpu_cores(&text)));
    counted.filter(|cores| *cores <= MOST_GPU_CORES)
}

/// The user's own limit; 0 stands for the system's. macOS 13 had it in bytes under another name.
fn wired_limit_mb(host: &dyn HostSource) -> Option<u64> {
    let in_bytes = || number::<u64>(host, "debug.iogpu.wired_limit").map(|bytes| bytes >> 20);
    number(host, "iogpu.wired_limit_mb").or_else(in_bytes).filter(|limit| *limit > 0)
}

fn gpu(
    name: String,
    working_set_bytes: Option<Reading<u64>>,
    free_bytes: Option<u64>,
    cores: Option<u32>,
    bandwidth_gb_s: Option<Reading<f64>>,
) -> Gpu {
    Gpu {
        vendor: GpuVendor::Apple,
        name,
        pci_address: None,
        driver: None,
        memory_bytes: working_set_bytes,
        memory_free_bytes: free_bytes,
        shared_memory_bytes: None,
        unified: true,
        integrated: true,
        bandwidth_gb_s,
        cores,
        compute_target: None,
        power_limit_w: None,
        energy_counter: None,
    }
}
