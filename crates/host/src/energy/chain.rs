//! Which meters a machine offers, best first, and why the others are missing.

use super::gpu::gpu_chain;
use super::powercap::Powercap;
use crate::machine::Machine;
use crate::source::HostSource;
use puma_core::measure::{Channel, Meter, TrackingMode};
use serde::Serialize;
use std::sync::Arc;

/// A source of joules that this machine does not offer, or not to this user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missing {
    /// `RAPL powercap`, `NVML energy counter`, ….
    pub source: String,
    /// What it would have counted.
    pub channels: Vec<Channel>,
    /// A sentence: what was tried and what came of it.
    pub reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The device that is there and spends joules which no other source counts either: a total without it would lie.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    let mut chain = Chain::default();
    if options.mode == Some(TrackingMode::Off) {
        return chain;
    }
    if machine.os == "linux" {
        let package_counted = chain.take(Powercap::open(host));
        chain.extend(gpu_chain(host, machine, package_counted));
    }
    chain
}
