//! What is known beforehand about a recorded machine.

use puma_host::Machine;
use puma_host::machine::HostOs;

/// One row: only what differs from [`ROW`] is written. A new column gets its "not looked at" value there.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    /// The file under `crates/testkit/machines`, without its ending.
    pub name: &'static str,
    pub cpu: Option<&'static str>,
    pub physical_cores: Option<u32>,
    pub logical_cores: u32,
    pub sockets: Option<u32>,
    pub numa_nodes: Option<u32>,
    /// `6 Performance, 8 Efficiency`; empty where all are alike.
    pub tiers: &'static str,
    pub memory_kib: Option<u64>,
    pub memory_limit_kib: Option<u64>,
    pub cpu_limit_cores: Option<f64>,
    pub container: Option<&'static str>,
    pub virtual_machine: Option<&'static str>,
    pub host_os: HostOs,
    pub translated: bool,
}

/// A machine of which nothing is known.
pub(crate) const ROW: Expected = Expected {
    name: "",
    cpu: None,
    physical_cores: None,
    logical_cores: 0,
    sockets: None,
    numa_nodes: None,
    tiers: "",
    memory_kib: None,
    memory_limit_kib: None,
    cpu_limit_cores: None,
    container: None,
    virtual_machine: None,
    host_os: HostOs::Unknown,
    translated: false,
};

impl Expected {
    /// Panics with the machine's name where `machine` differs from this row.
    pub(crate) fn check(&self, machine: &Machine) {
        let tiers: Vec<String> =
            machine.core_tiers.iter().map(|tier| format!("{} {}", tier.physical_cores, tier.name)).collect();
        let found = Self {
            name: self.name,
            // The rows are static, the machine is not; equal texts are taken from the row.
            cpu: same(machine.cpu.as_deref(), self.cpu, self.name),
            physical_cores: machine.physical_cores,
            logical_cores: machine.logical_cores,
            sockets: machine.sockets,
            numa_nodes: machine.numa_nodes,
            tiers: same(Some(&tiers.join(", ")), Some(self.tiers), self.name).unwrap_or_default(),
            memory_kib: machine.memory_bytes.map(|bytes| bytes / 1024),
            memory_limit_kib: machine.memory_limit_bytes.map(|bytes| bytes / 1024),
            cpu_limit_cores: machine.cpu_limit_cores,
            container: same(machine.surroundings.container.as_deref(), self.container, self.name),
            virtual_machine: same(machine.surroundings.virtual_machine.as_deref(), self.virtual_machine, self.name),
            host_os: machine.surroundings.host_os,
            translated: machine.surroundings.translated,
        };
        assert_eq!(&found, self, "{machine:#?}");
    }
}

fn same(found: Option<&str>, expected: Option<&'static str>, name: &str) -> Option<&'static str> {
    assert_eq!(found, expected, "{name}");
    expected
}
