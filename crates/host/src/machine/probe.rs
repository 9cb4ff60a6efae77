//! Which probe a machine needs.

use super::{Machine, declared, gpu, linux, macos};
use crate::source::HostSource;

impl Machine {
    /// Reads the machine behind `host`: a few small files, on macOS a few programs.
    pub fn probe(host: &dyn HostSource) -> Self {
        let mut machine = Self {
            os: host.os().to_owned(),
            arch: host.arch().to_owned(),
            logical_cores: u32::try_from(host.available_parallelism()).unwrap_or(u32::MAX),
            recorded: host.is_recorded(),
            ..Self::default()
        };
        match host.os() {
            "linux" => {
                linux::probe(host, &mut machine);
                gpu::probe(host, &mut machine);
            }
            "macos" => macos::probe(host, &mut machine),
            _ => {}
        }
        declared::apply(host, &mut machine);
        machine
    }
}
