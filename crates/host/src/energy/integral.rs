//! Joules from watts read now and then.

use puma_core::measure::{Channel, Loss};
use std::time::Duration;

/// The integral of a power by trapezoids. A stretch longer than `longest_gap` without a reading is lost: what happened in
/// it is unknown.
#[derive(Clone, Debug)]
pub struct Integral {
    channel: Channel,
    device: String,
    longest_gap: Duration,
    previous: Option<(f64, Duration)>,
    energy_j: f64,
    lost: Vec<Loss>,
}

impl Integral {
    pub fn new(channel: Channel, device: impl Into<String>, longest_gap: Duration) -> Self {
        Self { channel, device: device.into(), longest_gap, previous: None, energy_j: 0.0, lost: Vec::new() }
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    pub fn device(&self) -> &str {
        &self.device
    }

    /// Takes the power at `now` and returns the joules so far. Negative and infinite watts are taken for no reading.
    pub fn update(&mut self, power_w: f64, now: Duration) -> f64 {
        if !power_w.is_finite() || power_w < 0.0 {
            return self.energy_j;
        }
        if let Some((before_w, at)) = self.previous {
            let elapsed = now.saturating_sub(at);
            if elapsed <= self.longest_gap {
                self.energy_j += f64::midpoint(before_w, power_w) * elapsed.as_secs_f64();
            } else {
                self.lost.push(Loss {
                    channel: self.channel,
                    device: self.device.clone(),
                    duration: elapsed,
                    reason: "the power could not be read".to_owned(),
                });
            }
        }
        self.previous = Some((power_w, now));
        self.energy_j
    }

    /// Joules up to the latest reading.
    pub fn energy_j(&self) -> f64 {
        self.energy_j
    }

    /// What got lost since the last call.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_is_lost_and_not_guessed() {
        let mut integral = Integral::new(Channel::Gpu, "GPU 0", Duration::from_secs(2));
        let at = Duration::from_secs;
        integral.update(10.0, at(0));
        integral.update(20.0, at(1));
        assert!((integral.energy_j() - 15.0).abs() < 1e-12);
        assert!((integral.update(100.0, at(11)) - 15.0).abs() < 1e-12);
        assert_eq!(integral.take_losses().iter().map(|loss| loss.duration).sum::<Duration>(), at(10));
        assert!((integral.update(f64::NAN, at(12)) - 15.0).abs() < 1e-12);
        assert!((integral.update(100.0, at(13)) - 215.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn a_power_that_changes_linearly_is_integrated_exactly_at_any_times(
            start_w in 0.0f64..500.0,
            slope in 0.0f64..10.0,
            pauses in proptest::collection::vec(0.001f64..2.0, 1..100),
        ) {
            let mut integral = Integral::new(Channel::Gpu, "GPU 0", Duration::from_secs(3));
            let mut now = 0.0;
            integral.update(start_w, Duration::ZERO);
            for pause in pauses {
                now += pause;
                integral.update(start_w + slope * now, Duration::from_secs_f64(now));
            }
            let exact = start_w * now + 0.5 * slope * now * now;
            prop_assert!((integral.energy_j() - exact).abs() <= 1e-6 * exact.max(1.0));
        }
    }
}
