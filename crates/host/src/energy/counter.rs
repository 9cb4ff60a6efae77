//! Joules from a hardware counter that wraps around and may be reset.

use puma_core::measure::{Channel, Loss};
use std::time::Duration;

/// What is known of a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CounterLimits {
    /// Joules of one step.
    pub joules_per_step: f64,
    /// Where it starts again from zero; `None` for one that never does in practice.
    pub range_steps: Option<u64>,
    /// More watts than the device can draw: an advance beyond it is not an advance.
    pub implausible_power_w: f64,
}

/// Joules since the first reading. Wrap-around is counted; a counter that goes back loses the time in between, because
/// how far it went before is unknown.
#[derive(Clone, Debug)]
pub struct Counter {
    channel: Channel,
    device: String,
    limits: CounterLimits,
    previous: Option<(u64, Duration)>,
    steps: u128,
    lost: Vec<Loss>,
}

impl Counter {
    pub fn new(channel: Channel, device: impl Into<String>, limits: CounterLimits) -> Self {
        Self { channel, device: device.into(), limits, previous: None, steps: 0, lost: Vec::new() }
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    pub fn device(&self) -> &str {
        &self.device
    }

    /// Takes the counter's value at `now` and returns the joules so far.
    pub fn update(&mut self, value: u64, now: Duration) -> f64 {
        if let Some((before, at)) = self.previous {
            let elapsed = now.saturating_sub(at);
            match self.advance(before, value, elapsed) {
                Ok(steps) => self.steps += u128::from(steps),
                Err(reason) => self.lost.push(Loss {
                    channel: self.channel,
                    device: self.device.clone(),
                    duration: elapsed,
                    reason: reason.to_owned(),
                }),
            }
        }
        self.previous = Some((value, now));
        self.energy_j()
    }

    /// Joules up to the latest reading.
    pub fn energy_j(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "2^53 steps of a microjoule are 285 years at a kilowatt")]
        let steps = self.steps as f64;
        steps * self.limits.joules_per_step
    }

    /// What got lost since the last call.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.lost)
    }

    /// Steps from `before` to `value`, or why they cannot be told.
    fn advance(&self, before: u64, value: u64, elapsed: Duration) -> Result<u64, &'static str> {
        let most_j = self.limits.implausible_power_w * elapsed.as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "compared with a bound that is rough anyway")]
        let joules = |steps: u64| steps as f64 * self.limits.joules_per_step;
        if self.limits.range_steps.is_some_and(|range| joules(range) <= most_j) {
            return Err("the counter may have wrapped around more than once between two readings");
        }
        let steps = match (value.checked_sub(before), self.limits.range_steps) {
            (Some(steps), _) => steps,
            // The last value before zero is the range itself, as the kernel does the sum.
            (None, Some(range)) if before <= range => range - before + value,
            (None, _) => return Err("the counter went back"),
        };
        match joules(steps) <= most_j {
            true => Ok(steps),
            false if value < before => Err("the counter went back"),
            false => Err("the counter jumped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn microjoules(range: Option<u64>) -> Counter {
        let limits = CounterLimits { joules_per_step: 1e-6, range_steps: range, implausible_power_w: 1000.0 };
        Counter::new(Channel::Package, "package-0", limits)
    }

    #[test]
    fn a_counter_that_went_back_loses_that_time_and_goes_on() {
        let mut counter = microjoules(Some(262_143_328_850));
        let second = |n: u64| Duration::from_secs(n);
        counter.update(100_000_000_000, second(0));
        assert!((counter.update(100_050_000_000, second(1)) - 50.0).abs() < 1e-9);
        assert!((counter.update(7_000_000, second(2)) - 50.0).abs() < 1e-9);
        assert!((counter.update(47_000_000, second(3)) - 90.0).abs() < 1e-9);
        let losses = counter.take_losses();
        assert_eq!(losses.len(), 1);
        assert_eq!((losses[0].duration, losses[0].reason.as_str()), (second(1), "the counter went back"));
        assert!(counter.take_losses().is_empty());
    }

    #[test]
    fn a_time_in_which_the_counter_could_wrap_twice_is_lost_even_if_it_advanced() {
        let mut counter = microjoules(Some(262_143_328_850));
        counter.update(0, Duration::ZERO);
        assert_eq!(counter.update(1_000_000_000, Duration::from_secs(263)), 0.0);
        assert_eq!(counter.take_losses().len(), 1);
        assert!(counter.update(2_000_000_000, Duration::from_secs(300)) > 999.0);
    }

    proptest! {
        #[test]
        fn wrapping_around_changes_nothing(
            start in 0u64..262_143_328_850,
            steps in proptest::collection::vec((0.1f64..400.0, 10u64..60_000), 1..200),
        ) {
            let range = 262_143_328_850u64;
            let (mut wrapping, mut wide) = (microjoules(Some(range)), microjoules(None));
            let (mut value, mut now) = (u128::from(start), Duration::ZERO);
            wrapping.update(start, now);
            wide.update(start, now);
            for (watts, milliseconds) in steps {
                now += Duration::from_millis(milliseconds);
                value += (watts * milliseconds as f64 * 1000.0) as u128;
                let seen = u64::try_from(value % u128::from(range)).expect("below the range");
                let exact = u64::try_from(value).expect("small");
                let (with, without) = (wrapping.update(seen, now), wide.update(exact, now));
                prop_assert!((with - without).abs() <= 1e-6 * without.max(1.0));
            }
            prop_assert!(wrapping.take_losses().is_empty());
        }

        #[test]
        fn no_sequence_of_values_makes_the_joules_fall_or_absurd(values in proptest::collection::vec(any::<u64>(), 1..50)) {
            let mut counter = microjoules(Some(262_143_328_850));
            let mut before = 0.0;
            for (second, value) in (0u64..).zip(values) {
                let joules = counter.update(value, Duration::from_secs(second));
                prop_assert!(joules >= before && joules - before <= 1000.0);
                before = joules;
            }
        }
    }
}
