//! The thread that reads the meters during a run.
//!
//! It owns them; whoever asks for a report only reads what it wrote down. A meter that panics costs its own numbers, one
//! that hangs also what the others would have said after it, neither the run.

use super::chain::Chain;
use super::ledger::{Ledger, SessionOptions};
use super::profile::{self, PowerInterval};
use puma_core::measure::{EnergyReport, Loss, Meter, MeterError, MeterReading, Phase};
use puma_core::{Cancel, Clock};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the end of a session waits for meters that are being read.
const FINISH_LIMIT: Duration = Duration::from_secs(10);
/// Readings on demand come no closer than this.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// While nothing is due the thread looks after its orders this often at least.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the thread is told.
enum Order {
    /// Read everything now: a phase begins.
    Sample,
    /// Read everything a last time, then say so and end.
    Finish(Sender<()>),
}

/// A run being measured. Dropping it ends the measurement.
pub struct EnergySession {
    ledger: Arc<Mutex<Ledger>>,
    clock: Arc<dyn Clock>,
    started_at: puma_core::Timestamp,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl EnergySession {
    /// Begins to read the meters of `chain`, each as often as it needs.
    pub fn start(chain: Chain, clock: Arc<dyn Clock>, options: SessionOptions) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::new(&chain, options, clock.monotonic())));
        let started_at = clock.now();
        let mut session = Self { ledger, clock, started_at, orders: None, thread: None };
        if chain.meters.is_empty() {
            return session;
        }
        let (orders, received) = mpsc::channel();
        let sampler = Sampler::new(chain.meters, Arc::clone(&session.ledger), Arc::clone(&session.clock));
        let spawned = std::thread::Builder::new().name("energy".to_owned()).spawn(move || sampler.run(&received));
        match spawned {
            Ok(thread) => (session.orders, session.thread) = (Some(orders), Some(thread)),
            Err(error) => {
                let warning = format!("no thread could be started to read the meters: {error}");
                lock(&session.ledger).warnings.push(warning);
            }
        }
        session
    }

    /// From now on time and joules belong to `phase`.
    pub fn mark(&self, phase: Phase) {
        lock(&self.ledger).mark(phase, self.clock.monotonic());
        self.order(Order::Sample);
    }

    /// What was spent so far, by the latest readings. Cheap.
    pub fn snapshot(&self) -> EnergyReport {
        let ledger = lock(&self.ledger);
        ledger.report(ledger.latest())
    }

    /// When the session began.
    pub fn started_at(&self) -> puma_core::Timestamp {
        self.started_at
    }

    /// The counted joules over time, for [`split`](super::split).
    pub fn intervals(&self) -> Vec<PowerInterval> {
        profile::intervals(&lock(&self.ledger), self.started_at)
    }

    /// Reads everything a last time and ends. A meter that does not answer within ten seconds is left behind.
    pub fn finish(&mut self) -> EnergyReport {
        self.finish_within(FINISH_LIMIT)
    }

    pub(super) fn finish_within(&mut self, limit: Duration) -> EnergyReport {
        let end = self.clock.monotonic();
        let answered = self.thread.is_none() || self.last_reading(limit);
        self.orders = None;
        if answered {
            if let Some(thread) = self.thread.take() {
                // A panic was caught where it arose; what the thread wrote is in the ledger either way.
                let _ = thread.join();
            }
        } else {
            lock(&self.ledger).warnings.push("a meter hung: its last readings are missing".to_owned());
        }
        let ledger = lock(&self.ledger);
        ledger.report(if answered && !ledger.tracks.is_empty() { ledger.latest() } else { ledger.latest().max(end) })
    }

    fn last_reading(&self, limit: Duration) -> bool {
        let (done, received) = mpsc::channel();
        self.order(Order::Finish(done)) && received.recv_timeout(limit).is_ok()
    }

    fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's own state.
struct Sampler {
    meters: Vec<Box<dyn Meter>>,
    /// When each is to be read again; `None` for one that is gone.
    due: Vec<Option<Duration>>,
    ledger: Arc<Mutex<Ledger>>,
    clock: Arc<dyn Clock>,
}

impl Sampler {
    fn new(meters: Vec<Box<dyn Meter>>, ledger: Arc<Mutex<Ledger>>, clock: Arc<dyn Clock>) -> Self {
        let due = vec![Some(Duration::ZERO); meters.len()];
        Self { meters, due, ledger, clock }
    }

    fn run(mut self, orders: &Receiver<Order>) {
        lock(&self.ledger).begin(self.clock.monotonic());
        loop {
            self.sample_due();
            match orders.recv_timeout(self.pause()) {
                Ok(Order::Sample) => self.all_due(),
                Ok(Order::Finish(done)) => {
                    self.all_due();
                    self.sample_due();
                    // Nobody waits any more if the meters took too long.
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn all_due(&mut self) {
        let now = self.clock.monotonic();
        for due in self.due.iter_mut().flatten() {
            *due = (*due).min(now);
        }
    }

    fn sample_due(&mut self) {
        for place in 0..self.meters.len() {
            if self.due[place].is_none_or(|due| due > self.clock.monotonic()) {
                continue;
            }
            let meter = self.meters[place].as_mut();
            let interval = meter.interval().max(SHORTEST_PAUSE);
            let (now, said, losses) = sample(meter, self.clock.as_ref());
            let gone = matches!(&said, Err(error) if error.fatal);
            lock(&self.ledger).record(place, now, said, losses);
            self.due[place] = (!gone).then(|| now + interval);
        }
    }

    /// Time until the next meter is due.
    fn pause(&self) -> Duration {
        let next = self.due.iter().flatten().min().copied();
        next.map_or(LONGEST_PAUSE, |next| next.saturating_sub(self.clock.monotonic())).min(LONGEST_PAUSE)
    }
}

/// What a reading gives: when it was taken, what the meter said, what got lost.
pub(super) type Sampled = (Duration, Result<Vec<MeterReading>, MeterError>, Vec<Loss>);

/// Reads a meter. One that panics is gone.
pub(super) fn sample(meter: &mut dyn Meter, clock: &dyn Clock) -> Sampled {
    let now = clock.monotonic();
    let read = catch_unwind(AssertUnwindSafe(|| (meter.read(now), meter.losses())));
    let (said, losses) = read.unwrap_or_else(|_| {
        let message = "reading it failed in a way that is a bug of PUMA".to_owned();
        (Err(MeterError { message, fatal: true }), Vec::new())
    });
    (now, said, losses)
}

/// Sleeps; `false` when it was cancelled meanwhile.
pub(super) fn sleep(time: Duration, cancel: &Cancel) -> bool {
    const SLICE: Duration = Duration::from_millis(50);
    let mut left = time;
    while !left.is_zero() && !cancel.is_cancelled() {
        let slice = left.min(SLICE);
        std::thread::sleep(slice);
        left -= slice;
    }
    !cancel.is_cancelled()
}
