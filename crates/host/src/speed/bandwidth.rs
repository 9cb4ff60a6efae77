//! How fast processor cores read memory: measured for a tenth of a second, or what the memory's kind allows.

use super::robust::median;
use puma_core::measure::{Quality, Reading};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Several times the last-level cache of most machines; where the cache is known to be larger, so is the working set.
const WORKING_SET_BYTES: usize = 128 << 20;
const LEAST_WORKING_SET_BYTES: usize = 32 << 20;
const MOST_WORKING_SET_BYTES: usize = 2 << 30;
/// The working set is this many times the last-level cache, where that is known.
const TIMES_CACHE: usize = 4;
/// Of the memory that is available, at most this share is taken.
const SHARE_OF_AVAILABLE: u64 = 8;
const WINDOW: Duration = Duration::from_millis(10);
const WINDOWS: usize = 9;
/// 1 MiB: small against a window, large against what counting costs.
const CHUNK_WORDS: usize = 1 << 17;

/// Why nothing was measured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BandwidthError {
    #[error("the memory bandwidth is not measured with no thread; hint: give at least 1")]
    NoThreads,
    #[error(
        "the memory bandwidth is not measured: {available_bytes} bytes of memory are available, and a working set \
         that does not fit in caches needs {needed_bytes}"
    )]
    TooLittleMemory { available_bytes: u64, needed_bytes: u64 },
    #[error("the memory bandwidth is not measured: {threads} threads could not be started: {error}")]
    Threads { threads: usize, error: String },
}

/// Reads a working set with `threads` threads, again and again, and gives the median rate in 1e9 bytes per second. Takes
/// about 100 ms after the memory is filled. `cache_bytes` is the last-level cache, if known; `available_bytes` bounds
/// the working set to an eighth. A machine under load gives less; a recorded machine cannot be asked.
pub fn measure_read_bandwidth(
    threads: usize,
    cache_bytes: Option<u64>,
    available_bytes: Option<u64>,
) -> Result<Reading<f64>, BandwidthError> {
    if threads == 0 {
        return Err(BandwidthError::NoThreads);
    }
    let total = working_set(cache_bytes, available_bytes)?;
    let words = (total / size_of::<u64>() / threads).max(CHUNK_WORDS);
    let rates = rates(threads, words)?;
    let value = median(&rates).expect("there is a window for each rate");
    let source = format!("read of {} MiB by {threads} threads, median of {WINDOWS} times 10 ms", total >> 20);
    Ok(Reading::new(value, source, Quality::Measured))
}

/// The most that memory of a kind can give: `transfers_mt_s` million transfers a second over `bus_bits` in all channels
/// (64 for each channel of DDR4 and DDR5, so DDR5-5600 in two channels gives 89.6). For machines that cannot be
/// measured. `None` when either is 0.
pub fn theoretical_bandwidth(transfers_mt_s: u32, bus_bits: u32) -> Option<Reading<f64>> {
    let value = f64::from(transfers_mt_s) * f64::from(bus_bits) / 8.0 / 1000.0;
    let source = format!("{transfers_mt_s} MT/s over {bus_bits} bits");
    (value > 0.0).then(|| Reading::new(value, source, Quality::Estimated))
}

fn working_set(cache_bytes: Option<u64>, available_bytes: Option<u64>) -> Result<usize, BandwidthError> {
    let of_cache =
        cache_bytes.and_then(|bytes| usize::try_from(bytes).ok()).map(|bytes| bytes.saturating_mul(TIMES_CACHE));
    let wanted = of_cache.map_or(WORKING_SET_BYTES, |bytes| bytes.clamp(WORKING_SET_BYTES, MOST_WORKING_SET_BYTES));
    let Some(available) = available_bytes else { return Ok(wanted) };
    let most = usize::try_from(available / SHARE_OF_AVAILABLE).unwrap_or(usize::MAX);
    let least =
        of_cache.map_or(LEAST_WORKING_SET_BYTES, |bytes| bytes.clamp(LEAST_WORKING_SET_BYTES, WORKING_SET_BYTES));
    if most < least {
        let needed_bytes = least as u64 * SHARE_OF_AVAILABLE;
        return Err(BandwidthError::TooLittleMemory { available_bytes: available, needed_bytes });
    }
    Ok(wanted.min(most))
}

/// What all threads together read in each window, in 1e9 bytes per second. Counted together, because threads that
/// share a processor each look fast while they have it.
fn rates(threads: usize, words: usize) -> Result<Vec<f64>, BandwidthError> {
    let ready = AtomicUsize::new(0);
    let signal = AtomicUsize::new(WAIT);
    let bytes_read = AtomicU64::new(0);
    let read = |thread: usize| {
        // Written by the thread that reads it, so that it lies in that thread's own memory node.
        let memory: Vec<u64> = (0..words as u64).map(|word| word ^ thread as u64).collect();
        ready.fetch_add(1, Ordering::AcqRel);
        while signal.load(Ordering::Acquire) == WAIT {
            std::thread::yield_now();
        }
        for chunk in memory.chunks(CHUNK_WORDS).cycle() {
            if signal.load(Ordering::Acquire) == STOP {
                return;
            }
            black_box(sum(black_box(chunk)));
            bytes_read.fetch_add(size_of_val(chunk) as u64, Ordering::AcqRel);
        }
    };
    let read = &read;
    std::thread::scope(|scope| {
        let mut refused = None;
        for thread in 0..threads {
            if let Err(error) = std::thread::Builder::new().spawn_scoped(scope, move || read(thread)) {
                refused = Some(error.to_string());
                break;
            }
        }
        let measured = match refused {
            Some(error) => Err(BandwidthError::Threads { threads, error }),
            None => {
                while ready.load(Ordering::Acquire) < threads {
                    std::thread::sleep(Duration::from_millis(1));
                }
                signal.store(GO, Ordering::Release);
                Ok(windows(&bytes_read))
            }
        };
        signal.store(STOP, Ordering::Release);
        measured
    })
}

/// What the reading threads are told.
const WAIT: usize = 0;
const GO: usize = 1;
const STOP: usize = 2;

fn windows(bytes_read: &AtomicU64) -> Vec<f64> {
    // Threads start one after the other: the first window belongs to that.
    std::thread::sleep(WINDOW);
    let mut last = (Instant::now(), bytes_read.load(Ordering::Acquire));
    let windows = (0..WINDOWS).map(|_| {
        std::thread::sleep(WINDOW);
        let now = (Instant::now(), bytes_read.load(Ordering::Acquire));
        let rate = (now.1 - last.1) as f64 / 1e9 / (now.0 - last.0).as_secs_f64();
        last = now;
        rate
    });
    windows.collect()
}

fn sum(memory: &[u64]) -> u64 {
    memory.iter().fold(0, |sum: u64, word| sum.wrapping_add(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_says_how_it_was_made() {
        let reading = measure_read_bandwidth(2, None, Some(512 << 20)).expect("64 MiB can be had");
        assert_eq!(reading.quality, Quality::Measured);
        assert!(reading.value > 0.01 && reading.value < 20_000.0, "{reading:?}");
        assert!(reading.source.starts_with("read of 64 MiB by 2 threads"), "{reading:?}");
    }

    #[test]
    fn memory_of_a_kind_gives_what_its_standard_says() {
        let of = |transfers: u32, bits: u32| theoretical_bandwidth(transfers, bits).map(|reading| reading.value);
        assert_eq!((of(3200, 128), of(5600, 128), of(8000, 256)), (Some(51.2), Some(89.6), Some(256.0)));
        assert_eq!((of(0, 128), of(3200, 0)), (None, None));
    }

    #[test]
    fn without_threads_or_memory_nothing_is_measured() {
        assert_eq!(measure_read_bandwidth(0, None, None), Err(BandwidthError::NoThreads));
        let poor = measure_read_bandwidth(1, Some(32 << 20), Some(64 << 20)).expect_err("8 MiB fit in a cache of 32");
        assert!(poor.to_string().contains("67108864 bytes of memory are available"), "{poor}");
    }

    #[test]
    fn the_working_set_exceeds_the_cache_and_spares_the_memory() {
        assert_eq!(working_set(None, None), Ok(128 << 20));
        assert_eq!(working_set(Some(384 << 20), Some(64 << 30)), Ok(1536 << 20));
        assert_eq!(working_set(Some(8 << 30), None), Ok(2 << 30));
        assert_eq!(working_set(Some(16 << 20), Some(1 << 30)), Ok(128 << 20));
    }
}
