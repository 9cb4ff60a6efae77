//! One meter of the host, read through its agent.

use super::client::{AgentAddress, AgentError, Client};
use super::shape::{AgentSnapshot, AgentSource};
use crate::energy::{Chain, Missing};
use puma_core::Timestamp;
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub const SOURCE: &str = "host agent";

/// Counts what one of the agent's sources counts.
pub(in crate::energy) struct AgentMeter {
    client: Arc<Mutex<Client>>,
    /// Its name at the agent, and here.
    remote: String,
    source: String,
    quality: Quality,
    resolution: Duration,
    interval: Duration,
    note: Option<String>,
    may_rest: Vec<Channel>,
    previous: Option<(Timestamp, Duration)>,
    counters: Vec<Counted>,
    lost: Vec<Loss>,
}

/// A counter of the host: its value there, its joules here, and the losses told so far.
struct Counted {
    channel: Channel,
    device: String,
    there_j: f64,
    here_j: f64,
    told_ms: u64,
}

impl AgentMeter {
    /// Asks the agent once. Its meters, and what it misses itself.
    ///
    /// # Errors
    /// It does not answer, or has no meters.
    pub(in crate::energy) fn open(address: &AgentAddress) -> Result<Chain, Missing> {
        let mut client = Client::new(address);
        let missing = || Missing::new(SOURCE, &[Channel::Package, Channel::Gpu, Channel::Dram, Channel::System]);
        let snapshot = client.snapshot(Duration::ZERO).map_err(|error| {
            let hint = match error {
                AgentError::Refused => "give it the token that `puma agent` printed",
                AgentError::Format(_) => "use the same version of puma on both sides",
                _ => "start `puma agent` on the host, and let it listen where this container can reach it",
            };
            missing().because(format!("{}: {error}", address.url)).hint(hint)
        })?;
        if snapshot.sources.iter().all(|source| source.counters.is_empty()) {
            return Err(missing().because(format!("{}: the host cannot count its energy either", address.url)));
        }
        let client = Arc::new(Mutex::new(client));
        let with_counters = snapshot.sources.into_iter().filter(|source| !source.counters.is_empty());
        Ok(Chain {
            meters: with_counters.map(|source| Box::new(Self::new(&client, source)) as Box<dyn Meter>).collect(),
            missing: snapshot.missing,
            inside_package: snapshot.inside_package,
        })
    }

    fn new(client: &Arc<Mutex<Client>>, source: AgentSource) -> Self {
        let may_rest = source.counters.iter().filter(|counter| counter.may_rest).map(|counter| counter.channel);
        Self {
            client: Arc::clone(client),
            source: format!("{SOURCE}: {}", source.source),
            quality: source.quality,
            resolution: Duration::from_millis(source.resolution_ms),
            interval: Duration::from_millis(source.interval_ms),
            note: source.note,
            may_rest: may_rest.collect(),
            remote: source.source,
            previous: None,
            counters: Vec::new(),
            lost: Vec::new(),
        }
    }

    fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the source's counters. After the agent began anew, what passed since the last reading is lost.
    fn take(&mut self, snapshot: &AgentSnapshot, source: &AgentSource, now: Duration) -> Vec<MeterReading> {
        let anew = self.previous.filter(|(started_at, _)| *started_at != snapshot.started_at).map(|(_, at)| now - at);
        let readings = source.counters.iter().map(|counter| {
            let lost_ms =
                source.lost.iter().filter(|loss| loss.channel == counter.channel && loss.device == counter.device);
            let lost_ms = lost_ms.map(|loss| loss.duration_ms).sum();
            let known = |one: &Counted| one.channel == counter.channel && one.device == counter.device;
            let place = self.counters.iter().position(known).unwrap_or_else(|| {
                self.counters.push(Counted {
                    channel: counter.channel,
                    device: counter.device.clone(),
                    there_j: counter.energy_j,
                    here_j: 0.0,
                    told_ms: lost_ms,
                });
                self.counters.len() - 1
            });
            let counted = &mut self.counters[place];
            let mut lose = |duration: Duration, reason: &str| {
                let (channel, device) = (counter.channel, counter.device.clone());
                self.lost.push(Loss { channel, device, duration, reason: reason.to_owned() });
            };
            match anew {
                Some(elapsed) => lose(elapsed, "the host's agent was started anew"),
                None => {
                    counted.here_j += (counter.energy_j - counted.there_j).max(0.0);
                    let more_ms = lost_ms.saturating_sub(counted.told_ms);
                    if more_ms > 0 {
                        lose(Duration::from_millis(more_ms), "the host's counter could not be read");
                    }
                }
            }
            (counted.there_j, counted.told_ms) = (counter.energy_j, lost_ms);
            MeterReading { channel: counter.channel, device: counter.device.clone(), energy_j: counted.here_j }
        });
        let readings = readings.collect();
        self.previous = Some((snapshot.started_at, now));
        readings
    }
}

impl Meter for AgentMeter {
    fn source(&self) -> &str {
        &self.source
    }

    fn quality(&self) -> Quality {
        self.quality
    }

    fn resolution(&self) -> Duration {
        self.resolution
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn note(&self) -> Option<String> {
        self.note.clone()
    }

    fn may_rest(&self, channel: Channel) -> bool {
        self.may_rest.contains(&channel)
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let error = |message: String| MeterError { message, fatal: false };
        let snapshot = self.client().snapshot(now).map_err(|why| error(format!("the host's agent: {why}")))?;
        let source = snapshot.sources.iter().find(|source| source.source == self.remote);
        let source = source.ok_or_else(|| error(format!("the host's agent has no {} any more", self.remote)))?;
        if let Some(why) = &source.error {
            return Err(error(format!("on the host: {why}")));
        }
        Ok(self.take(&snapshot, source, now))
    }

    fn losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.lost)
    }
}
