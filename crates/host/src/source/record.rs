//! Everything PUMA asks a machine, asked once and kept.

use super::neutralise::{Names, neutralise};
use super::question::HostSource;
use super::recorded::{RecordedHost, Recording};
use super::recorder::Recorder;
use crate::Machine;
use crate::energy::{ChainOptions, chain};
use crate::machine::gpu_counters;
use crate::pressure::Sampler;
use puma_core::SystemClock;
use std::sync::Arc;
use std::time::Duration;

/// One part of PUMA that asks the machine something.
pub struct Probe {
    pub name: &'static str,
    pub ask: fn(&Arc<dyn HostSource>),
}

/// All of them. Who asks the machine something new adds a line, so that recordings answer it.
pub const PROBES: &[Probe] = &[
    Probe {
        name: "GPU counters",
        ask: |host| {
            gpu_counters(host.as_ref());
        },
    },
    Probe {
        name: "energy",
        ask: |host| {
            let machine = Machine::probe(host.as_ref());
            for meter in &mut chain(host, &machine, &ChainOptions::default()).meters {
                // What a meter cannot read is kept as well.
                let _ = meter.read(Duration::ZERO);
            }
        },
    },
    Probe {
        name: "disturbances",
        ask: |host| {
            let machine = Machine::probe(host.as_ref());
            Sampler::new(Arc::clone(host), &machine, Arc::new(SystemClock::default()), &[]).read();
        },
    },
    Probe {
        name: "machine",
        ask: |host| {
            Machine::probe(host.as_ref());
        },
    },
];

/// A recording, and whether it still is the machine that was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// Without identifiers.
    pub recording: Recording,
    /// Facts about the machine that its neutral answers give otherwise than its own. Empty unless a name of the user or
    /// the machine is also a word that a fact needs.
    pub changed: Vec<String>,
}

/// Asks `host` everything in [`PROBES`]. `description` says which machine it is, and where the answers come from.
pub fn record(host: Arc<dyn HostSource>, description: &str) -> Recorded {
    let names = Names::ask(host.as_ref());
    let recorder = Arc::new(Recorder::new(host));
    let asked: Arc<dyn HostSource> = Arc::clone(&recorder) as Arc<dyn HostSource>;
    for probe in PROBES {
        (probe.ask)(&asked);
    }
    let own = Recording { description: description.to_owned(), ..recorder.recording() };
    let recording = neutralise(own.clone(), &names);
    let changed = differing_facts(&probed(&own), &probed(&recording));
    Recorded { recording, changed }
}

fn probed(recording: &Recording) -> Machine {
    Machine::probe(&RecordedHost::new(recording.clone()))
}

/// Names of the facts, as JSON spells them.
fn differing_facts(one: &Machine, other: &Machine) -> Vec<String> {
    let facts = |machine: &Machine| serde_json::to_value(machine).unwrap_or_default();
    let (one, other) = (facts(one), facts(other));
    let names = one.as_object().into_iter().chain(other.as_object()).flat_map(|object| object.keys());
    let mut differing: Vec<String> = names.filter(|name| one.get(name) != other.get(name)).cloned().collect();
    differing.sort();
    differing.dedup();
    differing
}
