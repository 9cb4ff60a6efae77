//! A Linux machine, from the files its kernel writes.

use super::Machine;
use crate::source::HostSource;

/// Fills in what `/proc`, `/etc` and `/sys` tell.
pub(super) fn probe(host: &dyn HostSource, machine: &mut Machine) {
    if let Ok(text) = host.read("/etc/os-release") {
        machine.os_version = key_value(&text, "PRETTY_NAME", '=').map(|value| value.trim_matches('"').to_owned());
    }
    if let Ok(text) = host.read("/proc/cpuinfo") {
        machine.cpu = key_value(&text, "model name", ':').or_else(|| key_value(&text, "Hardware", ':'));
        machine.physical_cores = count_physical_cores(&text);
        let flags = key_value(&text, "flags", ':').or_else(|| key_value(&text, "Features", ':')).unwrap_or_default();
        machine.cpu_features = relevant_features(&flags);
    }
    if let Ok(text) = host.read("/proc/meminfo") {
        machine.memory_bytes = kibibytes(&text, "MemTotal");
        machine.memory_available_bytes = kibibytes(&text, "MemAvailable");
    }
    let limit = host.read("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<u64>().ok());
    machine.memory_limit_bytes = limit.filter(|limit| machine.memory_bytes.is_none_or(|total| *limit < total));
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
    use crate::source::{Kept, RecordedHost, Recording};

    fn recorded(files: &[(&str, &str)]) -> RecordedHost {
        RecordedHost::new(Recording {
            format: Recording::FORMAT,
            os: "linux".to_owned(),
            available_parallelism: 2,
            files: files.iter().map(|(path, text)| ((*path).to_owned(), Kept::Text((*text).to_owned()))).collect(),
            ..Recording::default()
        })
    }

    #[test]
    fn a_linux_pod_reports_its_limit_and_cores() {
        let machine = Machine::probe(&recorded(&[
            ("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            (
                "/proc/cpuinfo",
                "model name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 0\nflags\t: fpu avx2 avx fma\n\n\
                 model name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 0\n\n\
                 model name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 1\n",
            ),
            ("/proc/meminfo", "MemTotal:       24576000 kB\nMemAvailable:   20000000 kB\n"),
            ("/sys/fs/cgroup/memory.max", "8589934592\n"),
        ]));
        assert_eq!(machine.cpu.as_deref(), Some("AMD EPYC 9575F"));
        assert_eq!(machine.physical_cores, Some(2));
        assert_eq!(machine.cpu_features, ["avx", "avx2", "fma"]);
        assert_eq!(machine.memory_bytes, Some(24_576_000 * 1024));
        assert_eq!(machine.usable_memory_bytes(), Some(8 << 30));
    }

    #[test]
    fn an_unlimited_cgroup_is_no_limit() {
        let machine = Machine::probe(&recorded(&[
            ("/proc/meminfo", "MemTotal: 1000 kB\n"),
            ("/sys/fs/cgroup/memory.max", "max\n"),
        ]));
        assert_eq!(machine.memory_limit_bytes, None);
        assert_eq!(machine.cpu, None);
    }
}
