//! No counter: the processor's power from its load, the memory's from its size.
//!
//! Both are guesses, good to a factor of two at best. The curve and the 4 W for each thread of an unknown processor are
//! CodeCarbon's, so that the two programs agree where neither can measure.

use super::cpu_power;
use super::proc_stat::{self, Ticks};
use crate::energy::chain::Missing;
use crate::machine::Machine;
use crate::source::HostSource;
use puma_core::measure::{Channel, Meter, MeterError, MeterReading, Quality};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: &str = "processor load";
const STAT: &str = "/proc/stat";
/// What an unknown processor is taken to draw for each thread at full load.
const UNKNOWN_W_PER_THREAD: f64 = 4.0;
/// Watts of memory for each GiB, idle or not: 3 W for a module of 8 GB.
const MEMORY_W_PER_GIB: f64 = 0.375;
/// Load over less than this is a matter of single ticks.
const RESOLUTION: Duration = Duration::from_millis(100);
/// The curve is steep: the interval is the one at which CodeCarbon samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// The processor's energy by its load.
pub(in crate::energy) struct LoadEstimate {
    host: Arc<dyn HostSource>,
    peak_w: f64,
    note: String,
    previous: Option<(Ticks, Duration)>,
    /// Joules up to `previous`, and what was told; between two loads the latest power goes on.
    energy_j: f64,
    latest_w: f64,
    told_j: f64,
}

impl LoadEstimate {
    /// Prepares the estimate.
    ///
    /// # Errors
    /// The system does not tell how busy its processors are.
    pub(in crate::energy) fn open(host: &Arc<dyn HostSource>, machine: &Machine) -> Result<Self, Missing> {
        let missing = || Missing::new(SOURCE, &[Channel::Cpu]);
        let text = host.read(STAT).map_err(|why| missing().because(format!("{STAT}: {why}")))?;
        let Some(ticks) = proc_stat::machine(&text).filter(|ticks| ticks.total > 0) else {
            return Err(missing().because(format!("{STAT} counts no processor time, as in a sandbox such as gVisor")));
        };
        let (peak_w, basis) = peak(machine, ticks.processors);
        let note = format!("{peak_w:.0} W at full load ({basis}) × (0.1 + 0.9 × load³)");
        Ok(Self { host: Arc::clone(host), peak_w, note, previous: None, energy_j: 0.0, latest_w: 0.0, told_j: 0.0 })
    }

    /// Joules up to `now`.
    fn advance(&mut self, ticks: Ticks, now: Duration) -> f64 {
        let Some((before, at)) = self.previous else {
            self.previous = Some((ticks, now));
            return 0.0;
        };
        let elapsed = now.saturating_sub(at);
        // Ticks that go back are those of a machine that was put to sleep.
        let went_back = ticks.total < before.total;
        if !went_back && (ticks.total == before.total || elapsed < RESOLUTION) {
            return self.energy_j + self.latest_w * elapsed.as_secs_f64();
        }
        if !went_back {
            #[expect(clippy::cast_precision_loss, reason = "ticks of seconds, not of ages")]
            let load = ticks.busy.saturating_sub(before.busy) as f64 / (ticks.total - before.total) as f64;
            self.latest_w = self.power_w(load.min(1.0));
        }
        self.energy_j += self.latest_w * elapsed.as_secs_f64();
        self.previous = Some((ticks, now));
        self.energy_j
    }

    fn power_w(&self, load: f64) -> f64 {
        self.peak_w * (0.1 + 0.9 * load * load * load)
    }
}

/// Watts at full load, and where they come from.
fn peak(machine: &Machine, processors_seen: usize) -> (f64, String) {
    let seen = u32::try_from(processors_seen.max(1)).unwrap_or(u32::MAX);
    let cpu = machine.cpu.as_deref().unwrap_or("unknown processor");
    let sockets = machine.sockets.unwrap_or(1).max(1);
    let Some(row) = cpu_power::find(cpu) else {
        let basis =
            format!("the TDP of `{cpu}` is not in the table: {UNKNOWN_W_PER_THREAD:.0} W for each of {seen} threads");
        return (UNKNOWN_W_PER_THREAD * f64::from(seen), basis);
    };
    let whole_w = row.tdp_w * f64::from(sockets);
    let threads = row.threads.saturating_mul(sockets);
    if machine.surroundings.virtual_machine.is_some() && seen < threads {
        let share = f64::from(seen) / f64::from(threads);
        let basis =
            format!("TDP {whole_w:.0} W of `{cpu}`, by the {seen} of {threads} threads that this virtual machine sees");
        return (whole_w * share, basis);
    }
    (whole_w, format!("TDP of {sockets} × `{cpu}`"))
}

impl Meter for LoadEstimate {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    fn note(&self) -> Option<String> {
        Some(self.note.clone())
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let error = |message: String| MeterError { message, fatal: false };
        let text = self.host.read(STAT).map_err(|why| error(format!("{STAT}: {why}")))?;
        let ticks = proc_stat::machine(&text).ok_or_else(|| error(format!("{STAT} counts no processor time")))?;
        let reached_j = self.advance(ticks, now);
        self.told_j = self.told_j.max(reached_j);
        Ok(vec![MeterReading { channel: Channel::Cpu, device: "processor".to_owned(), energy_j: self.told_j }])
    }
}

/// The memory's energy by its size.
pub(in crate::energy) struct MemoryEstimate {
    power_w: f64,
    note: String,
    first: Option<Duration>,
}

impl MemoryEstimate {
    /// Prepares the estimate.
    ///
    /// # Errors
    /// The size of the memory is unknown.
    pub(in crate::energy) fn open(machine: &Machine) -> Result<Self, Missing> {
        let missing = || Missing::new("memory size", &[Channel::Dram]);
        let bytes = machine.memory_bytes.ok_or_else(|| missing().because("the size of the memory is unknown"))?;
        #[expect(clippy::cast_precision_loss, reason = "a share of a GiB does not matter")]
        let gib = bytes as f64 / f64::from(1 << 30);
        let note = format!("{MEMORY_W_PER_GIB} W for each of {gib:.1} GiB, whatever they do");
        Ok(Self { power_w: MEMORY_W_PER_GIB * gib, note, first: None })
    }
}

impl Meter for MemoryEstimate {
    fn source(&self) -> &str {
        "memory size"
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn note(&self) -> Option<String> {
        Some(self.note.clone())
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let first = *self.first.get_or_insert(now);
        let energy_j = self.power_w * now.saturating_sub(first).as_secs_f64();
        Ok(vec![MeterReading { channel: Channel::Dram, device: "memory".to_owned(), energy_j }])
    }
}
