//! RAPL through perf events: the same counters as powercap, for those who may profile but are not root.

use crate::energy::chain::Missing;
use crate::energy::counter::{Counter, CounterLimits};
use crate::source::{HostSource, NativeQuery, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: &str = "RAPL perf events";
/// As for powercap.
const IMPLAUSIBLE_SOCKET_W: f64 = 1500.0;

/// One of the answers to [`NativeQuery::PerfEnergy`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerfCounter {
    /// `energy-pkg`, `energy-ram`, `energy-psys`.
    pub event: String,
    pub socket: u32,
    /// Steps since the program first asked; the kernel takes care of wrap-around.
    pub count: u64,
    pub joules_per_step: f64,
}

/// Reads the events.
pub(in crate::energy) struct PerfEvents {
    host: Arc<dyn HostSource>,
    counters: Vec<Counter>,
    quality: Quality,
}

impl PerfEvents {
    /// Opens the events of the processor.
    ///
    /// # Errors
    /// It has none, or the user may not open them.
    pub(in crate::energy) fn open(host: &Arc<dyn HostSource>) -> Result<Self, Missing> {
        let missing = || Missing::new(SOURCE, &[Channel::Package, Channel::Dram]);
        match ask(host.as_ref()) {
            Ok(found) if !found.is_empty() => Ok(Self {
                host: Arc::clone(host),
                counters: Vec::new(),
                quality: super::powercap::quality(host.as_ref()),
            }),
            Ok(_) | Err(Unanswered::Absent) => {
                Err(missing()
                    .because("the kernel has no perf events for energy: no such counters, or a virtual machine"))
            }
            Err(Unanswered::Denied) => {
                let level = host.read("/proc/sys/kernel/perf_event_paranoid").unwrap_or_default();
                Err(missing()
                    .because(format!(
                        "the kernel does not let this user open them (perf_event_paranoid is {})",
                        if level.trim().is_empty() { "unknown" } else { level.trim() }
                    ))
                    .hint("as root, `setcap cap_perfmon+ep` on the puma program, or `sysctl kernel.perf_event_paranoid=0`"))
            }
            Err(why) => Err(missing().because(format!("they could not be opened: {why}"))),
        }
    }

    fn counter(&mut self, found: &PerfCounter) -> Option<&mut Counter> {
        let (channel, device) = match found.event.as_str() {
            "energy-pkg" => (Channel::Package, format!("package-{}", found.socket)),
            "energy-ram" => (Channel::Dram, format!("dram-{}", found.socket)),
            // Every socket shows the one platform's count.
            "energy-psys" if found.socket == 0 => (Channel::System, "psys".to_owned()),
            _ => return None,
        };
        let of_device = |counter: &Counter| counter.channel() == channel && counter.device() == device;
        let place = self.counters.iter().position(of_device).unwrap_or_else(|| {
            let limits = CounterLimits {
                joules_per_step: found.joules_per_step,
                range_steps: None,
                implausible_power_w: IMPLAUSIBLE_SOCKET_W,
            };
            self.counters.push(Counter::new(channel, device, limits));
            self.counters.len() - 1
        });
        self.counters.get_mut(place)
    }
}

fn ask(host: &dyn HostSource) -> Result<Vec<PerfCounter>, Unanswered> {
    let text = host.native(&NativeQuery::PerfEnergy)?;
    serde_json::from_str(&text).map_err(|error| Unanswered::Failed(error.to_string()))
}

impl Meter for PerfEvents {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        self.quality
    }

    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let found = ask(self.host.as_ref())
            .map_err(|why| MeterError { message: format!("perf events: {why}"), fatal: false })?;
        let reading = |found: &PerfCounter| {
            let counter = self.counter(found)?;
            let energy_j = counter.update(found.count, now);
            Some(MeterReading { channel: counter.channel(), device: counter.device().to_owned(), energy_j })
        };
        Ok(found.iter().filter_map(reading).collect())
    }

    fn losses(&mut self) -> Vec<Loss> {
        self.counters.iter_mut().flat_map(Counter::take_losses).collect()
    }
}
