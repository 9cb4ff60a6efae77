//! Sessions over made-up meters and made-up time: what becomes of counters that misbehave.

use super::chain::{Chain, Missing};
use super::counter::{Counter, CounterLimits};
use super::idle::baseline;
use super::integral::Integral;
use super::ledger::{Ledger, SessionOptions};
use proptest::prelude::*;
use puma_core::measure::{
    Channel, ChannelEnergy, EnergyReport, Loss, Meter, MeterError, MeterReading, Phase, Quality, TrackingMode,
};
use std::time::Duration;

const RANGE: u64 = 262_143_328_850;

/// What a made-up counter shows at a moment in seconds; `None` cannot be read.
type Shown = Box<dyn FnMut(f64) -> Option<u64> + Send>;

/// A meter with counters in microjoules.
struct MadeUp {
    source: &'static str,
    quality: Quality,
    counters: Vec<(Counter, Shown)>,
    may_rest: bool,
    resolution: Duration,
}

impl MadeUp {
    fn new(source: &'static str, channel: Channel, shown: impl FnMut(f64) -> Option<u64> + Send + 'static) -> Self {
        let limits = CounterLimits { joules_per_step: 1e-6, range_steps: Some(RANGE), implausible_power_w: 1500.0 };
        let counter = Counter::new(channel, format!("{}-0", channel.as_str()), limits);
        let resolution = Duration::from_millis(1);
        let counters: Vec<(Counter, Shown)> = vec![(counter, Box::new(shown))];
        Self { source, quality: Quality::Measured, counters, may_rest: false, resolution }
    }
}

impl Meter for MadeUp {
    fn source(&self) -> &str {
        self.source
    }
    fn quality(&self) -> Quality {
        self.quality
    }
    fn resolution(&self) -> Duration {
        self.resolution
    }
    fn may_rest(&self, _channel: Channel) -> bool {
        self.may_rest
    }
    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let readings: Vec<MeterReading> = (self.counters.iter_mut())
            .filter_map(|(counter, shown)| {
                let energy_j = counter.update(shown(now.as_secs_f64())?, now);
                Some(MeterReading { channel: counter.channel(), device: counter.device().to_owned(), energy_j })
            })
            .collect();
        match readings.is_empty() {
            true => Err(MeterError { message: "permission denied".to_owned(), fatal: false }),
            false => Ok(readings),
        }
    }
    fn losses(&mut self) -> Vec<Loss> {
        self.counters.iter_mut().flat_map(|(counter, _)| counter.take_losses()).collect()
    }
}

/// A counter that advances by `watts` from `start`.
fn steady(start: u64, watts: f64) -> impl FnMut(f64) -> Option<u64> {
    move |now| Some(microjoules(start, watts * now))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn microjoules(start: u64, joules: f64) -> u64 {
    (start + (joules * 1e6).round() as u64) % RANGE
}

/// Reads everything at each moment; phases begin where `marks` say.
fn session(mut chain: Chain, options: SessionOptions, moments: &[f64], marks: &[(Phase, f64)]) -> Ledger {
    let mut ledger = Ledger::new(&chain, options, Duration::from_secs_f64(moments[0]));
    let mut marks = marks.iter().peekable();
    for moment in moments {
        let now = Duration::from_secs_f64(*moment);
        while let Some((phase, at)) = marks.next_if(|(_, at)| at <= moment) {
            ledger.mark(*phase, Duration::from_secs_f64(*at));
        }
        for (place, meter) in chain.meters.iter_mut().enumerate() {
            let said = meter.read(now);
            let losses = meter.losses();
            ledger.record(place, now, said, losses);
        }
    }
    ledger
}

fn chain(meters: Vec<MadeUp>) -> Chain {
    let mut chain = Chain::default();
    for meter in meters {
        chain.take(Ok(meter));
    }
    chain
}

fn every_second(seconds: u32) -> Vec<f64> {
    (0..=seconds).map(f64::from).collect()
}

fn report(meters: Vec<MadeUp>, seconds: u32) -> EnergyReport {
    let ledger = session(chain(meters), SessionOptions::default(), &every_second(seconds), &[]);
    ledger.report(ledger.latest())
}

fn row(report: &EnergyReport, channel: Channel) -> &ChannelEnergy {
    report.channels.iter().find(|row| row.channel == channel).expect("the channel")
}

fn assert_unknown(report: &EnergyReport, expected_note: &str) {
    let row = row(report, Channel::Package);
    assert_eq!(
        (row.energy_j, row.quality, report.total_j, report.quality),
        (None, Quality::Unknown, None, Quality::Unknown)
    );
    let note = row.note.as_deref().expect("a note");
    assert!(note.contains(expected_note), "{note}");
    assert!(report.warnings.iter().any(|warning| warning.contains(expected_note)), "{:?}", report.warnings);
}

#[test]
fn two_sockets_and_a_gpu_sum_to_what_they_drew_also_around_a_wrap() {
    let package = MadeUp::new("RAPL", Channel::Package, steady(RANGE - 1_000_000, 60.0));
    let gpu = MadeUp::new("NVML", Channel::Gpu, steady(0, 300.0));
    let report = report(vec![package, gpu], 100);
    assert!((report.total_j.expect("a total") - 36_000.0).abs() < 0.1);
    assert_eq!((report.mode, report.quality), (TrackingMode::Machine, Quality::Measured));
    assert!((report.relative_uncertainty.expect("known") - 0.05).abs() < 1e-9);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn a_counter_of_zeros_is_unavailable_and_never_nothing() {
    assert_unknown(
        &report(vec![MadeUp::new("RAPL", Channel::Package, |_| Some(0))], 10),
        "stood still for all of 10.0 s",
    );
}

#[test]
fn a_counter_that_freezes_in_the_middle_is_unavailable() {
    let frozen = MadeUp::new("RAPL", Channel::Package, |now| Some(microjoules(0, 50.0 * now.min(20.0))));
    assert_unknown(&report(vec![frozen], 60), "stood still for 40.0 s of 60.0 s");
}

#[test]
fn a_counter_that_went_back_once_loses_that_interval_and_says_so() {
    let suspended = MadeUp::new("RAPL", Channel::Package, |now| {
        Some(microjoules(0, if now < 50.0 { 9000.0 + 10.0 * now } else { 10.0 * (now - 50.0) }))
    });
    let report = report(vec![suspended], 100);
    let row = row(&report, Channel::Package);
    assert!((row.energy_j.expect("known") - 990.0).abs() < 1e-6);
    assert_eq!(row.note.as_deref(), Some("1.0 s of 100.0 s are missing: the counter went back"));
    assert!((report.relative_uncertainty.expect("known") - 0.06).abs() < 1e-9);
}

#[test]
fn a_counter_that_keeps_going_back_is_unavailable() {
    let jumping = MadeUp::new("RAPL", Channel::Package, |now| Some(microjoules(1_000_000_000, 50.0 * (now % 5.0))));
    assert_unknown(&report(vec![jumping], 60), "the counter went back (12 times)");
}

#[test]
fn a_counter_that_vanishes_has_no_total_however_much_it_counted() {
    let vanishing = MadeUp::new("RAPL", Channel::Package, |now| (now < 50.0).then(|| microjoules(0, 50.0 * now)));
    assert_unknown(&report(vec![vanishing], 60), "it vanished (permission denied)");
}

#[test]
fn a_counter_that_could_not_be_read_for_a_while_lost_nothing_because_it_went_on_counting() {
    let away =
        MadeUp::new("RAPL", Channel::Package, |now| (!(20.0..40.0).contains(&now)).then(|| microjoules(0, 50.0 * now)));
    let report = report(vec![away], 60);
    assert!((report.total_j.expect("a total") - 3000.0).abs() < 1e-6);
}

#[test]
fn a_gpu_that_may_switch_itself_off_leaves_the_total_of_the_rest() {
    let package = MadeUp::new("RAPL", Channel::Package, steady(0, 20.0));
    let mut gpu = MadeUp::new("IOReport", Channel::Gpu, |_| Some(7));
    gpu.may_rest = true;
    let report = report(vec![package, gpu], 30);
    assert_eq!(report.total_j.map(f64::round), Some(600.0));
    assert_eq!((row(&report, Channel::Gpu).energy_j, row(&report, Channel::Gpu).counted), (None, false));
    assert!(report.warnings.iter().any(|warning| warning.contains("the device was off, or cannot be read")));
}

#[test]
fn a_gpu_that_nobody_counts_spoils_the_total_unless_the_model_is_not_on_it() {
    let chain = || {
        let mut chain = chain(vec![MadeUp::new("RAPL", Channel::Package, steady(0, 20.0))]);
        let missing =
            Missing::new("NVML", &[Channel::Gpu]).because("the driver tells no power").uncounted("GPU 0 RTX 4060");
        chain.missing.push(missing);
        chain
    };
    let total = |gpu_unused| {
        let options = SessionOptions { gpu_unused, ..SessionOptions::default() };
        let ledger = session(chain(), options, &every_second(30), &[]);
        ledger.report(ledger.latest()).total_j.map(f64::round)
    };
    assert_eq!((total(false), total(true)), (None, Some(600.0)));
}

#[test]
fn a_gpu_alone_makes_no_total() {
    let gpu = |watts| chain(vec![MadeUp::new("NVML", Channel::Gpu, steady(0, watts))]);
    let before = session(gpu(20.0), SessionOptions::default(), &every_second(3), &[]);
    let options = SessionOptions { idle: Some(baseline(&before)), ..SessionOptions::default() };
    let ledger = session(gpu(300.0), options, &every_second(30), &[(Phase::Inference, 0.0)]);
    let report = ledger.report(ledger.latest());
    assert_eq!((report.total_j, row(&report, Channel::Gpu).energy_j.map(f64::round)), (None, Some(9000.0)));
    let phases: Vec<_> = report.phases.iter().map(|row| (row.phase, row.energy_j, row.quality)).collect();
    assert_eq!(phases, [Phase::Idle, Phase::Inference].map(|phase| (phase, None, Quality::Unknown)));
    assert_eq!(report.idle_power_w, None);
    assert!(report.warnings.iter().any(|warning| warning.contains("nothing counts the processor's energy")));
}

#[test]
fn an_estimate_is_called_one_with_the_reason() {
    let mut guess = MadeUp::new("processor load", Channel::Cpu, steady(0, 20.0));
    guess.quality = Quality::Estimated;
    let mut chain = chain(vec![guess]);
    chain.missing.push(Missing::new("RAPL powercap", &[Channel::Package]).because("it is not there"));
    let ledger = session(chain, SessionOptions::default(), &every_second(30), &[]);
    let report = ledger.report(ledger.latest());
    assert_eq!((report.mode, report.quality), (TrackingMode::Estimated, Quality::Estimated));
    assert_eq!(report.relative_uncertainty, Some(0.5));
    assert_eq!(report.warnings, ["the processor's energy is an estimate, ±50 %: RAPL powercap: it is not there"]);
}

#[test]
fn a_short_time_is_marked_and_its_uncertainty_follows_the_counter() {
    let mut battery = MadeUp::new("RAPL", Channel::Package, steady(0, 30.0));
    battery.resolution = Duration::from_millis(400);
    let ledger = session(chain(vec![battery]), SessionOptions::default(), &[0.0, 0.8, 1.6], &[]);
    let report = ledger.report(ledger.latest());
    assert!((report.relative_uncertainty.expect("known") - 0.25).abs() < 1e-9);
    assert!(report.warnings.iter().any(|warning| warning.contains("1.6 s are too short")), "{:?}", report.warnings);
}

#[test]
fn what_the_idle_machine_draws_is_told_apart_and_taken_off_only_above_idle() {
    let meters = || {
        vec![
            MadeUp::new("RAPL", Channel::Package, steady(0, 50.0)),
            MadeUp::new("battery", Channel::System, steady(0, 90.0)),
        ]
    };
    let idle_meters = vec![
        MadeUp::new("RAPL", Channel::Package, steady(0, 10.0)),
        MadeUp::new("battery", Channel::System, steady(0, 30.0)),
    ];
    let before = session(chain(idle_meters), SessionOptions::default(), &every_second(3), &[]);
    let options = SessionOptions { idle: Some(baseline(&before)), ..SessionOptions::default() };
    let ledger = session(chain(meters()), options, &every_second(20), &[(Phase::Inference, 0.0)]);
    let report = ledger.report(ledger.latest());
    let rounded = |value: Option<f64>| value.map(f64::round);
    assert_eq!((rounded(report.total_j), rounded(report.above_idle_j)), (Some(1000.0), Some(800.0)));
    assert_eq!(report.idle_power_w.map(|idle| idle.value.round()), Some(10.0));
    let above: Vec<_> = report.channels.iter().filter(|row| row.device.ends_with("above idle")).collect();
    assert_eq!(
        above.iter().map(|row| (rounded(row.energy_j), row.counted)).collect::<Vec<_>>(),
        [(Some(1200.0), false)]
    );
    assert_eq!(
        report.phases.iter().map(|row| (row.phase, rounded(row.energy_j))).collect::<Vec<_>>(),
        [(Phase::Idle, Some(30.0)), (Phase::Inference, Some(1000.0))]
    );
}

#[test]
fn phases_begin_where_they_are_marked_even_between_readings() {
    let uneven = |now: f64| Some(microjoules(0, if now < 4.0 { 100.0 * now } else { 400.0 + 10.0 * (now - 4.0) }));
    let marks = [(Phase::Load, 0.0), (Phase::Inference, 4.0), (Phase::Inference, 5.0), (Phase::Load, 10.0)];
    let ledger = session(
        chain(vec![MadeUp::new("RAPL", Channel::Package, uneven)]),
        SessionOptions::default(),
        &every_second(12),
        &marks,
    );
    let phases: Vec<_> = ledger.report(ledger.latest()).phases;
    let seen: Vec<_> = phases.iter().map(|row| (row.phase, row.duration_s, row.energy_j.map(f64::round))).collect();
    assert_eq!(seen, [(Phase::Load, 6.0, Some(420.0)), (Phase::Inference, 6.0, Some(60.0))]);
}

/// The energy up to each moment of a power that changes now and then, and its highest power.
fn profile(steps: &[(f64, f64)]) -> impl Fn(f64) -> f64 + Clone + Send + use<> {
    let steps = steps.to_vec();
    move |now| {
        let (mut left, mut joules) = (now, 0.0);
        for (seconds, watts) in steps.iter().cycle() {
            let part = left.min(*seconds);
            joules += part * watts;
            left -= part;
            if left <= 0.0 {
                break;
            }
        }
        joules
    }
}

/// How far apart the powers between two moments lie.
fn spread(steps: &[(f64, f64)], from: f64, until: f64) -> f64 {
    let mut at = 0.0;
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for (seconds, watts) in steps.iter().cycle() {
        if at > until + 1e-3 {
            break;
        }
        if at + seconds >= from - 1e-3 {
            (least, most) = (least.min(*watts), most.max(*watts));
        }
        at += seconds;
    }
    most - least
}

/// A meter that integrates watts read at sampling times.
struct Watts {
    integral: Integral,
    power: Box<dyn Fn(f64) -> f64 + Send>,
}

impl Meter for Watts {
    fn source(&self) -> &str {
        "watts"
    }
    fn quality(&self) -> Quality {
        Quality::Measured
    }
    fn resolution(&self) -> Duration {
        Duration::from_millis(100)
    }
    fn read(&mut self, now: Duration) -> Result<Vec<MeterReading>, MeterError> {
        let energy_j = self.integral.update((self.power)(now.as_secs_f64()), now);
        Ok(vec![MeterReading { channel: Channel::Package, device: "package-0".to_owned(), energy_j }])
    }
}

fn any_moments() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(0.05f64..4.0, 3..80).prop_map(|pauses| {
        let mut now = 0.0;
        let moments = pauses.into_iter().map(|pause| {
            now += pause;
            now
        });
        std::iter::once(0.0).chain(moments.collect::<Vec<_>>()).collect()
    })
}

proptest! {
    #[test]
    fn a_counter_gives_the_integral_of_any_power_at_any_reading_times(
        steps in proptest::collection::vec((0.5f64..30.0, 1.0f64..400.0), 1..10),
        moments in any_moments(),
        start in 0..RANGE,
    ) {
        let energy = profile(&steps);
        let exact = energy(*moments.last().expect("moments"));
        let shown = { let energy = energy.clone(); move |now: f64| Some(microjoules(start, energy(now))) };
        let ledger = session(
            chain(vec![MadeUp::new("RAPL", Channel::Package, shown)]), SessionOptions::default(), &moments, &[],
        );
        let total = ledger.report(ledger.latest()).total_j.expect("a total");
        prop_assert!((total - exact).abs() <= 1e-5 * exact.max(1.0), "{total} for {exact}");
    }

    #[test]
    fn integrated_watts_err_by_no_more_than_the_changes_between_readings(
        steps in proptest::collection::vec((0.5f64..30.0, 1.0f64..400.0), 1..10),
        moments in any_moments(),
    ) {
        let energy = profile(&steps);
        let power = { let energy = energy.clone(); move |now: f64| (energy(now + 1e-6) - energy(now)) / 1e-6 };
        let integral = Integral::new(Channel::Package, "package-0", Duration::from_secs(5));
        let mut chain = Chain::default();
        chain.take(Ok(Watts { integral, power: Box::new(power) }));
        let ledger = session(chain, SessionOptions::default(), &moments, &[]);
        let end = *moments.last().expect("moments");
        let (total, exact) = (ledger.report(ledger.latest()).total_j.expect("a total"), energy(end));
        let bound: f64 = moments.windows(2).map(|pair| (pair[1] - pair[0]) * spread(&steps, pair[0], pair[1])).sum();
        prop_assert!((total - exact).abs() <= bound + 1e-3 * exact, "{total} for {exact}, bound {bound}");
    }

    #[test]
    fn a_session_cut_into_phases_sums_to_the_whole(
        steps in proptest::collection::vec((0.5f64..30.0, 1.0f64..400.0), 1..10),
        moments in any_moments(),
        cuts in proptest::collection::vec(0.0f64..1.0, 1..6),
    ) {
        let energy = profile(&steps);
        let end = *moments.last().expect("moments");
        let mut cuts: Vec<f64> = cuts.into_iter().map(|cut| cut * end).collect();
        cuts.push(0.0);
        cuts.sort_by(f64::total_cmp);
        let names = [Phase::Load, Phase::Inference];
        let marks: Vec<(Phase, f64)> = names.into_iter().cycle().zip(cuts).collect();
        let shown = move |now: f64| Some(microjoules(0, energy(now)));
        let ledger = session(
            chain(vec![MadeUp::new("RAPL", Channel::Package, shown)]), SessionOptions::default(), &moments, &marks,
        );
        let report = ledger.report(ledger.latest());
        let total = report.total_j.expect("a total");
        let parts: f64 = report.phases.iter().filter_map(|row| row.energy_j).sum();
        prop_assert!((parts - total).abs() <= 1e-9 * total.max(1.0));
        let time: f64 = report.phases.iter().map(|row| row.duration_s).sum();
        prop_assert!((time - report.duration_s).abs() <= 1e-6);
    }
}
