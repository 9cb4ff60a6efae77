//! The host's side: meters, asked when somebody asks.

use super::shape::{AgentCounter, AgentLoss, AgentSnapshot, AgentSource};
use crate::energy::Chain;
use crate::energy::session::sample;
use puma_core::measure::{Loss, Meter};
use puma_core::{Clock, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// The meters of this machine, for others to read.
pub struct Agent {
    chain: Chain,
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    /// By meter.
    lost: Vec<Vec<Loss>>,
}

impl Agent {
    pub fn new(chain: Chain, clock: Arc<dyn Clock>) -> Self {
        let lost = vec![Vec::new(); chain.meters.len()];
        Self { chain, started_at: clock.now(), clock, lost }
    }

    /// Reads every meter. Takes as long as the slowest of them: a few milliseconds on Linux.
    pub fn snapshot(&mut self) -> AgentSnapshot {
        let clock = self.clock.as_ref();
        let sources = (self.chain.meters.iter_mut().zip(&mut self.lost))
            .map(|(meter, lost)| read(meter.as_mut(), clock, lost))
            .collect();
        AgentSnapshot {
            format: AgentSnapshot::FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            measured_at: clock.now(),
            sources,
            missing: self.chain.missing.clone(),
            inside_package: self.chain.inside_package.clone(),
        }
    }
}

fn read(meter: &mut dyn Meter, clock: &dyn Clock, lost: &mut Vec<Loss>) -> AgentSource {
    let (_, said, losses) = sample(meter, clock);
    for loss in losses {
        let alike = |known: &&mut Loss| {
            known.channel == loss.channel && known.device == loss.device && known.reason == loss.reason
        };
        match lost.iter_mut().find(alike) {
            Some(known) => known.duration += loss.duration,
            None => lost.push(loss),
        }
    }
    let (readings, error) = match said {
        Ok(readings) => (readings, None),
        Err(error) => (Vec::new(), Some(error.message)),
    };
    let counter = |reading: puma_core::measure::MeterReading| AgentCounter {
        channel: reading.channel,
        may_rest: meter.may_rest(reading.channel),
        device: reading.device,
        energy_j: reading.energy_j,
    };
    AgentSource {
        source: meter.source().to_owned(),
        quality: meter.quality(),
        resolution_ms: milliseconds(meter.resolution()),
        interval_ms: milliseconds(meter.interval()),
        note: meter.note(),
        error,
        counters: readings.into_iter().map(counter).collect(),
        lost: lost
            .iter()
            .map(|loss| AgentLoss {
                channel: loss.channel,
                device: loss.device.clone(),
                duration_ms: milliseconds(loss.duration),
                reason: loss.reason.clone(),
            })
            .collect(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
