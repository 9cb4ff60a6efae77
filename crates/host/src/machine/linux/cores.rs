//! How many processors there are, of which kinds, and how they are grouped.

use super::fields::{cpu_list, processors, value};
use super::{arm, cpu};
use crate::machine::CoreTier;
use crate::source::HostSource;
use std::collections::{BTreeMap, BTreeSet};

const FOLDER: &str = "/sys/devices/system/cpu";

/// The processors of a machine, each with the core it is a thread of.
pub(super) struct Cores {
    /// A name of the core by the number of the processor. Empty when the kernel does not say.
    core_of: BTreeMap<u32, String>,
    sockets: BTreeSet<String>,
}

impl Cores {
    /// From `/proc/cpuinfo` on x86; from the topology of each processor elsewhere.
    pub(super) fn read(host: &dyn HostSource, cpuinfo: &str) -> Self {
        let mut cores = Self { core_of: BTreeMap::new(), sockets: BTreeSet::new() };
        for (number, block) in processors(cpuinfo) {
            let socket = value(block, "physical id", ':');
            if let Some(core) = value(block, "core id", ':') {
                cores.core_of.insert(number, format!("{} {core}", socket.unwrap_or_default()));
            }
            cores.sockets.extend(socket.map(str::to_owned));
        }
        if cores.core_of.is_empty() {
            cores.read_topology(host);
        }
        cores
    }

    fn read_topology(&mut self, host: &dyn HostSource) {
        let online = host.read(&format!("{FOLDER}/online")).ok().and_then(|text| cpu_list(&text));
        for number in online.unwrap_or_default() {
            let read = |name: &str| host.read(&format!("{FOLDER}/cpu{number}/topology/{name}")).ok();
            // Numbers of cores may repeat in each cluster; the list of a core's threads is its own.
            if let Some(threads) = read("thread_siblings_list") {
                self.core_of.insert(number, threads.trim().to_owned());
            }
            self.sockets.extend(read("physical_package_id").map(|id| id.trim().to_owned()).filter(|id| id != "-1"));
        }
    }

    pub(super) fn physical(&self) -> Option<u32> {
        some_count(self.core_of.values().collect::<BTreeSet<_>>().len())
    }

    pub(super) fn sockets(&self) -> Option<u32> {
        some_count(self.sockets.len())
    }

    /// Physical cores that the processors in `set` are threads of.
    fn physical_of(&self, set: &BTreeSet<u32>) -> Option<u32> {
        let cores: BTreeSet<&String> = set.iter().filter_map(|number| self.core_of.get(number)).collect();
        some_count(cores.len())
    }

    /// Kinds of cores, fastest first; empty where all are alike.
    pub(super) fn tiers(&self, host: &dyn HostSource, cpuinfo: &str) -> Vec<CoreTier> {
        let sets = match intel(host) {
            sets if sets.len() > 1 => sets,
            _ => by_capacity(host, cpuinfo),
        };
        let tiers: Vec<CoreTier> = sets
            .into_iter()
            .filter_map(|(name, set)| Some(CoreTier { name, physical_cores: self.physical_of(&set)? }))
            .collect();
        if tiers.len() > 1 { tiers } else { Vec::new() }
    }
}

fn some_count(count: usize) -> Option<u32> {
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// Intel's hybrid processors: the kernel has a performance counter unit for each kind.
fn intel(host: &dyn HostSource) -> Vec<(String, BTreeSet<u32>)> {
    let units = [("cpu_core", "Performance"), ("cpu_atom", "Efficiency"), ("cpu_lowpower", "Low power")];
    let set = |unit: &str| cpu_list(&host.read(&format!("/sys/devices/{unit}/cpus")).ok()?);
    units.into_iter().filter_map(|(unit, name)| Some((name.to_owned(), set(unit)?))).collect()
}

/// ARM: the kernel gives each processor a capacity, 1024 for the fastest. x86 has the file too, but there it tells
/// apart single cores of one kind.
fn by_capacity(host: &dyn HostSource, cpuinfo: &str) -> Vec<(String, BTreeSet<u32>)> {
    let mut sets: BTreeMap<u32, (Option<&'static str>, BTreeSet<u32>)> = BTreeMap::new();
    for (number, block) in processors(cpuinfo) {
        let Some((implementer, part)) = cpu::arm_core(block) else { continue };
        let capacity = host.read(&format!("{FOLDER}/cpu{number}/cpu_capacity")).ok();
        let Some(capacity) = capacity.and_then(|text| text.trim().parse().ok()) else { continue };
        let set = sets.entry(capacity).or_insert((arm::core(implementer, part), BTreeSet::new()));
        set.1.insert(number);
    }
    let name = |capacity, name: Option<&str>| name.map_or_else(|| format!("capacity {capacity}"), str::to_owned);
    sets.into_iter().rev().map(|(capacity, (core, set))| (name(capacity, core), set)).collect()
}

/// Groups of memory that have processors: a graphics processor's memory may be a node of its own.
pub(super) fn numa_nodes(host: &dyn HostSource) -> Option<u32> {
    let nodes = ["has_cpu", "online"].into_iter().find_map(|name| {
        let text = host.read(&format!("/sys/devices/system/node/{name}")).ok()?;
        cpu_list(&text)
    })?;
    some_count(nodes.len())
}

/// The highest frequency any core may run at.
pub(super) fn max_mhz(host: &dyn HostSource) -> Option<f64> {
    let policies = host.list(&format!("{FOLDER}/cpufreq")).ok()?;
    let highest = policies.iter().filter(|name| name.starts_with("policy")).filter_map(|policy| {
        let text = host.read(&format!("{FOLDER}/cpufreq/{policy}/cpuinfo_max_freq")).ok()?;
        // Kilohertz; above a terahertz it is no frequency.
        text.trim().parse::<u32>().ok().filter(|khz| (1..1_000_000_000).contains(khz))
    });
    highest.max().map(|khz| f64::from(khz) / 1000.0)
}
