//! Apple's `powermetrics`, where its owner lets it run without a password.
//!
//! One call takes as long as the time it measures, so a thread of its own makes one call after the other, and the meter
//! tells what they came to. Between two calls pass some milliseconds: the power of the later one holds for them. What a
//! call has not told yet is taken to be as before, and put right when it tells, so that a short time is not cut off.

use super::super::chain::Missing;
use super::powermetrics_sample::Sample;
use crate::source::{HostSource, Unanswered};
use puma_core::measure::{Channel, Loss, Meter, MeterError, MeterReading, Quality};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) const SOURCE: &str = "powermetrics";
/// What one call measures.
const WINDOW: Duration = Duration::from_secs(2);
/// What the first call measures, which only shows whether it may be made.
const TRIAL: Duration = Duration::from_millis(200);
/// A call that takes this much longer than its window hangs.
const PATIENCE: Duration = Duration::from_secs(5);
/// A gap longer than this between two windows is time without a reading.
const LONGEST_GAP: Duration = Duration::from_secs(3);
/// Power is taken to be as before for so long at most.
const LONGEST_AHEAD: Duration = Duration::from_secs(3);
/// After so many failures in a row it is given up.
const MOST_FAILURES: u32 = 3;

/// How to let it run, without giving anybody more than it needs.
const HINT: &str = "let your user run it without a password: `sudo visudo -f /etc/sudoers.d/powermetrics` with the line \
                    `YOU ALL=(root) NOPASSWD: /usr/bin/powermetrics` (YOU is your user name)";

/// Adds up what the calls measure.
pub(super) struct PowerMetrics {
    host: Arc<dyn HostSource>,
    device: String,
    channels: Vec<Channel>,
    shared: Arc<Shared>,
    started: bool,
}

struct Shared {
    sums: Mutex<Sums>,
    ended: AtomicBool,
}

/// What was measured so far.
#[derive(Debug, Default)]
struct Sums {
    processor: Part,
    gpu: Part,
    /// When the latest call ended.
    ended: Option<Instant>,
    failures: u32,
    /// Why the last call gave no sample.
    error: Option<String>,
    lost: Vec<(Duration, String)>,
}

/// Joules of one part of the chip.
#[derive(Debug, Default)]
struct Part {
    /// Up to the end of the latest call.
    joules: f64,
    /// Mean of the latest call.
    watts: f64,
    /// The most that was told: joules never fall.
    told: f64,
}

impl Part {
    fn add(&mut self, watts: f64, duration: Duration) {
        self.watts = watts;
        self.joules += watts * duration.as_secs_f64();
    }

    fn tell(&mut self, since_latest: Duration) -> f64 {
        let ahead = self.watts * since_latest.min(LONGEST_AHEAD).as_secs_f64();
        self.told = self.told.max(self.joules + ahead);
        self.told
    }
}

impl PowerMetrics {
    /// Makes a short call. `channels` are those that nothing better counts: processor and GPU.
    ///
    /// # Errors
    /// It may not be run, hangs, or prints something else.
    pub(super) fn open(host: &Arc<dyn HostSource>, device: &str, channels: &[Channel]) -> Result<Self, Missing> {
        let trial = call(host.as_ref(), TRIAL).map_err(|why| {
            let missing = Missing::new(SOURCE, channels).because(why.reason);
            if why.may_be_allowed { missing.hint(HINT) } else { missing }
        })?;
        Ok(Self {
            host: Arc::clone(host),
            device: device.to_owned(),
            channels: channels.to_vec(),
            shared: Arc::new(Shared { sums: Mutex::new(Sums::beginning_with(&trial)), ended: AtomicBool::new(false) }),
            started: false,
        })
    }

    fn start(&mut self) -> Result<(), MeterError> {
        let (host, shared) = (Arc::clone(&self.host), Arc::clone(&self.shared));
        shared.sums().ended = Some(Instant::now());
        let thread = std::thread::Builder::new().name("powermetrics".to_owned());
        let spawned = thread.spawn(move || {
            let mut before = Instant::now();
            while !shared.ended.load(Ordering::Relaxed) {
                let called = call(host.as_ref(), WINDOW);
                let since = before.elapsed();
                before = Instant::now();
                let given_up = {
                    let mut sums = shared.sums();
                    sums.take(called, since);
                    sums.ended = Some(before);
                    sums.failures >= MOST_FAILURES
                };
                if given_up {
                    break;
                }
                // A call that failed, or came back at once, must not be made over and over.
                std::thread::sleep(WINDOW.saturating_sub(since));
            }
        });
        self.started = spawned.is_ok();
        match spawned {
            Ok(_) => Ok(()),
            Err(error) => Err(MeterError { message: format!("powermetrics got no thread: {error}"), fatal: true }),
        }
    }
}

impl Drop for PowerMetrics {
    fn drop(&mut self) {
        // The thread ends with the call it is in; nobody needs to wait for it.
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    fn beginning_with(trial: &Sample) -> Self {
        let part = |watts| Part { watts, ..Part::default() };
        Self { processor: part(processor_w(trial)), gpu: part(gpu_w(trial)), ..Self::default() }
    }

    /// Takes what a call measured, which ended `since` the one before.
    fn take(&mut self, called: Result<Sample, Refusal>, since: Duration) {
        let sample = match called {
            Ok(sample) => sample,
            Err(refusal) => {
                self.failures += 1;
                self.lost.push((since, refusal.reason.clone()));
                self.error = Some(refusal.reason);
                return;
            }
        };
        self.failures = 0;
        self.error = None;
        let window = sample.duration.unwrap_or(WINDOW);
        let covered = since.min(window + LONGEST_GAP);
        if covered < since {
            self.lost.push((since - covered, "powermetrics was not called in time".to_owned()));
        }
        self.processor.add(processor_w(&sample), covered);
        self.gpu.add(gpu_w(&sample), covered);
    }
}

/// With the Neural Engine.
fn processor_w(sample: &Sample) -> f64 {
    sample.processor_w.unwrap_or(0.0) + sample.neural_engine_w.unwrap_or(0.0)
}

fn gpu_w(sample: &Sample) -> f64 {
    sample.gpu_w.unwrap_or(0.0)
}

impl Meter for PowerMetrics {
    fn source(&self) -> &str {
        SOURCE
    }

    fn quality(&self) -> Quality {
        Quality::VendorModel
    }

    fn resolution(&self) -> Duration {
        WINDOW
    }

    fn note(&self) -> Option<String> {
        self.channels.contains(&Channel::Cpu).then(|| "cpu includes the Neural Engine".to_owned())
    }

    fn may_rest(&self, channel: Channel) -> bool {
        channel == Channel::Gpu
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        if !self.started {
            self.start()?;
        }
        let mut sums = self.shared.sums();
        if let Some(message) = &sums.error {
            return Err(MeterError { message: message.clone(), fatal: sums.failures >= MOST_FAILURES });
        }
        let since_latest = sums.ended.map_or(Duration::ZERO, |ended| ended.elapsed());
        if since_latest > LONGEST_AHEAD {
            // Standing still would pass for drawing nothing if the run ended now.
            let message = format!("powermetrics has not answered for {:.0} s", since_latest.as_secs_f64());
            return Err(MeterError { message, fatal: false });
        }
        let readings = self.channels.iter().map(|channel| MeterReading {
            channel: *channel,
            device: self.device.clone(),
            energy_j: match channel {
                Channel::Gpu => sums.gpu.tell(since_latest),
                _ => sums.processor.tell(since_latest),
            },
        });
        Ok(readings.collect())
    }

    fn losses(&mut self) -> Vec<Loss> {
        let lost = std::mem::take(&mut self.shared.sums().lost);
        let of_channel = |channel: &Channel, duration: Duration, reason: String| Loss {
            channel: *channel,
            device: self.device.clone(),
            duration,
            reason,
        };
        lost.into_iter()
            .flat_map(|(duration, reason)| {
                self.channels.iter().map(move |channel| of_channel(channel, duration, reason.clone()))
            })
            .collect()
    }
}

/// Why a call gave no sample.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    reason: String,
    may_be_allowed: bool,
}

fn call(host: &dyn HostSource, window: Duration) -> Result<Sample, Refusal> {
    let milliseconds = window.as_millis().to_string();
    let arguments = [
        "-n",
        "/usr/bin/powermetrics",
        "--samplers",
        "cpu_power,gpu_power,thermal",
        "-f",
        "plist",
        "-i",
        &milliseconds,
        "-n",
        "1",
    ];
    let refused = |reason: String, may_be_allowed| Err(Refusal { reason, may_be_allowed });
    match host.run("/usr/bin/sudo", &arguments, window + PATIENCE) {
        Ok(printed) => match Sample::parse(&printed) {
            Some(sample) => Ok(sample),
            None => refused("powermetrics printed nothing that could be the processor's power".to_owned(), false),
        },
        Err(Unanswered::Failed(message)) if message.contains("password") || message.contains("not allowed") => {
            refused("powermetrics needs root, and sudo wants a password".to_owned(), true)
        }
        Err(Unanswered::Failed(message)) => {
            let first = message.lines().next().unwrap_or_default();
            refused(format!("powermetrics failed: {first}"), false)
        }
        Err(Unanswered::TimedOut) => refused("powermetrics did not answer in time".to_owned(), false),
        Err(Unanswered::Absent | Unanswered::Denied) => refused("powermetrics cannot be run here".to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(processor_w: f64, gpu_w: f64) -> Sample {
        Sample { duration: Some(WINDOW), processor_w: Some(processor_w), gpu_w: Some(gpu_w), neural_engine_w: None }
    }

    fn refused() -> Refusal {
        Refusal { reason: "powermetrics did not answer in time".to_owned(), may_be_allowed: false }
    }

    #[test]
    fn the_power_of_a_window_holds_until_the_next_one_begins() {
        let mut sums = Sums::beginning_with(&sample(1.0, 1.0));
        for _ in 0..10 {
            sums.take(Ok(sample(10.0, 5.0)), Duration::from_millis(2100));
        }
        assert!((sums.processor.joules - 210.0).abs() < 1e-9 && (sums.gpu.joules - 105.0).abs() < 1e-9);
        assert!(sums.lost.is_empty());
    }

    #[test]
    fn time_that_no_call_has_told_of_yet_is_as_before_and_put_right_later() {
        let mut sums = Sums::beginning_with(&sample(10.0, 0.0));
        let half = Duration::from_secs(1);
        assert!((sums.processor.tell(half) - 10.0).abs() < 1e-9);
        // The call tells of less: what was said is not taken back, and the next joules make up for it.
        sums.take(Ok(sample(2.0, 0.0)), WINDOW);
        assert!((sums.processor.tell(Duration::ZERO) - 10.0).abs() < 1e-9);
        sums.take(Ok(sample(8.0, 0.0)), WINDOW);
        assert!((sums.processor.tell(half) - 28.0).abs() < 1e-9);
        assert!((sums.processor.tell(Duration::from_secs(600)) - 44.0).abs() < 1e-9, "three seconds ahead and no more");
    }

    #[test]
    fn a_long_gap_is_lost_and_not_filled() {
        let mut sums = Sums::default();
        sums.take(Ok(sample(10.0, 5.0)), Duration::from_secs(60));
        assert!((sums.processor.joules - 50.0).abs() < 1e-9);
        assert_eq!(sums.lost, [(Duration::from_secs(55), "powermetrics was not called in time".to_owned())]);
    }

    #[test]
    fn time_without_a_sample_is_lost_and_its_reason_told_until_the_next_one() {
        let mut sums = Sums::default();
        sums.take(Err(refused()), Duration::from_secs(7));
        assert_eq!((sums.failures, sums.error.is_some(), sums.lost.len()), (1, true, 1));
        sums.take(Ok(sample(10.0, 5.0)), Duration::from_secs(2));
        assert_eq!((sums.failures, sums.error), (0, None));
    }
}
