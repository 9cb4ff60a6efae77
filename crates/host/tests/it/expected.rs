//! What is known beforehand about a recorded machine.

use puma_host::Machine;
use puma_host::machine::HostOs;
use std::fmt::Debug;

/// One row: only what differs from [`ROW`] is written. A new column gets its "not looked at" value there.
#[derive(Debug)]
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
    /// Every column in which `machine` is not as expected: `name: column: found …, expected …`.
    pub(crate) fn differences(&self, machine: &Machine) -> Vec<String> {
        let tiers: Vec<String> =
            machine.core_tiers.iter().map(|tier| format!("{} {}", tier.physical_cores, tier.name)).collect();
        let kib = |bytes: Option<u64>| bytes.map(|bytes| bytes / 1024);
        let around = &machine.surroundings;
        let columns = [
            ("cpu", text(&machine.cpu.as_deref()), text(&self.cpu)),
            ("physical cores", text(&machine.physical_cores), text(&self.physical_cores)),
            ("logical cores", text(&machine.logical_cores), text(&self.logical_cores)),
            ("sockets", text(&machine.sockets), text(&self.sockets)),
            ("numa nodes", text(&machine.numa_nodes), text(&self.numa_nodes)),
            ("tiers", text(&tiers.join(", ")), text(&self.tiers)),
            ("memory", text(&kib(machine.memory_bytes)), text(&self.memory_kib)),
            ("memory limit", text(&kib(machine.memory_limit_bytes)), text(&self.memory_limit_kib)),
            ("cpu limit", text(&machine.cpu_limit_cores), text(&self.cpu_limit_cores)),
            ("container", text(&around.container.as_deref()), text(&self.container)),
            ("virtual machine", text(&around.virtual_machine.as_deref()), text(&self.virtual_machine)),
            ("host", text(&around.host_os), text(&self.host_os)),
            ("translated", text(&around.translated), text(&self.translated)),
        ];
        let differing = columns.into_iter().filter(|(_, found, expected)| found != expected);
        differing
            .map(|(column, found, expected)| format!("{}: {column}: found {found}, expected {expected}", self.name))
            .collect()
    }
}

fn text(value: &impl Debug) -> String {
    format!("{value:?}")
}
