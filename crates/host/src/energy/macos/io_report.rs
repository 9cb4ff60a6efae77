//! IOReport's energy counters, readable by any user.
//!
//! From macOS 27 on the counters of everything but the GPU stay listed and stand still, unless the program is Apple's:
//! a counter that does not move while processors work is no counter. They are published about once a second, unevenly.

use super::super::chain::Missing;
use super::super::counter::{Counter, CounterLimits};
use super::energy_model::{Part, PartCounter, part_counters};
use super::processor_time::ProcessorTicks;
use crate::source::{HostSource, NativeQuery, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) const SOURCE: &str = "IOReport energy counters";
/// Twice the second at which the counters are published, as it is uneven.
const RESOLUTION: Duration = Duration::from_secs(2);
/// The processor's counter moves at least this often when it works.
const LONGEST_STILL: Duration = Duration::from_secs(3);
/// Busier than this, a processor spends joules.
const BUSY: f64 = 0.05;
/// No Mac draws more; see [`CounterLimits::implausible_power_w`].
const IMPLAUSIBLE_W: f64 = 2000.0;

/// What stops the counters, told the same way wherever it shows.
pub(super) const STANDS_STILL: &str =
    "the processor's counter stands still: from macOS 27 on it moves only for Apple's own programs";

/// What the counters of a Mac offer.
pub(super) struct Found {
    /// Processor with Neural Engine, and memory.
    pub(super) processor: Result<PartsMeter, Missing>,
    pub(super) gpu: Result<PartsMeter, Missing>,
}

/// Looks at the counters. With `check` the processor's are read again after a while, to see whether they move.
pub(super) fn find(host: &Arc<dyn HostSource>, device: &str, check: Option<&dyn Fn(Duration)>) -> Found {
    let counters = match read(host.as_ref()) {
        Ok(counters) => counters,
        Err(why) => {
            return Found {
                processor: Err(Missing::new(SOURCE, &[Channel::Cpu, Channel::Dram]).because(reason(&why))),
                gpu: Err(Missing::new(SOURCE, &[Channel::Gpu]).because(reason(&why))),
            };
        }
    };
    let has = |part: Part| counters.iter().any(|counter| counter.part == part);
    let none = |channels: &[Channel], what: &str| {
        Missing::new(SOURCE, channels).because(format!("IOReport lists no energy counter of the {what}"))
    };
    let gpu = match has(Part::Gpu) {
        true => Ok(PartsMeter::new(host, device, &[Part::Gpu])),
        false => Err(none(&[Channel::Gpu], "GPU")),
    };
    let moves = |pause: &dyn Fn(Duration)| {
        pause(RESOLUTION);
        let of_processor = |counter: &&PartCounter| counter.part == Part::Processor;
        let values = |counters: &[PartCounter]| -> Vec<u64> {
            counters.iter().filter(of_processor).map(|counter| counter.value).collect()
        };
        read(host.as_ref()).is_ok_and(|later| values(&later) != values(&counters))
    };
    let processor = if !has(Part::Processor) {
        Err(none(&[Channel::Cpu, Channel::Dram], "processor"))
    } else if check.is_some_and(|pause| !moves(pause)) {
        Err(Missing::new(SOURCE, &[Channel::Cpu, Channel::Dram]).because(STANDS_STILL))
    } else {
        Ok(PartsMeter::new(host, device, &[Part::Processor, Part::NeuralEngine, Part::Memory]))
    };
    Found { processor, gpu }
}

fn reason(why: &Unanswered) -> String {
    match why {
        Unanswered::Absent => "IOReport has no energy counters here".to_owned(),
        why => format!("IOReport could not be asked: {why}"),
    }
}

fn read(host: &dyn HostSource) -> Result<Vec<PartCounter>, Unanswered> {
    let text = host.native(&NativeQuery::IoReportEnergy)?;
    part_counters(&text).ok_or_else(|| Unanswered::Failed("the answer is no list of counters".to_owned()))
}

/// Reads the counters of some parts of the chip.
pub(super) struct PartsMeter {
    host: Arc<dyn HostSource>,
    device: String,
    parts: Vec<Part>,
    /// By name: a chip of two dies has two of each.
    counters: BTreeMap<String, (Part, Counter)>,
    still: Option<Still>,
}

/// Since when the processor's counter has the value it has.
struct Still {
    since: Duration,
    energy_j: f64,
    ticks: Option<ProcessorTicks>,
}

impl PartsMeter {
    fn new(host: &Arc<dyn HostSource>, device: &str, parts: &[Part]) -> Self {
        Self {
            host: Arc::clone(host),
            device: device.to_owned(),
            parts: parts.to_vec(),
            counters: BTreeMap::new(),
            still: None,
        }
    }

    fn channel(part: Part) -> Channel {
        match part {
            Part::Processor | Part::NeuralEngine => Channel::Cpu,
            Part::Gpu => Channel::Gpu,
            Part::Memory => Channel::Dram,
        }
    }

    /// Joules by channel. A channel of which one counter is missing now is left out.
    fn joules(&mut self, seen: &[PartCounter], now: Duration) -> BTreeMap<Channel, f64> {
        for counter in seen.iter().filter(|counter| self.parts.contains(&counter.part)) {
            let (_, known) = self.counters.entry(counter.name.clone()).or_insert_with(|| {
                let limits = CounterLimits {
                    joules_per_step: counter.joules_per_step,
                    range_steps: None,
                    implausible_power_w: IMPLAUSIBLE_W,
                };
                (counter.part, Counter::new(Self::channel(counter.part), self.device.clone(), limits))
            });
            known.update(counter.value, now);
        }
        let mut joules: BTreeMap<Channel, f64> = BTreeMap::new();
        let mut vanished = Vec::new();
        for (name, (_, counter)) in &self.counters {
            *joules.entry(counter.channel()).or_default() += counter.energy_j();
            if !seen.iter().any(|seen| seen.name == *name) {
                vanished.push(counter.channel());
            }
        }
        joules.retain(|channel, _| !vanished.contains(channel));
        joules
    }

    /// Whether the processor worked for a while without its counter moving.
    fn is_frozen(&mut self, now: Duration) -> bool {
        let of_processor = self.counters.values().filter(|(part, _)| *part == Part::Processor);
        let energy_j: f64 = of_processor.map(|(_, counter)| counter.energy_j()).sum();
        let ticks = ProcessorTicks::read(self.host.as_ref()).ok();
        match &self.still {
            Some(still) if energy_j <= still.energy_j => {
                let busy = ticks.zip(still.ticks).and_then(|(now, then)| now.busy_share_since(then));
                now.saturating_sub(still.since) >= LONGEST_STILL && busy.is_some_and(|share| share > BUSY)
            }
            _ => {
                self.still = Some(Still { since: now, energy_j, ticks });
                false
            }
        }
    }
}

impl Meter for PartsMeter {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::VendorModel
    }

    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn note(&self) -> Option<String> {
        self.parts.contains(&Part::NeuralEngine).then(|| "cpu includes the Neural Engine".to_owned())
    }

    fn may_rest(&self, channel: Channel) -> bool {
        channel == Channel::Gpu
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let passing = |message: String| MeterError { message, fatal: false };
        let seen = read(self.host.as_ref()).map_err(|why| passing(reason(&why)))?;
        let joules = self.joules(&seen, now);
        if self.parts.contains(&Part::Processor) && self.is_frozen(now) {
            return Err(MeterError { message: STANDS_STILL.to_owned(), fatal: true });
        }
        if joules.is_empty() {
            return Err(passing("IOReport does not list these counters any more".to_owned()));
        }
        let readings = joules.into_iter();
        Ok(readings
            .map(|(channel, energy_j)| MeterReading { channel, device: self.device.clone(), energy_j })
            .collect())
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.counters.values_mut().flat_map(|(_, counter)| counter.take_losses()).collect()
    }
}
