//! The thread: it ends when told, and no meter can take the run down with it.

use super::chain::Chain;
use super::idle::measure_idle;
use super::ledger::SessionOptions;
use super::session::EnergySession;
use puma_core::measure::{Channel, EnergyReport, Meter, MeterError, MeterReading, Phase, PhaseEnergy, Quality};
use puma_core::{Cancel, SystemClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// 100 W, read by `read` before it answers; counts how often.
struct Steady<F> {
    reads: Arc<AtomicU32>,
    interval: Duration,
    read: F,
}

impl<F: FnMut(u32) + Send> Meter for Steady<F> {
    fn source(&self) -> &str {
        "steady"
    }
    fn quality(&self) -> Quality {
        Quality::Measured
    }
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }
    fn interval(&self) -> Duration {
        self.interval
    }
    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        (self.read)(self.reads.fetch_add(1, Ordering::SeqCst));
        let energy_j = 100.0 * now.as_secs_f64();
        Ok(vec![MeterReading { channel: Channel::Package, device: "package-0".to_owned(), energy_j }])
    }
}

/// A chain with one meter, and how often it was read.
fn chain(interval: Duration, read: impl FnMut(u32) + Send + 'static) -> (Chain, Arc<AtomicU32>) {
    let reads = Arc::new(AtomicU32::new(0));
    let mut chain = Chain::default();
    chain.take(Ok(Steady { reads: Arc::clone(&reads), interval, read }));
    (chain, reads)
}

fn start(chain: Chain) -> EnergySession {
    EnergySession::start(chain, Arc::new(SystemClock::default()), SessionOptions::default())
}

fn wait_until(happened: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !happened() {
        assert!(Instant::now() < deadline, "it did not happen within 20 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// 100 W over all but the time before the first reading, which a busy machine may draw out.
fn assert_joules(report: &EnergyReport, at_least: Duration) {
    let joules = report.total_j.expect("a total");
    let (least, most) = (100.0 * at_least.as_secs_f64(), 100.0 * report.duration_s + 1e-6);
    assert!((least..=most).contains(&joules), "{joules} J, not {least} to {most} J");
}

#[test]
fn a_session_ends_at_once_although_the_next_reading_is_far_away() {
    let (chain, reads) = chain(Duration::from_secs(600), |_| {});
    let mut session = start(chain);
    wait_until(|| reads.load(Ordering::SeqCst) == 1);
    let pause = Duration::from_millis(200);
    std::thread::sleep(pause);
    let before = Instant::now();
    assert_joules(&session.finish(), pause);
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert_eq!(reads.load(Ordering::SeqCst), 2);
}

#[test]
fn meters_are_read_as_often_as_they_ask_and_when_a_phase_begins() {
    const INTERVAL: Duration = Duration::from_millis(50);
    let (chain, reads) = chain(INTERVAL, |_| {});
    let (begin, mut session) = (Instant::now(), start(chain));
    session.mark(Phase::Load);
    let seen = || reads.load(Ordering::SeqCst);
    // A first reading that comes late counts as lost time; it is forgiven once the session has lasted long enough.
    wait_until(|| seen() >= 5 && session.snapshot().total_j.is_some());
    session.mark(Phase::Inference);
    let (snapshot, before) = (session.snapshot(), seen());
    wait_until(|| seen() >= before + 5);
    let report = session.finish();
    assert!(snapshot.total_j < report.total_j && snapshot.duration_s > 0.1, "{snapshot:?}");
    // On demand: the first, two marks and the end.
    assert!(f64::from(seen()) <= begin.elapsed().div_duration_f64(INTERVAL) + 4.0, "{reads:?}");
    let [load, inference] = report.phases.as_slice() else { panic!("{:?}", report.phases) };
    assert_eq!((load.phase, inference.phase), (Phase::Load, Phase::Inference));
    let joules = |row: &PhaseEnergy| row.energy_j.expect("known");
    assert!((joules(inference) - 100.0 * inference.duration_s).abs() < 1e-6, "{inference:?}");
    assert!(joules(load) > 0.0 && joules(load) < 100.0 * load.duration_s + 1e-6, "{load:?}");
    let joules: f64 = session.intervals().iter().map(|interval| interval.energy_j).sum();
    assert!((joules - report.total_j.expect("a total")).abs() < 1e-6);
}

#[test]
fn a_dropped_session_reads_no_more() {
    let (chain, reads) = chain(Duration::from_millis(20), |_| {});
    let session = start(chain);
    wait_until(|| reads.load(Ordering::SeqCst) > 1);
    drop(session);
    // The meter is gone with its thread.
    wait_until(|| Arc::strong_count(&reads) == 1);
    let after = reads.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(reads.load(Ordering::SeqCst), after);
}

#[test]
fn a_meter_that_hangs_does_not_hold_the_end_of_the_run() {
    let (release, held) = mpsc::channel::<()>();
    let (chain, reads) = chain(Duration::from_millis(50), move |place| {
        if place >= 3 {
            let _ = held.recv();
        }
    });
    let (begin, mut session) = (Instant::now(), start(chain));
    wait_until(|| reads.load(Ordering::SeqCst) > 3);
    // Half of the session is enough to lose.
    std::thread::sleep(begin.elapsed());
    let before = Instant::now();
    let report = session.finish_within(Duration::from_millis(200));
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    assert_eq!(report.total_j, None);
    assert!(report.warnings.iter().any(|warning| warning.contains("hung")), "{:?}", report.warnings);
    drop(release);
}

#[test]
fn a_meter_that_panics_loses_its_own_number_and_nothing_else() {
    let (mut both, reads) = chain(Duration::from_millis(20), |place| assert!(place < 3, "a bug"));
    // Read seldom, so that no delay of a busy machine counts as lost.
    let (other, _) = chain(Duration::from_secs(600), |_| {});
    both.extend(other);
    let (begin, mut session) = (Instant::now(), start(both));
    wait_until(|| reads.load(Ordering::SeqCst) > 3);
    // Half of the session is enough to lose.
    std::thread::sleep(begin.elapsed());
    let report = session.finish();
    let known: Vec<bool> = report.channels.iter().map(|row| row.energy_j.is_some()).collect();
    assert_eq!((known, report.total_j), (vec![false, true], None));
}

#[test]
fn an_idle_baseline_is_measured_for_its_time_and_can_be_broken_off() {
    let clock = SystemClock::default();
    let (mut meters, _) = chain(Duration::from_secs(600), |_| {});
    let idle = measure_idle(&mut meters, &clock, Duration::from_millis(300), &Cancel::default()).expect("a baseline");
    assert!(idle.duration >= Duration::from_millis(300), "{:?}", idle.duration);
    let row = idle.power("steady", Channel::Package, "package-0").expect("the counter");
    assert!((50.0..100.0 + 1e-6).contains(&row.power_w), "{} W", row.power_w);
    let cancel = Cancel::default();
    cancel.cancel();
    let before = Instant::now();
    assert_eq!(measure_idle(&mut meters, &clock, Duration::from_secs(60), &cancel), None);
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!(measure_idle(&mut Chain::default(), &clock, Duration::from_secs(60), &Cancel::default()), None);
}

#[test]
fn a_machine_without_meters_has_a_report_that_says_so() {
    let mut session = start(Chain::default());
    session.mark(Phase::Inference);
    let report = session.finish();
    assert_eq!((report.total_j, report.quality), (None, Quality::Unknown));
    assert!(report.warnings.iter().any(|warning| warning.contains("nothing counts")), "{:?}", report.warnings);
}
