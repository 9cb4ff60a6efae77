//! What this machine can do at most: products of bytes, and bytes read from memory.

use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use puma_kernels::{IntegerLoop, integer_loops, read_words};
use serde::Serialize;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// How long one timing of the integer loops takes at least: much longer than the clock's steps, and short enough to fit
/// between the turns of other programs.
const LONG_ENOUGH: Duration = Duration::from_millis(3);
/// Timings of which the best counts: a ceiling is what was reached once.
const TIMINGS: usize = 60;
/// The same for reading, where one takes longer.
const READ_TIMINGS: usize = 15;
/// Read in one pass by all threads together: larger than any cache.
const BYTES: usize = 256 << 20;

/// The ceilings of some threads together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ceiling {
    pub threads: usize,
    /// Each integer instruction of this processor.
    pub int8: Vec<Int8Ceiling>,
    /// Bytes read from memory, in order, in 10^9 a second.
    pub read_gb_per_s: f64,
}

/// The most that one instruction can do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Int8Ceiling {
    pub instruction: &'static str,
    /// 10^9 operations a second; a product and its addition are two.
    pub gop_per_s: f64,
}

impl Ceiling {
    /// The fastest instruction's; `None` where no loop is known for this processor.
    pub(crate) fn best_gop_per_s(&self) -> Option<f64> {
        self.int8.iter().map(|ceiling| ceiling.gop_per_s).reduce(f64::max)
    }

    /// Measures with `threads` threads. Takes about a second.
    ///
    /// # Errors
    /// The user stopped it.
    pub(crate) fn measure(threads: usize, context: &Context) -> Result<Self, Failure> {
        let mut int8 = Vec::new();
        for found in integer_loops() {
            if context.cancel.is_cancelled() {
                return Err(Failure::new(ExitKind::Interrupted, "interrupted while the ceilings were measured"));
            }
            int8.push(Int8Ceiling { instruction: found.name, gop_per_s: int8_gop_per_s(&found, threads) });
        }
        Ok(Self { threads, int8, read_gb_per_s: read_gb_per_s(threads) })
    }
}

fn int8_gop_per_s(found: &IntegerLoop, threads: usize) -> f64 {
    let mut rounds = 1u64 << 12;
    let seconds_of = |rounds: u64| {
        together(threads, |_| {
            black_box(found.run(black_box(rounds)));
        })
    };
    while seconds_of(rounds) < LONG_ENOUGH.as_secs_f64() {
        rounds *= 2;
    }
    let seconds = (0..TIMINGS).map(|_| seconds_of(rounds)).fold(f64::INFINITY, f64::min);
    (found.operations * rounds) as f64 * threads as f64 / seconds / 1e9
}

fn read_gb_per_s(threads: usize) -> f64 {
    let numbers = vec![1u64; BYTES / 8];
    let share = numbers.len().div_ceil(threads);
    let parts: Vec<&[u64]> = numbers.chunks(share).collect();
    let pass = || {
        together(parts.len(), |thread| {
            black_box(read_words(black_box(parts[thread])));
        })
    };
    let seconds = (0..READ_TIMINGS).map(|_| pass()).fold(f64::INFINITY, f64::min);
    BYTES as f64 / seconds / 1e9
}

/// Seconds from when all threads are ready until the last has done its `work`.
fn together(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    let ready = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 1..threads {
            let (ready, work) = (&ready, &work);
            scope.spawn(move || {
                ready.wait();
                work(thread);
                ready.wait();
            });
        }
        ready.wait();
        let started = Instant::now();
        work(0);
        ready.wait();
        started.elapsed().as_secs_f64()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn the_clock_stops_after_the_slowest_thread() {
        let done = AtomicUsize::new(0);
        let seconds = together(3, |thread| {
            std::thread::sleep(Duration::from_millis(20 * thread as u64));
            done.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(done.load(Ordering::SeqCst), 3);
        assert!(seconds >= 0.04, "{seconds}");
    }
}
