//! Which meters a machine offers, best first, and why the others are missing.

use super::agent::{AgentAddress, AgentMeter};
use super::gpu::gpu_chain;
use super::linux::{Battery, Hwmon, LoadEstimate, MemoryEstimate, PerfEvents, Powercap, ProcessShare};
use super::macos;
use crate::machine::Machine;
use crate::source::HostSource;
use puma_core::measure::{Channel, Meter, TrackingMode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A source of joules that this machine does not offer, or not to this user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// `RAPL powercap`, `NVML energy counter`, ….
    pub source: String,
    /// What it would have counted.
    pub channels: Vec<Channel>,
    /// A sentence: what was tried and what came of it.
    pub reason: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// The device that is there and spends joules which no other source counts either: a total without it would lie.
    #[serde(default)]
    pub uncounted_device: Option<String>,
}

impl Missing {
    pub fn new(source: impl Into<String>, channels: &[Channel]) -> Self {
        Self {
            source: source.into(),
            channels: channels.to_vec(),
            reason: String::new(),
            hint: None,
            uncounted_device: None,
        }
    }

    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn uncounted(mut self, device: impl Into<String>) -> Self {
        self.uncounted_device = Some(device.into());
        self
    }
}

/// How to choose meters.
#[derive(Clone, Debug, Default)]
pub struct ChainOptions {
    /// `None` takes the best there is.
    pub mode: Option<TrackingMode>,
    /// The model runs in this process, not in a server: only then does a process's share mean anything.
    pub model_in_this_process: bool,
    /// The host's agent, for a container or a virtual machine.
    pub agent: Option<AgentAddress>,
    /// The model runs on another machine: without its agent there is nothing to count.
    pub model_elsewhere: bool,
}

/// The meters of a machine and what is missing.
#[derive(Default)]
pub struct Chain {
    pub meters: Vec<Box<dyn Meter>>,
    pub missing: Vec<Missing>,
    /// Devices (as in [`MeterReading::device`](puma_core::measure::MeterReading::device)) whose joules the processor's
    /// package counter contains already: integrated GPUs.
    pub inside_package: Vec<String>,
}

impl Chain {
    /// Takes a source that could be opened, or notes why not. Whether it could.
    pub fn take<M: Meter + 'static>(&mut self, opened: Result<M, Missing>) -> bool {
        match opened {
            Ok(meter) => {
                self.meters.push(Box::new(meter));
                true
            }
            Err(missing) => {
                self.missing.push(missing);
                false
            }
        }
    }

    /// Takes everything of another chain.
    pub fn extend(&mut self, other: Self) {
        self.meters.extend(other.meters);
        self.missing.extend(other.missing);
        self.inside_package.extend(other.inside_package);
    }
}

/// The meters of the machine behind `host`.
pub fn chain(host: &Arc<dyn HostSource>, machine: &Machine, options: &ChainOptions) -> Chain {
    match options.mode {
        Some(TrackingMode::Off) => Chain::default(),
        Some(TrackingMode::Estimated) => estimates(host, machine),
        Some(TrackingMode::Process) => of_this_process(host, machine, options),
        Some(TrackingMode::Machine) | None => of_the_machine(host, machine, options),
    }
}

/// The host's counters through its agent where there is one, else this machine's own, if the model may run on it.
fn of_the_machine(host: &Arc<dyn HostSource>, machine: &Machine, options: &ChainOptions) -> Chain {
    let mut chain = Chain::default();
    match options.agent.as_ref().map(AgentMeter::open) {
        Some(Ok(of_host)) => return of_host,
        Some(Err(missing)) => chain.missing.push(missing),
        None => {}
    }
    if options.model_elsewhere {
        return chain;
    }
    if machine.os == "linux" {
        let counted = processor_counters(host, &mut chain);
        chain.extend(gpu_chain(host, machine, counted));
        chain.take(Battery::open(host));
        chain.take(Hwmon::open(host, Channel::System));
        if !counted {
            chain.extend(estimates(host, machine));
        }
    }
    if machine.os == "macos" {
        chain.extend(macos::meters(host, machine));
    }
    chain
}

/// The best counter of the processor; whether there is one.
fn processor_counters(host: &Arc<dyn HostSource>, chain: &mut Chain) -> bool {
    chain.take(Powercap::open(host))
        || chain.take(PerfEvents::open(host))
        || chain.take(Hwmon::open(host, Channel::Package))
}

/// The processor by its load, the memory by its size.
fn estimates(host: &Arc<dyn HostSource>, machine: &Machine) -> Chain {
    let mut chain = Chain::default();
    if machine.os == "linux" {
        chain.take(LoadEstimate::open(host, machine));
        chain.take(MemoryEstimate::open(machine));
    }
    if machine.os == "macos" {
        chain.extend(macos::estimates(host, machine));
    }
    chain
}

/// This process's share of the processor's meters.
fn of_this_process(host: &Arc<dyn HostSource>, machine: &Machine, options: &ChainOptions) -> Chain {
    let missing = || Missing::new("process mode", &[Channel::Cpu]);
    let mut shares = Chain::default();
    if !options.model_in_this_process {
        let reason = "it counts this process alone, and the model runs in another: its energy would be missed";
        shares.missing.push(missing().because(reason).hint("use `machine`, or the embedded engine"));
    } else if machine.os != "linux" {
        shares.missing.push(missing().because("it needs Linux's account of processor time").hint("use `machine`"));
    } else {
        let mut whole = Chain::default();
        if !processor_counters(host, &mut whole) {
            whole.extend(estimates(host, machine));
        }
        shares.missing = whole.missing;
        for meter in whole.meters {
            shares.meters.push(Box::new(ProcessShare::new(meter, host)));
        }
    }
    shares
}
