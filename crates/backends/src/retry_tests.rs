//! Laws of the retry layer, with pauses counted instead of slept.

use super::*;
use proptest::prelude::*;
use std::sync::Mutex;

#[derive(Default)]
struct Counted(Mutex<Vec<Duration>>);

impl Pause for Counted {
    fn pause(&self, duration: Duration, _: &Cancel) {
        self.0.lock().expect("no test thread panics").push(duration);
    }
}

impl Counted {
    fn waits(&self) -> Vec<Duration> {
        self.0.lock().expect("no test thread panics").clone()
    }
}

fn http(status: u16) -> AttemptError {
    BackendError::new(BackendErrorKind::Http, format!("status {status}")).with_status(status).into()
}

#[test]
fn exactly_the_listed_statuses_are_tried_again() {
    let transient: Vec<u16> = (100..600).filter(|status| http(*status).transient).collect();
    assert_eq!(transient, RETRYABLE_STATUSES);
}

#[test]
fn a_success_after_failures_carries_every_attempt() {
    let pause = Counted::default();
    let (value, attempts) = run(&RetryPolicy::default(), 1, &pause, &Cancel::default(), |number| {
        if number < 3 { Err(http(503)) } else { Ok(number) }
    })
    .expect("the third attempt succeeds");
    assert_eq!(value, 3);
    assert_eq!(attempts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(attempts.iter().map(|a| a.http_status).collect::<Vec<_>>(), [Some(503), Some(503), None]);
    assert_eq!(attempts.iter().filter(|a| a.error.is_some()).count(), 2);
    assert_eq!(pause.waits().len(), 2);
}

#[test]
fn nothing_is_waited_after_the_last_attempt() {
    for max_attempts in 0..6 {
        let pause = Counted::default();
        let policy = RetryPolicy { max_attempts, ..RetryPolicy::default() };
        let failure =
            run(&policy, 7, &pause, &Cancel::default(), |_| Err::<(), _>(http(500))).expect_err("never succeeds");
        let tries = max_attempts.max(1) as usize;
        assert_eq!((failure.attempts.len(), pause.waits().len()), (tries, tries - 1));
        assert_eq!(failure.error.http_status, Some(500));
    }
}

#[test]
fn a_lasting_error_is_not_tried_again() {
    let pause = Counted::default();
    let failure =
        run(&RetryPolicy::default(), 7, &pause, &Cancel::default(), |_| Err::<(), _>(http(400))).expect_err("lasting");
    assert_eq!((failure.attempts.len(), pause.waits().len()), (1, 0));
}

#[test]
fn a_servers_retry_after_is_honoured_up_to_the_cap() {
    for (asked_s, waited_s) in [(3, 3), (59, 59), (3600, 60)] {
        let pause = Counted::default();
        let policy = RetryPolicy { max_attempts: 2, base: Duration::from_millis(1), ..RetryPolicy::default() };
        let _ = run(&policy, 1, &pause, &Cancel::default(), |_| {
            Err::<(), _>(AttemptError { retry_after: Some(Duration::from_secs(asked_s)), ..http(429) })
        });
        assert_eq!(pause.waits(), [Duration::from_secs(waited_s)]);
    }
}

#[test]
fn a_cancel_during_the_wait_ends_it_and_no_further_attempt_is_made() {
    let cancel = Cancel::default();
    let policy =
        RetryPolicy { base: Duration::from_secs(3600), cap: Duration::from_secs(3600), ..RetryPolicy::default() };
    let start = Instant::now();
    let waiting = cancel.clone();
    let worker = std::thread::spawn(move || {
        let mut calls = 0;
        let result = run(&policy, 3, &Sleep, &waiting, |_| {
            calls += 1;
            Err::<(), _>(http(500))
        });
        (result, calls)
    });
    std::thread::sleep(Duration::from_millis(50));
    cancel.cancel();
    let (result, calls) = worker.join().expect("the worker does not panic");
    let failure = result.expect_err("cancelled");
    assert_eq!((failure.error.kind, failure.attempts.len(), calls), (BackendErrorKind::Cancelled, 1, 1));
    assert!(start.elapsed() < Duration::from_secs(5), "an hour-long wait was not interrupted");
}

proptest! {
    #[test]
    fn every_wait_lies_under_its_doubling_ceiling(seed: u64, base_ms in 1u64..2000, cap_ms in 1u64..10_000) {
        let (base, cap) = (Duration::from_millis(base_ms), Duration::from_millis(cap_ms));
        let policy = RetryPolicy { max_attempts: 12, base, cap, ..RetryPolicy::default() };
        let pause = Counted::default();
        let _ = run(&policy, seed, &pause, &Cancel::default(), |_| Err::<(), _>(http(500)));
        for (index, wait) in pause.waits().into_iter().enumerate() {
            prop_assert!(wait <= base.saturating_mul(1 << index).min(cap));
        }
    }

    #[test]
    fn one_seed_gives_one_sequence_of_waits(seed: u64) {
        let waits = |seed| {
            let pause = Counted::default();
            let _ = run(&RetryPolicy { max_attempts: 6, ..RetryPolicy::default() }, seed, &pause, &Cancel::default(),
                |_| Err::<(), _>(http(500)));
            pause.waits()
        };
        prop_assert_eq!(waits(seed), waits(seed));
        prop_assert_ne!(waits(seed), waits(seed.wrapping_add(1)));
    }
}

#[test]
fn jitter_is_uniform_enough() {
    let mut jitter = Jitter(42);
    let draws: Vec<f64> = (0..10_000).map(|_| jitter.unit()).collect();
    let mean = draws.iter().sum::<f64>() / 10_000.0;
    // Standard error of the mean of 10,000 uniforms is 0.0029; five of them on either side.
    assert!((mean - 0.5).abs() < 0.0145, "{mean}");
    assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
}
