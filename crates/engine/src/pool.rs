//! A few threads that work on one job together, many thousand times a second.
//!
//! [`Pool::for_each`] calls a function once for each part of a job. Threads take the parts by counting down one atomic
//! number, so that a slow or late thread holds nobody up: what it does not take, the others do. Starting a job writes
//! two numbers and takes no lock; between jobs threads spin for a moment, because the next layer's job comes at once,
//! and sleep then. [`Pool::for_each_chunk`] and [`Pool::for_each_row_range`] divide what the parts write to.
#![expect(
    unsafe_code,
    reason = "a job's lifetime is erased so that it may borrow, and parts write to disjoint places of one slice; \
              `for_each` returns only when all parts are done"
)]

use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

type Job = &'static (dyn Fn(usize) + Sync);

/// Work on a range of rows of a numbered matrix, given with these rows of every column.
type RowWork<'a, T> = dyn Fn(usize, Range<usize>, &mut [&mut [T]]) + Sync + 'a;

/// A matrix `[column][row]` that is written by ranges of rows.
pub(crate) struct Rows<'a, T> {
    pub(crate) items: &'a mut [T],
    pub(crate) rows: usize,
}

/// How long a thread without work watches for the next job before it sleeps. Layers follow each other within some
/// microseconds; waking a sleeping thread takes 5 to 50.
const WATCH: Duration = Duration::from_micros(150);
/// How long a waiting thread keeps its core to itself before it offers it, between looks, to whoever else wants it.
const KEEP_CORE: Duration = Duration::from_micros(20);
/// Looks between two questions for the time, which cost as much as some looks.
const LOOKS: usize = 32;

/// What threads count; each on cache lines of its own, so that watching one does not slow down changing another.
#[repr(align(128))]
struct Lonely<T>(T);

/// The current job and how many of its parts nobody has taken yet: together, because they travel together.
struct Slot {
    /// Zero or less: nothing to take.
    untaken: AtomicIsize,
    job: UnsafeCell<Option<(Job, usize)>>,
}

struct Shared {
    slot: Lonely<Slot>,
    /// Parts of the current job that are not done.
    undone: Lonely<AtomicIsize>,
    /// One for each worker: whether it sleeps, or is about to.
    asleep: Vec<AtomicBool>,
    closed: AtomicBool,
    panicked: AtomicBool,
    /// Whether a job is under way; a second one at the same time is worked on by its caller alone.
    engaged: AtomicBool,
}

// SAFETY: `Slot::job` is the only part that is not `Sync` by itself. It is written by the thread that set `engaged`,
// while `untaken` and `undone` are zero or less; it is read by threads that took a part, which `undone` counts until
// they have dropped the reference. The store and the changes of `untaken` (release, acquire) order the write before the
// reads, those of `undone` the reads before the next write.
unsafe impl Sync for Shared {}

impl Shared {
    fn new(workers: usize) -> Self {
        Self {
            slot: Lonely(Slot { untaken: AtomicIsize::new(0), job: UnsafeCell::new(None) }),
            undone: Lonely(AtomicIsize::new(0)),
            asleep: (0..workers).map(|_| AtomicBool::new(false)).collect(),
            closed: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            engaged: AtomicBool::new(false),
        }
    }

    /// Takes parts and works on them until there are none left; true if there was one. Keeps the first panic.
    fn work_off(&self, panic: &mut Option<Box<dyn Any + Send>>) -> bool {
        let Slot { untaken, job } = &self.slot.0;
        let mut done = 0;
        // The look keeps late threads from counting far below zero, and from fetching the line to write to it.
        while untaken.load(Ordering::Relaxed) > 0 {
            let left = untaken.fetch_sub(1, Ordering::AcqRel);
            let Ok(left @ 1..) = usize::try_from(left) else { break };
            // SAFETY: a part was taken and is not reported as done, so the job is there and nobody writes to it.
            let (job, parts) = unsafe { *job.get() }.expect("a job with parts left is there");
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(parts - left))) {
                self.panicked.store(true, Ordering::Relaxed);
                panic.get_or_insert(payload);
            }
            done += 1;
        }
        if done > 0 {
            self.undone.0.fetch_sub(done, Ordering::AcqRel);
        }
        done > 0
    }

    /// A worker's life.
    fn serve(&self, worker: usize) {
        while !self.closed.load(Ordering::Acquire) {
            // The message of the panic was printed when it happened.
            let worked = self.work_off(&mut None);
            if !worked && !self.watch() {
                self.sleep(worker);
            }
        }
    }

    /// Looks for a job for a while; false if none came.
    fn watch(&self) -> bool {
        wait_until(Some(WATCH), || {
            self.slot.0.untaken.load(Ordering::Relaxed) > 0 || self.closed.load(Ordering::Relaxed)
        })
    }

    /// Sleeps until the next job.
    fn sleep(&self, worker: usize) {
        self.asleep[worker].store(true, Ordering::SeqCst);
        // Either this look sees the job, or who starts it sees the mark: both are in one order with the two stores.
        while self.asleep[worker].load(Ordering::SeqCst)
            && self.slot.0.untaken.load(Ordering::SeqCst) <= 0
            && !self.closed.load(Ordering::SeqCst)
        {
            std::thread::park();
        }
        self.asleep[worker].store(false, Ordering::SeqCst);
    }
}

/// Looks until `found`, and gives up after `limit`. The core is kept for a moment only: with fewer free cores than
/// threads the thread that is waited for needs it.
fn wait_until(limit: Option<Duration>, found: impl Fn() -> bool) -> bool {
    for _ in 0..LOOKS {
        if found() {
            return true;
        }
        std::hint::spin_loop();
    }
    let start = Instant::now();
    loop {
        let waited = start.elapsed();
        if limit.is_some_and(|limit| waited > limit) {
            return false;
        }
        if waited > KEEP_CORE {
            std::thread::yield_now();
        }
        for _ in 0..LOOKS {
            if found() {
                return true;
            }
            std::hint::spin_loop();
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
        let workers = threads.saturating_sub(1);
        let mut pool = Self { shared: Arc::new(Shared::new(workers)), workers: Vec::new() };
        for worker in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let name = format!("puma-engine-{}", worker + 1);
            pool.workers.push(std::thread::Builder::new().name(name).spawn(move || shared.serve(worker))?);
        }
        Ok(pool)
    }

    /// How many threads take part in a job.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `job(0)` to `job(parts - 1)`, each once, on all threads, and returns when all calls returned.
    ///
    /// Parts are taken in order by whoever is free. Some more parts than threads even out threads of different speed.
    /// Panics if a call panicked, after all calls ended.
    pub(crate) fn for_each(&self, parts: usize, job: &(dyn Fn(usize) + Sync)) {
        let Shared { slot: Lonely(slot), undone: Lonely(undone), engaged, panicked, .. } = &*self.shared;
        let Ok(count) = isize::try_from(parts) else { panic!("{parts} parts are more than can be counted") };
        // A part that starts a job of its own finds the pool engaged, and does that job alone.
        if parts <= 1 || self.workers.is_empty() || engaged.swap(true, Ordering::Acquire) {
            return (0..parts).for_each(job);
        }
        // SAFETY: only the lifetime changes. The reference is used for parts alone, and this function returns, or
        // panics, only when all parts are done and the reference is dropped.
        let erased = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Job>(job) };
        // SAFETY: `engaged` was false, so no other thread is here and no part of the last job is left (see `Shared`).
        unsafe { *slot.job.get() = Some((erased, parts)) };
        undone.store(count, Ordering::Relaxed);
        slot.untaken.store(count, Ordering::SeqCst);
        self.wake(parts - 1);
        let mut own = None;
        self.shared.work_off(&mut own);
        wait_until(None, || undone.load(Ordering::Acquire) <= 0);
        // SAFETY: all parts are done, so no thread reads the job any more.
        unsafe { *slot.job.get() = None };
        let panicked = panicked.swap(false, Ordering::Relaxed);
        engaged.store(false, Ordering::Release);
        if let Some(panic) = own {
            resume_unwind(panic);
        }
        assert!(!panicked, "a worker thread of the engine panicked");
    }

    /// Wakes up to `most` sleeping workers.
    fn wake(&self, most: usize) {
        let asleep = self.shared.asleep.iter().zip(&self.workers).filter(|(asleep, _)| asleep.load(Ordering::SeqCst));
        for (asleep, worker) in asleep.take(most) {
            asleep.store(false, Ordering::SeqCst);
            worker.thread().unpark();
        }
    }

    /// Divides `items` into chunks of `chunk_len`, the last one shorter, and calls `work` with each and its number.
    pub(crate) fn for_each_chunk<T: Send>(
        &self,
        items: &mut [T],
        chunk_len: usize,
        work: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let len = items.len();
        let base = Base(items.as_mut_ptr());
        self.for_each(len.div_ceil(chunk_len), &|part| {
            let start = part * chunk_len;
            // SAFETY: parts are below `len / chunk_len`, rounded up, so the range lies in `items`, which is borrowed
            // for the whole call; every part is given once and has its own range.
            let chunk = unsafe { std::slice::from_raw_parts_mut(base.at(start), chunk_len.min(len - start)) };
            work(part, chunk);
        });
    }

    /// Divides `matrices`, each `[column][row]` and of as many columns, into ranges of `part_rows` rows, and calls `work`
    /// with each matrix's number, each range and these rows of every column.
    ///
    /// # Panics
    /// If a matrix is no whole number of columns.
    pub(crate) fn for_each_row_range<T: Send>(
        &self,
        matrices: &mut [Rows<'_, T>],
        part_rows: usize,
        work: &RowWork<'_, T>,
    ) {
        let mut parts = Vec::new();
        let mut bases = Vec::new();
        for (index, matrix) in matrices.iter_mut().enumerate() {
            assert!(matrix.items.len().is_multiple_of(matrix.rows), "a matrix is made of whole columns");
            bases.push((Base(matrix.items.as_mut_ptr()), matrix.rows, matrix.items.len() / matrix.rows));
            let starts = (0..matrix.rows).step_by(part_rows);
            parts.extend(starts.map(|start| (index, start..(start + part_rows).min(matrix.rows))));
        }
        self.for_each(parts.len(), &|part| {
            let (index, range) = &parts[part];
            let (base, rows, columns) = &bases[*index];
            // SAFETY: the range ends at `rows` at most and `column` is below `columns`, so it lies in the matrix, which is
            // borrowed for the whole call; parts have ranges of their own, and so have columns.
            let column = |column: usize| unsafe {
                std::slice::from_raw_parts_mut(base.at(column * rows + range.start), range.len())
            };
            let mut slices: Vec<&mut [T]> = (0..*columns).map(column).collect();
            work(*index, range.clone(), &mut slices);
        });
    }

    /// Gives each of `parts` to one thread.
    pub(crate) fn each<T: Send>(&self, parts: Vec<T>, work: impl Fn(T) + Sync) {
        let mut parts: Vec<Option<T>> = parts.into_iter().map(Some).collect();
        self.for_each_chunk(&mut parts, 1, &|_, part| part[0].take().into_iter().for_each(&work));
    }
}

/// The start of a slice that parts divide among themselves.
struct Base<T>(*mut T);

// SAFETY: the pointer is only used to make slices that do not overlap, of items that may be sent to other threads.
unsafe impl<T: Send> Sync for Base<T> {}

impl<T> Base<T> {
    /// The place of item `index`.
    ///
    /// # Safety
    /// `index` must not be above the slice's length.
    unsafe fn at(&self, index: usize) -> *mut T {
        // SAFETY: the caller stays in the slice.
        unsafe { self.0.add(index) }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker's panic was already reported by `for_each`.
            let _ended = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Rounds of a test: Miri is some thousand times slower.
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 2000 };

    #[test]
    fn every_part_is_worked_on_once_by_any_number_of_threads() {
        for threads in 1..5 {
            let pool = Pool::new(threads).unwrap();
            for round in 0..ROUNDS {
                let counts: Vec<AtomicUsize> = (0..1 + round % 9).map(|_| AtomicUsize::new(0)).collect();
                pool.for_each(counts.len(), &|part| {
                    counts[part].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn chunks_and_rows_cover_all_places_once() {
        for threads in 1..4 {
            let pool = Pool::new(threads).unwrap();
            for size in 1..ROUNDS.min(60) {
                let mut numbers = vec![0usize; 37];
                pool.for_each_chunk(&mut numbers, size, &|part, chunk| {
                    chunk.iter_mut().enumerate().for_each(|(index, number)| *number += 1 + part * size + index);
                });
                assert!(numbers.iter().enumerate().all(|(index, &number)| number == index + 1), "{numbers:?}");
                let (mut tall, mut flat) = (vec![0usize; 3 * 23], vec![0usize; 3 * 5]);
                let mut matrices = [Rows { items: &mut tall, rows: 23 }, Rows { items: &mut flat, rows: 5 }];
                pool.for_each_row_range(&mut matrices, size, &|matrix, range, columns| {
                    let rows = [23, 5][matrix];
                    for (column, slice) in columns.iter_mut().enumerate() {
                        slice.iter_mut().zip(range.clone()).for_each(|(place, row)| *place += 1 + column * rows + row);
                    }
                });
                for matrix in [tall, flat] {
                    assert!(matrix.iter().enumerate().all(|(index, &number)| number == index + 1), "{matrix:?}");
                }
                let taken = AtomicUsize::new(0);
                pool.each((0..size).collect(), |part: usize| {
                    taken.fetch_add(part, Ordering::Relaxed);
                });
                assert_eq!(taken.into_inner(), size * (size - 1) / 2);
            }
            pool.for_each_chunk(&mut [0u8; 0], 4, &|_, _| panic!("there is nothing to do"));
        }
    }

    #[test]
    fn threads_that_sleep_wake_for_the_next_job() {
        let pool = Pool::new(3).unwrap();
        for _ in 0..3 {
            while !pool.shared.asleep.iter().all(|asleep| asleep.load(Ordering::SeqCst)) {
                std::thread::yield_now();
            }
            // All three parts must run at the same time to end at all.
            let here = AtomicUsize::new(0);
            pool.for_each(3, &|_| {
                here.fetch_add(1, Ordering::AcqRel);
                while here.load(Ordering::Acquire) < 3 {
                    std::thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn a_job_inside_a_job_and_one_from_another_thread_are_done_by_who_asks() {
        let pool = Pool::new(3).unwrap();
        let sum = AtomicUsize::new(0);
        let all = || {
            pool.for_each(4, &|outer| {
                pool.for_each(5, &|inner| {
                    sum.fetch_add(outer * 10 + inner, Ordering::Relaxed);
                });
            });
        };
        std::thread::scope(|scope| {
            scope.spawn(all);
            all();
        });
        assert_eq!(sum.into_inner(), 2 * (60 * 5 + 10 * 4));
    }

    #[test]
    fn a_panic_in_any_part_reaches_the_caller_after_the_others_and_the_pool_lives_on() {
        let pool = Pool::new(3).unwrap();
        for bad in 0..6 {
            let done = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.for_each(6, &|part| {
                    assert_ne!(part, bad);
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert!(result.is_err());
            assert_eq!(done.into_inner(), 5);
        }
        pool.for_each(6, &|_| ());
    }
}
