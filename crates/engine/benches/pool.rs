//! What starting and ending a job of the pool costs, against a pool with a lock, and against calling the parts in a loop.
//!
//! `cargo bench -p puma-engine --bench pool`; figures mean something on a machine with as many free cores as threads.

#[allow(dead_code, unused_imports, reason = "the bench uses a part of the pool, and its tests run with the engine")]
#[path = "../src/pool.rs"]
mod pool;

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

fn main() {
    divan::main();
}

/// Adds `count` numbers, each needing the last: some nanoseconds of work a hundred.
fn work(count: usize) -> usize {
    (0..count).fold(black_box(1), |sum, number| black_box(sum ^ number))
}

#[divan::bench(args = [0, 1000, 10_000])]
fn counted_parts(bencher: divan::Bencher<'_, '_>, count: usize) {
    let pool = pool::Pool::new(2).expect("threads can be started");
    bencher.bench(|| {
        pool.for_each(2, &|_| {
            work(count);
        });
    });
}

#[divan::bench(args = [0, 1000, 10_000])]
fn one_thread(bencher: divan::Bencher<'_, '_>, count: usize) {
    bencher.bench(|| black_box(work(count) ^ work(count)));
}

/// The usual design: a lock around the job's number, a condition to wait for it, and fixed parts.
struct Locked {
    number: Mutex<usize>,
    wake: Condvar,
    polled: AtomicUsize,
    done: AtomicUsize,
}

const END: usize = usize::MAX;

#[divan::bench(args = [0, 1000, 10_000])]
fn locked_job(bencher: divan::Bencher<'_, '_>, count: usize) {
    let shared = Arc::new(Locked {
        number: Mutex::new(0),
        wake: Condvar::new(),
        polled: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
    });
    let theirs = Arc::clone(&shared);
    let worker = std::thread::spawn(move || {
        let mut last = 0;
        loop {
            let watched = (0..4000).any(|_| {
                std::hint::spin_loop();
                theirs.polled.load(Ordering::Acquire) != last
            });
            let mut number = theirs.number.lock().expect("nobody panics with the lock");
            while !watched && *number == last {
                number = theirs.wake.wait(number).expect("nobody panics with the lock");
            }
            last = *number;
            drop(number);
            if last == END {
                return;
            }
            work(count);
            theirs.done.store(last, Ordering::Release);
        }
    });
    let start = |next: Option<usize>| {
        let mut number = shared.number.lock().expect("nobody panics with the lock");
        *number = next.unwrap_or(*number + 1);
        shared.polled.store(*number, Ordering::Release);
        shared.wake.notify_all();
        *number
    };
    bencher.bench(|| {
        let number = start(None);
        work(count);
        while shared.done.load(Ordering::Acquire) != number {
            std::hint::spin_loop();
        }
    });
    start(Some(END));
    worker.join().expect("the worker does not panic");
}
