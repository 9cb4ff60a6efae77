//! This process's part of what the machine spent, by processor time.
//!
//! All the processor spent in a stretch of time, also what it spends doing nothing, is divided among those who used it.
//! That is fair for a model that runs in this process, and false for every other: what a server in another process or a
//! GPU spends does not show in this process's time.

use super::proc_stat;
use crate::source::HostSource;
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

/// A meter of the machine, of whose joules this process's share is counted.
pub(in crate::energy) struct ProcessShare<M> {
    meter: M,
    host: Arc<dyn HostSource>,
    source: String,
    /// Busy ticks of the machine and ticks of the process at the latest reading.
    previous: Option<(u64, u64)>,
    counters: Vec<Share>,
}

/// One counter of the meter.
struct Share {
    channel: Channel,
    device: String,
    whole_j: f64,
    share_j: f64,
}

impl<M: Meter> ProcessShare<M> {
    pub(in crate::energy) fn new(meter: M, host: &Arc<dyn HostSource>) -> Self {
        let source = format!("{} by processor time", meter.source());
        Self { meter, host: Arc::clone(host), source, previous: None, counters: Vec::new() }
    }

    fn ticks(&self) -> Result<(u64, u64), String> {
        let read = |path: &str| self.host.read(path).map_err(|why| format!("{path}: {why}"));
        let machine = proc_stat::machine(&read("/proc/stat")?).ok_or("/proc/stat counts no processor time")?;
        let process =
            proc_stat::process(&read("/proc/self/stat")?).ok_or("/proc/self/stat counts no processor time")?;
        Ok((machine.busy, process))
    }

    fn share(&mut self, reading: &MeterReading, share: f64) -> MeterReading {
        let of_reading = |one: &Share| one.channel == reading.channel && one.device == reading.device;
        let place = self.counters.iter().position(of_reading).unwrap_or_else(|| {
            let (channel, device) = (reading.channel, reading.device.clone());
            self.counters.push(Share { channel, device, whole_j: reading.energy_j, share_j: 0.0 });
            self.counters.len() - 1
        });
        let counter = &mut self.counters[place];
        counter.share_j += share * (reading.energy_j - counter.whole_j).max(0.0);
        counter.whole_j = reading.energy_j;
        MeterReading { channel: reading.channel, device: reading.device.clone(), energy_j: counter.share_j }
    }
}

impl<M: Meter> Meter for ProcessShare<M> {
    fn source(&self) -> &str {
        &self.source
    }

    fn quality(&self) -> Quality {
        self.meter.quality().max(Quality::Estimated)
    }

    fn resolution(&self) -> Duration {
        // A share of processor time is a matter of ticks of a hundredth of a second.
        self.meter.resolution().max(Duration::from_millis(100))
    }

    fn interval(&self) -> Duration {
        self.meter.interval()
    }

    fn note(&self) -> Option<String> {
        let own = "this process's part of the machine's joules, by processor time".to_owned();
        Some(self.meter.note().into_iter().chain([own]).collect::<Vec<_>>().join("; "))
    }

    fn may_rest(&self, _channel: Channel) -> bool {
        // A process that waits spends nothing.
        true
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let readings = self.meter.read(now)?;
        let (busy, own) = self.ticks().map_err(|message| MeterError { message, fatal: false })?;
        let share = self.previous.map_or(0.0, |(busy_before, own_before)| {
            let (busy, own) = (busy.saturating_sub(busy_before), own.saturating_sub(own_before));
            #[expect(clippy::cast_precision_loss, reason = "ticks of seconds, not of ages")]
            let share = own as f64 / busy.max(1) as f64;
            share.min(1.0)
        });
        self.previous = Some((busy, own));
        let of_processor =
            |reading: &&MeterReading| matches!(reading.channel, Channel::Cpu | Channel::Package | Channel::Dram);
        Ok(readings.iter().filter(of_processor).map(|reading| self.share(reading, share)).collect())
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.meter.losses()
    }
}
