//! The thread that samples the machine during a run.

use super::change::Change;
use super::judge::{Judge, JudgeContext};
use super::sample::Sample;
use super::sampler::Sampler;
use super::tally::Tally;
use crate::machine::Machine;
use crate::source::HostSource;
use puma_core::measure::{Contamination, HealthReport};
use puma_core::{Cancel, Clock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the end of a run waits for a sample under way: a program of macOS may hang for seconds.
const FINISH_LIMIT: Duration = Duration::from_secs(6);

/// How to watch.
#[derive(Clone, Debug)]
pub struct MonitorOptions {
    pub interval: Duration,
    /// Beginnings of the names of the programs that hold the model, where it is not this one: `ollama`, `llama-server`.
    pub servers: Vec<String>,
    /// Whether the model runs on a GPU, or may.
    pub uses_gpu: bool,
    /// Cancelled when paging makes the run's numbers void.
    pub on_paging: Option<Cancel>,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), servers: Vec::new(), uses_gpu: false, on_paging: None }
    }
}

/// What the thread is told.
enum Order {
    Sample,
    Finish(Sender<()>),
}

/// A machine being watched. Dropping it ends the watch; it never holds a run up.
pub struct PressureMonitor {
    watch: Arc<Mutex<Watch>>,
    clock: Arc<dyn Clock>,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// What is known so far. Its size does not grow with time.
struct Watch {
    options: MonitorOptions,
    judge: Judge,
    /// Samples before this moment are of loading.
    asking_since: Option<Duration>,
    /// The paging for which the run was cancelled.
    stopped_by: Option<Contamination>,
    tally: Tally,
    samples: u64,
    latest: Option<(Sample, Option<Change>)>,
    unavailable: Vec<String>,
    generated_tokens: u64,
}

impl PressureMonitor {
    /// Begins to sample. Nothing is judged before [`begin_asking`](Self::begin_asking).
    pub fn start(host: Arc<dyn HostSource>, machine: &Machine, clock: Arc<dyn Clock>, options: MonitorOptions) -> Self {
        let sampler = Sampler::new(host, machine, Arc::clone(&clock), &options.servers);
        let interval = options.interval.max(Duration::from_millis(10));
        let judge = Judge::new(JudgeContext { uses_gpu: options.uses_gpu, ..JudgeContext::default() });
        let watch = Watch {
            options,
            judge,
            asking_since: None,
            stopped_by: None,
            tally: Tally::default(),
            samples: 0,
            latest: None,
            unavailable: Vec::new(),
            generated_tokens: 0,
        };
        let watch = Arc::new(Mutex::new(watch));
        let (orders, received) = mpsc::channel();
        let shared = Arc::clone(&watch);
        let spawned = std::thread::Builder::new()
            .name("pressure".to_owned())
            .spawn(move || run(sampler, &shared, interval, &received));
        match spawned {
            Ok(thread) => Self { watch, clock, orders: Some(orders), thread: Some(thread) },
            Err(error) => {
                lock(&watch).unavailable.push(format!("everything: no thread could be started: {error}"));
                Self { watch, clock, orders: None, thread: None }
            }
        }
    }

    /// The models are ready: from now on disturbances count. `model_bytes` are the sizes of the models as far as they are
    /// known; `to_load_bytes` of them may still be read from the disk without being paging.
    pub fn begin_asking(&self, model_bytes: Vec<u64>, to_load_bytes: u64) {
        let mut watch = lock(&self.watch);
        watch.asking_since = Some(self.clock.monotonic());
        let uses_gpu = watch.options.uses_gpu;
        watch.judge = Judge::new(JudgeContext { model_bytes, to_load_bytes, uses_gpu });
        drop(watch);
        self.order(Order::Sample);
    }

    /// So many more tokens were generated; makes the paging ratio known.
    pub fn generated(&self, tokens: u64) {
        let mut watch = lock(&self.watch);
        watch.generated_tokens = watch.generated_tokens.saturating_add(tokens);
    }

    /// The report so far. Cheap.
    pub fn snapshot(&self) -> HealthReport {
        lock(&self.watch).report()
    }

    /// The latest sample, and what happened since the one before.
    pub fn latest(&self) -> Option<(Sample, Option<Change>)> {
        lock(&self.watch).latest.clone()
    }

    /// The paging that makes the run's numbers void, if there was any.
    pub fn paging(&self) -> Option<Contamination> {
        lock(&self.watch).judge.paging()
    }

    /// The paging for which [`MonitorOptions::on_paging`] was cancelled.
    pub fn stopped_by(&self) -> Option<Contamination> {
        lock(&self.watch).stopped_by.clone()
    }

    /// Samples a last time and ends. A sample that hangs is left behind.
    pub fn finish(&mut self) -> HealthReport {
        let (done, answered) = mpsc::channel();
        let ended = self.order(Order::Finish(done)) && answered.recv_timeout(FINISH_LIMIT).is_ok();
        self.orders = None;
        let thread = self.thread.take();
        if ended {
            // It has said that it is at its end; a panic was caught where it arose.
            let _ = thread.map(JoinHandle::join);
        }
        self.snapshot()
    }

    fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }
}

fn lock(watch: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(mut sampler: Sampler, watch: &Mutex<Watch>, interval: Duration, orders: &Receiver<Order>) {
    loop {
        // The sampler reads what strangers wrote; a mistake in that costs the watch, never the run.
        match catch_unwind(AssertUnwindSafe(|| sampler.read())) {
            Ok(sample) => lock(watch).record(sample, sampler.unavailable()),
            Err(_) => {
                lock(watch).unavailable.push("everything: sampling failed in a way that is a bug of PUMA".to_owned());
                return;
            }
        }
        match orders.recv_timeout(interval) {
            Ok(Order::Sample) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Finish(done)) => {
                if let Ok(sample) = catch_unwind(AssertUnwindSafe(|| sampler.read())) {
                    lock(watch).record(sample, sampler.unavailable());
                }
                // Nobody waits any more if it took too long.
                let _ = done.send(());
                return;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Watch {
    fn record(&mut self, mut sample: Sample, unavailable: Vec<String>) {
        sample.generated_tokens = self.generated_tokens;
        self.samples += 1;
        self.unavailable = unavailable;
        self.tally.sample(&sample);
        let before = self.latest.take();
        let change = before.as_ref().and_then(|(before, _)| Change::between(before, &sample));
        match (&change, before) {
            (Some(change), Some((before, _))) => {
                self.tally.change(change);
                if self.asking_since.is_some_and(|since| before.at >= since) {
                    self.judge.push(change);
                    self.stop_on_paging();
                }
                self.latest = Some((sample, Some(change.clone())));
            }
            // Too close to the one before: that one stays, or the time between them would belong to nobody.
            (None, Some(before)) if before.0.at <= sample.at => self.latest = Some(before),
            _ => self.latest = Some((sample, None)),
        }
    }

    fn stop_on_paging(&mut self) {
        let Some(cancel) = self.options.on_paging.as_ref().filter(|cancel| !cancel.is_cancelled()) else { return };
        self.stopped_by = self.judge.paging();
        if self.stopped_by.is_some() {
            cancel.cancel();
        }
    }

    fn report(&self) -> HealthReport {
        HealthReport {
            samples: self.samples,
            interval_ms: u64::try_from(self.options.interval.as_millis()).unwrap_or(u64::MAX),
            quantities: self.tally.quantities(),
            contaminations: self.judge.contaminations(),
            unavailable: self.unavailable.clone(),
        }
    }
}
