//! Runs a batch of requests on a bounded number of threads and reports each one as it finishes.

use crate::retry::cancelled;
use puma_core::backend::OnDone;
use puma_core::{Cancel, Completion, Failure, Request};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often a waiting batch looks at its cancel flag.
const CANCEL_POLL: Duration = Duration::from_millis(20);

/// Answers `requests` with `ask`, at most `concurrency` at a time, and reports each through `done` on the calling
/// thread. Once `cancel` is set, `interrupt` is called once, which must make running calls of `ask` return soon; every
/// request not finished by then is reported as cancelled.
pub fn run_batch(
    requests: &[Request],
    concurrency: usize,
    cancel: &Cancel,
    done: OnDone<'_>,
    interrupt: &dyn Fn(),
    ask: &(dyn Fn(&Request) -> Result<Completion, Failure> + Sync),
) {
    let next = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..concurrency.clamp(1, requests.len().max(1)) {
            let (sender, next, is_over) = (sender.clone(), &next, &is_over);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(request) = requests.get(index) else { return };
                    let stopped = cancel.is_cancelled() || is_over.load(Ordering::SeqCst);
                    let result = if stopped { Err(cancelled().into()) } else { ask(request) };
                    if sender.send((index, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // If `done` panics, the workers must not keep the scope waiting for a whole batch.
        let _stop_on_exit = SetOnDrop(&is_over);
        let mut is_interrupted = false;
        loop {
            match receiver.recv_timeout(CANCEL_POLL) {
                Ok((index, result)) => done(index, result),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if cancel.is_cancelled() && !is_interrupted {
                is_interrupted = true;
                interrupt();
            }
        }
    });
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
