//! One device's joules, from a counter or from its power.

use crate::energy::{Counter, CounterLimits, Integral};
use puma_core::measure::{Channel, Loss, MeterReading};
use std::time::Duration;

/// More than any board draws, with room for counters that are published in bursts.
const IMPLAUSIBLE_BOARD_W: f64 = 4000.0;
/// How often power is read.
pub(super) const POWER_INTERVAL: Duration = Duration::from_millis(200);
/// After ten readings that failed, what happened in between is unknown.
const LONGEST_GAP: Duration = Duration::from_secs(2);

/// The joules of one device.
#[derive(Debug)]
pub(super) enum Tally {
    Counter(Counter),
    Power(Integral),
}

impl Tally {
    /// Of a counter that advances by one each `joules_per_step`.
    pub(super) fn counter(channel: Channel, device: String, joules_per_step: f64) -> Self {
        let limits = CounterLimits { joules_per_step, range_steps: None, implausible_power_w: IMPLAUSIBLE_BOARD_W };
        Self::Counter(Counter::new(channel, device, limits))
    }

    /// Of a power that is read every [`POWER_INTERVAL`].
    pub(super) fn power(channel: Channel, device: String) -> Self {
        Self::power_with_gaps(channel, device, LONGEST_GAP)
    }

    pub(super) fn power_with_gaps(channel: Channel, device: String, longest: Duration) -> Self {
        Self::Power(Integral::new(channel, device, longest))
    }

    pub(super) fn is_counter(&self) -> bool {
        matches!(self, Self::Counter(_))
    }

    /// The joules after a counter's value or a power, whichever it tallies; `None` without a reading.
    pub(super) fn update(&mut self, steps: Option<u64>, watts: Option<f64>, now: Duration) -> Option<MeterReading> {
        let (channel, device, energy_j) = match self {
            Self::Counter(counter) => {
                let energy_j = counter.update(steps?, now);
                (counter.channel(), counter.device(), energy_j)
            }
            Self::Power(integral) => {
                let energy_j = integral.update(watts?, now);
                (integral.channel(), integral.device(), energy_j)
            }
        };
        Some(MeterReading { channel, device: device.to_owned(), energy_j })
    }

    pub(super) fn take_losses(&mut self) -> Vec<Loss> {
        match self {
            Self::Counter(counter) => counter.take_losses(),
            Self::Power(integral) => integral.take_losses(),
        }
    }
}
