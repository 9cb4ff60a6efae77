//! The facts about a machine that are stored with every run.

use crate::source::HostSource;
use serde::{Deserialize, Serialize};

/// What is known of a machine. `None` means it could not be read, never a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub os: String,
    pub os_version: Option<String>,
    pub arch: String,
    pub cpu: Option<String>,
    pub physical_cores: Option<u32>,
    /// Logical processors this process may use, after affinity and cgroup limits.
    pub logical_cores: u32,
    /// Instruction sets the embedded engine can use or could profit from.
    pub cpu_features: Vec<String>,
    pub memory_bytes: Option<u64>,
    pub memory_available_bytes: Option<u64>,
    /// cgroup v2 limit, where one is set below the machine's memory.
    pub memory_limit_bytes: Option<u64>,
}

impl Machine {
    /// Reads the machine behind `host`. Cost: a few small files, on macOS a few `sysctl` calls.
    pub fn probe(host: &dyn HostSource) -> Self {
        let mut machine = Self {
            os: host.os().to_owned(),
            arch: host.arch().to_owned(),
            logical_cores: u32::try_from(host.available_parallelism()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        match host.os() {
            "linux" => probe_linux(host, &mut machine),
            "macos" => probe_macos(host, &mut machine),
            _ => {}
        }
        machine
    }

    /// Memory this process may use: the smaller of the machine's and the container's limit.
    pub fn usable_memory_bytes(&self) -> Option<u64> {
        match (self.memory_bytes, self.memory_limit_bytes) {
            (Some(total), Some(limit)) => Some(total.min(limit)),
            (total, limit) => total.or(limit),
        }
    }
}

fn probe_linux(host: &dyn HostSource, machine: &mut Machine) {
    if let Some(text) = host.read("/etc/os-release") {
        machine.os_version = key_value(&text, "PRETTY_NAME", '=').map(|value| value.trim_matches('"').to_owned());
    }
    if let Some(text) = host.read("/proc/cpuinfo") {
        machine.cpu = key_value(&text, "model name", ':').or_else(|| key_value(&text, "Hardware", ':'));
        machine.physical_cores = count_physical_cores(&text);
        let flags = key_value(&text, "flags", ':').or_else(|| key_value(&text, "Features", ':')).unwrap_or_default();
        machine.cpu_features = relevant_features(&flags);
    }
    if let Some(text) = host.read("/proc/meminfo") {
        machine.memory_bytes = kibibytes(&text, "MemTotal");
        machine.memory_available_bytes = kibibytes(&text, "MemAvailable");
    }
    let limit = host.read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse::<u64>().ok());
    machine.memory_limit_bytes = limit.filter(|limit| machine.memory_bytes.is_none_or(|total| *limit < total));
}

fn probe_macos(host: &dyn HostSource, machine: &mut Machine) {
    let sysctl = |name: &str| host.run("sysctl", &["-n", name]).map(|text| text.trim().to_owned());
    machine.os_version = host.run("sw_vers", &["-productVersion"]).map(|text| text.trim().to_owned());
    machine.cpu = sysctl("machdep.cpu.brand_string");
    machine.physical_cores = sysctl("hw.physicalcpu").and_then(|text| text.parse().ok());
    machine.memory_bytes = sysctl("hw.memsize").and_then(|text| text.parse().ok());
    let has = |name: &str| sysctl(name).as_deref() == Some("1");
    for (key, feature) in [
        ("hw.optional.arm.FEAT_DotProd", "dotprod"),
        ("hw.optional.arm.FEAT_I8MM", "i8mm"),
        ("hw.optional.arm.FEAT_BF16", "bf16"),
        ("hw.optional.arm.FEAT_SME", "sme"),
        ("hw.optional.avx2_0", "avx2"),
    ] {
        if has(key) {
            machine.cpu_features.push(feature.to_owned());
        }
    }
}

/// Features worth knowing when two machines are compared, in this order.
const FEATURES: [&str; 14] = [
    "sse4_1",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx_vnni",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
    "sve",
];

fn relevant_features(flags: &str) -> Vec<String> {
    let present: Vec<&str> = flags.split_whitespace().collect();
    FEATURES.iter().filter(|feature| present.contains(feature)).map(|feature| (*feature).to_owned()).collect()
}

/// Distinct (physical id, core id) pairs of `/proc/cpuinfo`; `None` where the kernel does not list them (ARM).
fn count_physical_cores(cpuinfo: &str) -> Option<u32> {
    let mut cores = std::collections::BTreeSet::new();
    for block in cpuinfo.split("\n\n") {
        if let Some(core) = key_value(block, "core id", ':') {
            cores.insert((key_value(block, "physical id", ':'), core));
        }
    }
    if cores.is_empty() { None } else { u32::try_from(cores.len()).ok() }
}

fn kibibytes(meminfo: &str, key: &str) -> Option<u64> {
    let text = key_value(meminfo, key, ':')?;
    text.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The value of the first line `key <separator> value`.
fn key_value(text: &str, key: &str, separator: char) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(separator)?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Recorded {
        os: &'static str,
        arch: &'static str,
        files: BTreeMap<&'static str, &'static str>,
        commands: BTreeMap<&'static str, &'static str>,
    }

    impl HostSource for Recorded {
        fn read(&self, path: &str) -> Option<String> {
            self.files.get(path).map(|text| (*text).to_owned())
        }
        fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
            self.commands.get(format!("{program} {}", arguments.join(" ")).as_str()).map(|text| (*text).to_owned())
        }
        fn os(&self) -> &str {
            self.os
        }
        fn arch(&self) -> &str {
            self.arch
        }
        fn available_parallelism(&self) -> usize {
            2
        }
    }

    #[test]
    fn a_linux_pod_reports_its_limit_and_cores() {
        let host = Recorded {
            os: "linux",
            arch: "x86_64",
            files: BTreeMap::from([
                ("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
                (
                    "/proc/cpuinfo",
                    "model name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 0\nflags\t: fpu avx2 avx fma\n\n\
                     model name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 0\n\n\
                     model name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 1\n",
                ),
                ("/proc/meminfo", "MemTotal:       24576000 kB\nMemAvailable:   20000000 kB\n"),
                ("/sys/fs/cgroup/memory.max", "8589934592\n"),
            ]),
            commands: BTreeMap::new(),
        };
        let machine = Machine::probe(&host);
        assert_eq!(machine.cpu.as_deref(), Some("AMD EPYC 9575F"));
        assert_eq!(machine.physical_cores, Some(2));
        assert_eq!(machine.cpu_features, ["avx", "avx2", "fma"]);
        assert_eq!(machine.memory_bytes, Some(24_576_000 * 1024));
        assert_eq!(machine.usable_memory_bytes(), Some(8 << 30));
    }

    #[test]
    fn an_unlimited_cgroup_is_no_limit() {
        let host = Recorded {
            os: "linux",
            arch: "aarch64",
            files: BTreeMap::from([("/proc/meminfo", "MemTotal: 1000 kB\n"), ("/sys/fs/cgroup/memory.max", "max\n")]),
            commands: BTreeMap::new(),
        };
        let machine = Machine::probe(&host);
        assert_eq!(machine.memory_limit_bytes, None);
        assert_eq!(machine.cpu, None);
    }

    #[test]
    fn a_mac_answers_through_sysctl() {
        let host = Recorded {
            os: "macos",
            arch: "aarch64",
            files: BTreeMap::new(),
            commands: BTreeMap::from([
                ("sysctl -n machdep.cpu.brand_string", "Apple M4 Pro\n"),
                ("sysctl -n hw.memsize", "25769803776\n"),
                ("sysctl -n hw.physicalcpu", "12\n"),
                ("sysctl -n hw.optional.arm.FEAT_I8MM", "1\n"),
                ("sysctl -n hw.optional.arm.FEAT_SME", "0\n"),
                ("sw_vers -productVersion", "15.2\n"),
            ]),
        };
        let machine = Machine::probe(&host);
        assert_eq!(machine.cpu.as_deref(), Some("Apple M4 Pro"));
        assert_eq!(machine.memory_bytes, Some(24 << 30));
        assert_eq!(machine.cpu_features, ["i8mm"]);
    }
}
