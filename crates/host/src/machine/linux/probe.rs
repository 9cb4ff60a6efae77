//! The order in which a Linux machine is read.

use super::cores::{Cores, max_mhz, numa_nodes};
use super::cpu;
use super::fields::{kibibytes, processors, value};
use crate::machine::{Machine, cgroup, surroundings};
use crate::source::HostSource;

/// Fills in what `/proc`, `/etc` and `/sys` tell.
pub(in crate::machine) fn probe(host: &dyn HostSource, machine: &mut Machine) {
    let release = host.read("/etc/os-release").or_else(|_| host.read("/usr/lib/os-release")).unwrap_or_default();
    machine.os_version = value(&release, "PRETTY_NAME", '=').map(|name| name.trim_matches('"').to_owned());
    machine.kernel = host.read("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned());
    let cpuinfo = host.read("/proc/cpuinfo").unwrap_or_default();
    read_processors(host, &cpuinfo, machine);
    let meminfo = host.read("/proc/meminfo").unwrap_or_default();
    machine.memory_bytes = kibibytes(&meminfo, "MemTotal").filter(|bytes| *bytes > 0);
    machine.memory_available_bytes = kibibytes(&meminfo, "MemAvailable");
    machine.swap_bytes = kibibytes(&meminfo, "SwapTotal");
    read_limits(host, processors(&cpuinfo).len(), machine);
    machine.surroundings = surroundings::probe(host, &cpuinfo);
}

fn read_processors(host: &dyn HostSource, cpuinfo: &str, machine: &mut Machine) {
    let cores = Cores::read(host, cpuinfo);
    machine.cpu = cpu::name(host, cpuinfo);
    machine.cpu_features = cpu::features(cpuinfo);
    machine.cpu_max_mhz = max_mhz(host);
    machine.physical_cores = cores.physical();
    machine.sockets = cores.sockets();
    machine.core_tiers = cores.tiers(host, cpuinfo);
    machine.numa_nodes = numa_nodes(host);
}

/// A limit that allows all there is limits nothing.
fn read_limits(host: &dyn HostSource, processors: usize, machine: &mut Machine) {
    let limits = cgroup::limits(host);
    if let Some(memory) = limits.memory.filter(|limit| machine.memory_bytes.is_none_or(|total| limit.bytes < total)) {
        machine.memory_limit_bytes = Some(memory.bytes);
        machine.memory_limit_used_bytes = memory.used_bytes;
    }
    machine.cpu_limit_cores = limits.cpu_cores.filter(|cores| processors == 0 || *cores < processors as f64);
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
                "processor\t: 0\nmodel name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 0\nflags\t: fpu avx2 avx fma\n\n\
                 processor\t: 1\nmodel name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 0\n\n\
                 processor\t: 2\nmodel name\t: AMD EPYC 9575F\nphysical id\t: 0\ncore id\t: 1\n",
            ),
            ("/proc/meminfo", "MemTotal:       24576000 kB\nMemAvailable:   20000000 kB\n"),
            ("/proc/self/cgroup", "0::/\n"),
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
