//! The one retry layer: nothing else in PUMA repeats a request.
//!
//! [`run`] calls one attempt until it succeeds, fails for good, or the [`RetryPolicy`] is used up, and records every
//! try as an [`Attempt`]. Waiting is exponential with full jitter (a uniform draw between zero and the current
//! ceiling), drawn from a seeded generator so that a test or a repeated run waits alike.
//! Source of the scheme: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

use puma_core::{Attempt, BackendError, BackendErrorKind, Cancel, Failure, Millis};
use std::time::{Duration, Instant};

/// HTTP statuses after which the same request may succeed.
pub const RETRYABLE_STATUSES: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];

/// How often and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Tries in all, the first included; 0 counts as 1.
    pub max_attempts: u32,
    /// Ceiling of the first wait; it doubles with each further one.
    pub base: Duration,
    /// Highest ceiling.
    pub cap: Duration,
    /// A server's `Retry-After` is honoured up to this long.
    pub retry_after_cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            retry_after_cap: Duration::from_secs(60),
        }
    }
}

/// Why one attempt failed.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptError {
    pub error: BackendError,
    /// What the server asked for in `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Whether the same request may succeed later.
    pub transient: bool,
}

impl AttemptError {
    /// A failure that another try will not mend.
    pub fn lasting(error: BackendError) -> Self {
        Self { error, retry_after: None, transient: false }
    }

    /// A failure that another try may mend.
    pub fn transient(error: BackendError) -> Self {
        Self { error, retry_after: None, transient: true }
    }
}

impl From<BackendError> for AttemptError {
    /// Transient for lost connections, time limits and [`RETRYABLE_STATUSES`].
    fn from(error: BackendError) -> Self {
        let transient = match error.kind {
            BackendErrorKind::Unreachable | BackendErrorKind::Timeout => true,
            BackendErrorKind::Http => error.http_status.is_some_and(|status| RETRYABLE_STATUSES.contains(&status)),
            BackendErrorKind::Protocol
            | BackendErrorKind::ModelNotFound
            | BackendErrorKind::ContextExceeded
            | BackendErrorKind::Unsupported
            | BackendErrorKind::Cancelled
            | BackendErrorKind::Engine => false,
        };
        Self { error, retry_after: None, transient }
    }
}

/// Waits between attempts; tests count instead of sleeping.
pub trait Pause: Send + Sync {
    /// Waits for `duration`, or less once `cancel` is set.
    fn pause(&self, duration: Duration, cancel: &Cancel);
}

/// Really sleeps, in slices short enough that a cancel is felt at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sleep;

impl Pause for Sleep {
    fn pause(&self, duration: Duration, cancel: &Cancel) {
        const SLICE: Duration = Duration::from_millis(20);
        let end = Instant::now() + duration;
        while !cancel.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Runs `attempt` under `policy`; `attempt` gets its number, 1 for the first.
///
/// On success returns the value and every attempt made, the last one being the successful one.
///
/// # Errors
/// The last attempt's error when it is lasting or the policy is used up, or
/// [`BackendErrorKind::Cancelled`] when `cancel` was set, with every attempt made so far.
pub fn run<T>(
    policy: &RetryPolicy,
    seed: u64,
    pause: &dyn Pause,
    cancel: &Cancel,
    mut attempt: impl FnMut(u32) -> Result<T, AttemptError>,
) -> Result<(T, Vec<Attempt>), Failure> {
    let mut jitter = Jitter(seed);
    let mut attempts = Vec::new();
    let mut waited = Duration::ZERO;
    for number in 1.. {
        if cancel.is_cancelled() {
            return Err(Failure { error: cancelled(), attempts });
        }
        let start = Instant::now();
        let result = attempt(number);
        let mut record = Attempt {
            number,
            duration_ms: Millis::from(start.elapsed()),
            waited_ms: Millis::from(waited),
            error: None,
            http_status: None,
        };
        let failed = match result {
            Ok(value) => {
                attempts.push(record);
                return Ok((value, attempts));
            }
            Err(failed) => failed,
        };
        record.error = Some(failed.error.message.clone());
        record.http_status = failed.error.http_status;
        attempts.push(record);
        if cancel.is_cancelled() {
            return Err(Failure { error: cancelled(), attempts });
        }
        if !failed.transient || number >= policy.max_attempts {
            return Err(Failure { error: failed.error, attempts });
        }
        let wanted = wait_after(policy, number, failed.retry_after, &mut jitter);
        let start = Instant::now();
        pause.pause(wanted, cancel);
        waited = start.elapsed();
    }
    unreachable!("the loop over attempts has no end of its own")
}

/// The error reported for everything that a cancel left undone.
pub fn cancelled() -> BackendError {
    BackendError::new(BackendErrorKind::Cancelled, "the request was cancelled")
}

/// How long to wait after failed attempt `number`: the server's wish, capped, but never less than the drawn back-off.
fn wait_after(policy: &RetryPolicy, number: u32, retry_after: Option<Duration>, jitter: &mut Jitter) -> Duration {
    let ceiling = policy.base.saturating_mul(1 << (number - 1).min(20)).min(policy.cap);
    let drawn = ceiling.mul_f64(jitter.unit());
    retry_after.map_or(drawn, |wish| wish.min(policy.retry_after_cap).max(drawn))
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, seeded, and good enough to spread retries.
struct Jitter(u64);

impl Jitter {
    /// Uniform in [0, 1) with 53 random bits.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
