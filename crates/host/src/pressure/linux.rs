//! What Linux tells of itself in `/proc` and `/sys`.

use super::linux_processes::Processes;
use super::linux_text;
use super::sample::{MemorySample, ProcessorSample, Sample};
use super::sampler::Unavailable;
use crate::machine::cgroup;
use crate::source::HostSource;
use std::time::Duration;

const CPUS: &str = "/sys/devices/system/cpu";
const ZONES: &str = "/sys/class/thermal";
/// Processors whose clock and heat are read: asking all of a large server would wake them.
const MOST_PROCESSORS: usize = 16;
/// The limited group is looked for and read this often: that takes a dozen files.
const LIMITS_EVERY: Duration = Duration::from_secs(5);

/// Where to look, found once.
pub(super) struct Linux {
    frequencies: Vec<String>,
    heat_events: Vec<String>,
    heat_ms: Vec<String>,
    zones: Vec<String>,
    processes: Processes,
    limited: bool,
    limit: (Option<u64>, Option<u64>),
    limit_read_at: Option<Duration>,
}

impl Linux {
    pub(super) fn new(host: &dyn HostSource, limited: bool, servers: &[String], unavailable: &mut Unavailable) -> Self {
        let processors = spread(numbered(host, CPUS, "cpu"));
        let there = |file: &str| -> Vec<String> {
            let paths = processors.iter().map(|processor| format!("{CPUS}/{processor}/{file}"));
            paths.filter(|path| host.read(path).is_ok_and(|text| linux_text::number(&text).is_some())).collect()
        };
        let frequencies = there("cpufreq/scaling_cur_freq");
        if frequencies.is_empty() {
            unavailable.note("processor clock", "cpufreq is not there, as in most virtual machines");
        }
        let heat_events = there("thermal_throttle/core_throttle_count");
        if heat_events.is_empty() {
            unavailable.note("processor throttling", "the processor counts none that this system shows");
        }
        let zones = numbered(host, ZONES, "thermal_zone").into_iter().map(|zone| format!("{ZONES}/{zone}/temp"));
        Self {
            frequencies,
            heat_events,
            heat_ms: there("thermal_throttle/core_throttle_total_time_ms"),
            zones: zones.collect(),
            processes: Processes::new(servers),
            limited,
            limit: (None, None),
            limit_read_at: None,
        }
    }

    pub(super) fn read(&mut self, host: &dyn HostSource, sample: &mut Sample, unavailable: &mut Unavailable) {
        sample.processor = self.processor(host, unavailable);
        sample.memory = memory(host, unavailable);
        self.limits(host, sample);
        sample.processes = self.processes.read(host, sample.at);
        let own = sample.processes.first();
        if own.is_none_or(|own| own.ticks.is_none()) {
            unavailable.note("processor time of other programs", "/proc/self/stat does not tell this program's own");
        }
        if own.is_none_or(|own| own.fetched_bytes.is_none()) {
            unavailable.note("what this program fetches from the disk", "/proc/self/io does not tell");
        }
        let degrees = |path: &String| linux_text::number(&host.read(path).ok()?).map(|milli| milli as f64 / 1000.0);
        // Sensors that are not connected say 0 or more than water boils at.
        let heats = self.zones.iter().filter_map(degrees).filter(|degrees| (1.0..=125.0).contains(degrees));
        sample.temperature_c = heats.reduce(f64::max);
    }

    fn processor(&self, host: &dyn HostSource, unavailable: &mut Unavailable) -> ProcessorSample {
        let (all, each) = match host.read("/proc/stat").map(|text| linux_text::processors(&text)) {
            Ok(Some((all, each))) => (Some(all), each),
            Ok(None) => {
                unavailable.note("processor time", "/proc/stat counts none, as in a sandbox such as gVisor");
                (None, Vec::new())
            }
            Err(why) => {
                unavailable.note("processor time", &format!("/proc/stat: {why}"));
                (None, Vec::new())
            }
        };
        let number = |path: &String| linux_text::number(&host.read(path).ok()?);
        // A counter that is missing once would make the sum go back and forth.
        let sum = |paths: &[String]| -> Option<u64> {
            (!paths.is_empty()).then(|| paths.iter().map(number).sum::<Option<u64>>())?
        };
        let frequencies = self.frequencies.iter().filter_map(number).filter(|khz| *khz > 0);
        ProcessorSample {
            all,
            each,
            frequencies_mhz: frequencies.map(|khz| khz as f64 / 1000.0).collect(),
            heat_events: sum(&self.heat_events),
            // The processor that was slowed down longest; a sum would weigh a socket's sensor once for each of its cores.
            heat_ms: self.heat_ms.iter().filter_map(number).max(),
            speed_limit_percent: None,
        }
    }

    fn limits(&mut self, host: &dyn HostSource, sample: &mut Sample) {
        let fresh = self.limit_read_at.is_some_and(|at| sample.at.saturating_sub(at) < LIMITS_EVERY);
        if self.limited && !fresh {
            let memory = cgroup::limits(host).memory;
            self.limit = (memory.as_ref().map(|memory| memory.bytes), memory.and_then(|memory| memory.used_bytes));
            self.limit_read_at = Some(sample.at);
        }
        (sample.memory.limit_bytes, sample.memory.limit_used_bytes) = self.limit;
    }
}

fn memory(host: &dyn HostSource, unavailable: &mut Unavailable) -> MemorySample {
    let mut memory = MemorySample::default();
    match host.read("/proc/meminfo") {
        Ok(text) => linux_text::meminfo(&text, &mut memory),
        Err(why) => unavailable.note("memory in use", &format!("/proc/meminfo: {why}")),
    }
    if memory.total_bytes.is_none() {
        unavailable.note("memory in use", "/proc/meminfo does not tell");
    }
    match host.read("/proc/vmstat") {
        Ok(text) if linux_text::vmstat(&text, &mut memory) => {}
        Ok(_) => unavailable.note("page faults and swap", "/proc/vmstat counts none"),
        Err(why) => unavailable.note("page faults and swap", &format!("/proc/vmstat: {why}")),
    }
    match host.read("/proc/pressure/memory") {
        Ok(text) if linux_text::pressure(&text, &mut memory) => {}
        Ok(_) => unavailable.note("memory pressure", "/proc/pressure/memory cannot be understood"),
        Err(why) => unavailable.note("memory pressure", &format!("/proc/pressure/memory: {why}")),
    }
    memory
}

/// Names in a folder that are `prefix` and a number, by number.
fn numbered(host: &dyn HostSource, folder: &str, prefix: &str) -> Vec<String> {
    let names = host.list(folder).unwrap_or_default();
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| format!("{prefix}{number}")).collect()
}

/// At most [`MOST_PROCESSORS`] of them, evenly spread.
fn spread(names: Vec<String>) -> Vec<String> {
    let step = names.len().div_ceil(MOST_PROCESSORS).max(1);
    names.into_iter().step_by(step).collect()
}
