//! A few threads that work on one job together, many thousand times a second.
//!
//! [`Pool::run`] lets every thread call the same function with its own number and returns when all are done. Between
//! jobs threads spin for some microseconds before they sleep, because the next layer's job comes at once.
#![expect(
    unsafe_code,
    reason = "one lifetime is erased so that jobs may borrow; `run` returns only when they are done"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

type Job = &'static (dyn Fn(usize) + Sync);

/// Polls before a waiting thread sleeps; some ten microseconds.
const SPINS: usize = 4000;

#[derive(Default)]
struct Slot {
    job: Option<Job>,
    /// Number of the current job; a worker runs each number once.
    number: usize,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    wake: Condvar,
    /// Copy of `Slot::number` that can be polled without the lock.
    number: AtomicUsize,
    /// Workers that have not finished the current job.
    busy: AtomicUsize,
    panicked: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Nothing panics while holding the lock, so a poisoned slot is still whole.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job other than `last`; `None` when the pool closes.
    fn next(&self, last: usize) -> Option<(usize, Job)> {
        for _ in 0..SPINS {
            if self.number.load(Ordering::Acquire) != last {
                break;
            }
            std::hint::spin_loop();
        }
        let mut slot = self.lock();
        loop {
            if slot.closed {
                return None;
            }
            if let Some(job) = slot.job.filter(|_| slot.number != last) {
                return Some((slot.number, job));
            }
            slot = self.wake.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, index: usize) {
        let mut last = 0;
        while let Some((number, job)) = self.next(last) {
            last = number;
            if catch_unwind(AssertUnwindSafe(|| job(index))).is_err() {
                self.panicked.store(true, Ordering::SeqCst);
            }
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }

    fn wait_until_idle(&self) {
        let mut polls = 0usize;
        while self.busy.load(Ordering::Acquire) > 0 {
            polls += 1;
            if polls < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

/// A fixed number of threads, the caller's included.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool of `threads`, at least one; starts one less than that.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let mut pool = Self { shared: Arc::default(), workers: Vec::new() };
        for index in 1..threads {
            let shared = Arc::clone(&pool.shared);
            let name = format!("puma-engine-{index}");
            pool.workers.push(std::thread::Builder::new().name(name).spawn(move || shared.work(index))?);
        }
        Ok(pool)
    }

    /// How many threads take part in a job.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `job(0)`, `job(1)`, … once on each thread and returns when all calls returned.
    ///
    /// Panics if a call panicked, after all calls ended.
    pub(crate) fn run(&self, job: &(dyn Fn(usize) + Sync)) {
        if self.workers.is_empty() {
            return job(0);
        }
        // SAFETY: only the lifetime changes. Workers use the reference only before they lower `busy`, and this function
        // does not return, not even by a panic of `job(0)`, before `busy` is zero and the slot is empty again.
        let erased = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Job>(job) };
        {
            let mut slot = self.shared.lock();
            self.shared.busy.store(self.workers.len(), Ordering::Release);
            slot.job = Some(erased);
            slot.number += 1;
            self.shared.number.store(slot.number, Ordering::Release);
        }
        self.shared.wake.notify_all();
        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        self.shared.wait_until_idle();
        self.shared.lock().job = None;
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        assert!(!self.shared.panicked.swap(false, Ordering::SeqCst), "a worker thread of the engine panicked");
    }

    /// Gives each of `parts` to one thread. There should be about as many parts as threads.
    pub(crate) fn each<T: Send>(&self, parts: Vec<T>, work: impl Fn(T) + Sync) {
        if parts.len() <= 1 || self.workers.is_empty() {
            return parts.into_iter().for_each(work);
        }
        let parts: Vec<Mutex<Option<T>>> = parts.into_iter().map(|part| Mutex::new(Some(part))).collect();
        let threads = self.threads();
        self.run(&|thread| {
            for part in parts.iter().skip(thread).step_by(threads) {
                let part = part.lock().unwrap_or_else(PoisonError::into_inner).take();
                part.into_iter().for_each(&work);
            }
        });
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.number.store(usize::MAX, Ordering::Release);
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker's panic was already reported by `run`.
            let _ended = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_worked_on_once_by_any_number_of_threads() {
        for threads in 1..5 {
            let pool = Pool::new(threads).unwrap();
            for round in 0..300 {
                let mut numbers = vec![0usize; 37];
                pool.each(numbers.chunks_mut(5).collect(), |chunk| {
                    chunk.iter_mut().for_each(|number| *number += round)
                });
                assert!(numbers.iter().all(|&number| number == round));
            }
        }
    }

    #[test]
    fn a_panic_in_any_thread_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(3).unwrap();
        for bad in 0..3 {
            let result = catch_unwind(AssertUnwindSafe(|| pool.run(&|thread| assert_ne!(thread, bad))));
            assert!(result.is_err());
        }
        pool.run(&|_| ());
    }
}
