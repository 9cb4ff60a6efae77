//! Which probe a machine needs.

use super::{Machine, declared, gpu, linux, macos};
use crate::source::{HostSource, NativeQuery};

/// The folder the program was started in, whose path is no part of a recording.
const HERE: &str = ".";

/// Bytes an ordinary user can still write where `path` lies or will lie. A recording knows one disk and answers for it.
pub fn disk_free_bytes(host: &dyn HostSource, path: &str) -> Option<u64> {
    let place = if host.is_recorded() { HERE } else { path };
    host.native(&NativeQuery::DiskFree(place.to_owned())).ok()?.trim().parse().ok()
}

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
        machine.disk_free_bytes = disk_free_bytes(host, HERE);
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
