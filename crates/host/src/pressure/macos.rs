//! What a Mac's programs tell.
//!
//! Every answer is a program's, which takes milliseconds: what changes slowly is asked less often, and what this Mac does
//! not have is asked once.

use super::sample::{MemorySample, PressureLevel, ProcessSample, Sample, Ticks};
use super::sampler::Unavailable;
use crate::machine::GpuCounters;
use crate::machine::macos_text::{Swap, VmPages};
use crate::source::{HostSource, NativeQuery};
use serde::Deserialize;
use std::time::Duration;

const KEYS: [&str; 3] = ["kern.memorystatus_vm_pressure_level", "kern.memorystatus_level", "vm.swapusage"];
const THERMAL_LEVEL: &str = "machdep.xcpm.cpu_thermal_level";
/// How often heat and the GPU are asked for.
const SLOWLY: Duration = Duration::from_secs(5);

/// What is remembered between two samples.
pub(super) struct Macos {
    has_thermal_level: bool,
    has_gpu: bool,
    asked_slowly_at: Option<Duration>,
    speed_limit_percent: Option<f64>,
    gpus: Vec<GpuCounters>,
}

impl Macos {
    pub(super) fn new(host: &dyn HostSource, has_gpu: bool, unavailable: &mut Unavailable) -> Self {
        unavailable.note("processor time of other programs", "macOS tells it only program by program");
        unavailable.note("processor clock", "macOS tells it only to the administrator");
        let has_thermal_level = host.sysctl(THERMAL_LEVEL).is_ok_and(|text| text.parse::<u32>().is_ok());
        Self { has_thermal_level, has_gpu, asked_slowly_at: None, speed_limit_percent: None, gpus: Vec::new() }
    }

    pub(super) fn read(&mut self, host: &dyn HostSource, sample: &mut Sample, unavailable: &mut Unavailable) {
        sample.processor.all = host.native(&NativeQuery::ProcessorTicks).ok().and_then(|text| ticks(&text));
        if sample.processor.all.is_none() {
            unavailable.note("processor time", "the kernel does not tell");
        }
        sample.memory = memory(host, unavailable);
        sample.processes = vec![ProcessSample { id: "self".to_owned(), ..ProcessSample::default() }];
        if self.asked_slowly_at.is_none_or(|at| sample.at.saturating_sub(at) >= SLOWLY) {
            self.asked_slowly_at = Some(sample.at);
            self.speed_limit_percent = self.speed_limit(host, unavailable);
            if self.has_gpu {
                self.gpus = gpu(host, unavailable);
            }
        }
        sample.processor.speed_limit_percent = self.speed_limit_percent;
        sample.gpus.clone_from(&self.gpus);
    }

    /// Percent of the full clock. Apple's own chips tell no number, only that nothing was noted.
    fn speed_limit(&self, host: &dyn HostSource, unavailable: &mut Unavailable) -> Option<f64> {
        if self.has_thermal_level {
            let level: f64 = host.sysctl(THERMAL_LEVEL).ok()?.parse().ok()?;
            // 0 is free; every step takes an unknown part away.
            return (0.0..=200.0).contains(&level).then_some(if level == 0.0 {
                100.0
            } else {
                (100.0 - level).max(1.0)
            });
        }
        match host.ask("/usr/bin/pmset", &["-g", "therm"]) {
            Ok(text) => speed_limit_percent(&text),
            Err(why) => {
                unavailable.note("processor throttling", &format!("pmset -g therm: {why}"));
                None
            }
        }
    }
}

/// `CPU_Speed_Limit = 72`, or a sentence that no warning was recorded.
fn speed_limit_percent(text: &str) -> Option<f64> {
    let limit = text.lines().find_map(|line| line.trim().strip_prefix("CPU_Speed_Limit")?.trim().strip_prefix('='));
    if let Some(limit) = limit {
        return limit.trim().parse().ok().filter(|percent| (1.0..=100.0).contains(percent));
    }
    text.contains("No thermal warning level has been recorded").then_some(100.0)
}

fn memory(host: &dyn HostSource, unavailable: &mut Unavailable) -> MemorySample {
    let mut memory = MemorySample::default();
    // The size does not change, and a program less is a program less.
    match host.ask("/usr/bin/vm_stat", &[]).map(|text| VmPages::parse(&text)) {
        Ok(Some(pages)) => {
            memory.available_bytes = Some(pages.available_bytes());
            memory.read_again_bytes = pages.bytes("Pageins");
            memory.swapped_in_bytes = pages.bytes("Swapins");
            memory.swapped_out_bytes = pages.bytes("Swapouts");
        }
        Ok(None) => unavailable.note("page faults and swap", "what vm_stat prints cannot be understood"),
        Err(why) => unavailable.note("page faults and swap", &format!("vm_stat: {why}")),
    }
    let together = host.ask("/usr/sbin/sysctl", &KEYS).ok();
    let value = |key: &str| -> Option<String> {
        let named = together.as_deref().and_then(|text| {
            text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix([':', '=']))
        });
        named.map(|text| text.trim().to_owned()).or_else(|| host.sysctl(key).ok())
    };
    memory.level = value(KEYS[0]).and_then(|text| level(&text));
    memory.free_percent = value(KEYS[1]).and_then(|text| text.parse().ok()).filter(|free| (0.0..=100.0).contains(free));
    if let Some(swap) = value(KEYS[2]).and_then(|text| Swap::parse(&text)) {
        (memory.swap_total_bytes, memory.swap_used_bytes) = (Some(swap.total_bytes), Some(swap.used_bytes));
    }
    if memory.level.is_none() {
        unavailable.note("memory pressure", "kern.memorystatus_vm_pressure_level tells no level that is known");
    }
    memory
}

fn level(text: &str) -> Option<PressureLevel> {
    match text.trim() {
        "1" => Some(PressureLevel::Normal),
        "2" => Some(PressureLevel::Warning),
        "4" => Some(PressureLevel::Critical),
        _ => None,
    }
}

#[derive(Deserialize)]
struct KernelTicks {
    user: u32,
    system: u32,
    idle: u32,
    nice: u32,
}

/// The kernel's counters have 32 bits: where one wraps around, the sum goes back, and that interval is left out.
fn ticks(text: &str) -> Option<Ticks> {
    let KernelTicks { user, system, idle, nice } = serde_json::from_str(text).ok()?;
    let busy = u64::from(user) + u64::from(system) + u64::from(nice);
    Some(Ticks { busy, total: busy + u64::from(idle), stolen: 0 }).filter(|ticks| ticks.total > 0)
}

fn gpu(host: &dyn HostSource, unavailable: &mut Unavailable) -> Vec<GpuCounters> {
    match host.ask("/usr/sbin/ioreg", &["-rc", "AGXAccelerator", "-d1"]).map(|text| performance(&text)) {
        Ok(Some(counters)) => vec![counters],
        Ok(None) => {
            unavailable.note("GPU", "ioreg prints no statistics of it");
            Vec::new()
        }
        Err(why) => {
            unavailable.note("GPU", &format!("ioreg: {why}"));
            Vec::new()
        }
    }
}

/// `"PerformanceStatistics" = {"In use system memory (driver)"=0,…,"Device Utilization %"=30,…}`. The quote that ends a key
/// tells `In use system memory` from its sibling of the driver, which comes first and is 0.
fn performance(text: &str) -> Option<GpuCounters> {
    let statistics = text.lines().find(|line| line.contains("\"PerformanceStatistics\""))?;
    let value = |key: &str| {
        let (_, rest) = statistics.split_once(&format!("\"{key}\"="))?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    };
    let counters = GpuCounters {
        memory_used_bytes: value("In use system memory"),
        utilization_percent: value("Device Utilization %")
            .filter(|percent| *percent <= 100)
            .map(|percent| percent as f64),
        ..GpuCounters::default()
    };
    (counters != GpuCounters::default()).then_some(counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_drivers_own_memory_is_not_taken_for_the_gpus() {
        let text = "+-o AGX\n  {\n    \"PerformanceStatistics\" = {\"In use system memory (driver)\"=0,\"Tiler Utilization %\"=31,\"Device Utilization %\"=30,\"In use system memory\"=356089856}\n";
        let counters = performance(text).expect("statistics");
        assert_eq!((counters.memory_used_bytes, counters.utilization_percent), (Some(356_089_856), Some(30.0)));
        assert_eq!(performance("+-o AGX\n"), None);
    }

    #[test]
    fn a_speed_limit_is_read_from_what_pmset_says() {
        let intel = "Note: No thermal warning level has been recorded\n\tCPU_Scheduler_Limit \t= 100\n\tCPU_Speed_Limit \t= 72\n";
        assert_eq!(speed_limit_percent(intel), Some(72.0));
        assert_eq!(speed_limit_percent("Note: No thermal warning level has been recorded\n"), Some(100.0));
        assert_eq!(speed_limit_percent("CPU_Speed_Limit = 0\n"), None);
        assert_eq!(speed_limit_percent("something else"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "(?s).*") {
            performance(&text);
            speed_limit_percent(&text);
            ticks(&text);
            level(&text);
        }
    }
}
