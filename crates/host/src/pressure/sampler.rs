//! Reads a machine once.

use super::linux::Linux;
use super::macos::Macos;
use super::sample::Sample;
use crate::machine::{Machine, gpu_counters};
use crate::source::HostSource;
use puma_core::Clock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What could not be read at some time, by what it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Unavailable(BTreeMap<&'static str, String>);

impl Unavailable {
    /// The first reason counts: what comes later is often its consequence.
    pub(super) fn note(&mut self, what: &'static str, reason: &str) {
        self.0.entry(what).or_insert_with(|| reason.to_owned());
    }
}

/// Reads everything that can be told without special rights. A call takes well under a millisecond on Linux without a GPU.
pub struct Sampler {
    host: Arc<dyn HostSource>,
    clock: Arc<dyn Clock>,
    system: System,
    /// Whether there are GPUs whose drivers answer (a Mac's is read with the system).
    has_gpus: bool,
    memory_bytes: Option<u64>,
    unavailable: Unavailable,
}

enum System {
    Linux(Box<Linux>),
    Macos(Macos),
    Other,
}

impl Sampler {
    /// Looks where `machine` keeps its counters. Processes whose names begin with one of `servers` are those that hold the
    /// model, if not this one.
    pub fn new(host: Arc<dyn HostSource>, machine: &Machine, clock: Arc<dyn Clock>, servers: &[String]) -> Self {
        let mut unavailable = Unavailable::default();
        let limited = machine.memory_limit_bytes.is_some();
        let has_gpu = !machine.gpus.is_empty();
        let system = match host.os() {
            "linux" => System::Linux(Box::new(Linux::new(host.as_ref(), limited, servers, &mut unavailable))),
            "macos" => System::Macos(Macos::new(host.as_ref(), has_gpu, &mut unavailable)),
            other => {
                unavailable.note("everything", &format!("nothing is known of how {other} tells it"));
                System::Other
            }
        };
        let has_gpus = has_gpu && matches!(system, System::Linux(_));
        Self { host, clock, system, has_gpus, memory_bytes: machine.memory_bytes, unavailable }
    }

    /// The machine now.
    pub fn read(&mut self) -> Sample {
        let mut sample = Sample { at: self.clock.monotonic(), time: self.clock.now(), ..Sample::default() };
        match &mut self.system {
            System::Linux(linux) => linux.read(self.host.as_ref(), &mut sample, &mut self.unavailable),
            System::Macos(macos) => macos.read(self.host.as_ref(), &mut sample, &mut self.unavailable),
            System::Other => {}
        }
        sample.memory.total_bytes = sample.memory.total_bytes.or(self.memory_bytes);
        if self.has_gpus {
            sample.gpus = gpu_counters(self.host.as_ref());
            if sample.gpus.is_empty() {
                self.unavailable.note("GPU", "its driver tells nothing that changes");
            }
        }
        sample
    }

    /// What could not be read so far, each with its reason, as sentences.
    pub fn unavailable(&self) -> Vec<String> {
        self.unavailable.0.iter().map(|(what, reason)| format!("{what}: {reason}")).collect()
    }
}
