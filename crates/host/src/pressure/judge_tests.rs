//! Scripted changes, held against the table of rules.

use super::change::Change;
use super::judge::{Judge, JudgeContext, judge};
use super::rules::{RULES, Signal};
use super::sample::{MemorySample, PressureLevel, ProcessSample, ProcessorSample, Sample, Ticks};
use crate::machine::GpuCounters;
use proptest::prelude::*;
use puma_core::Timestamp;
use puma_core::measure::{Contamination, Disturbance, Severity};
use std::time::Duration;

const MODEL_BYTES: u64 = 1_000_000_000;
/// More than the run may read besides its model.
const FREE_BYTES: u64 = 64 << 20;

fn context() -> JudgeContext {
    JudgeContext { model_bytes: vec![MODEL_BYTES], to_load_bytes: 0, uses_gpu: true }
}

/// A quiet second.
fn quiet() -> Change {
    Change {
        busy_share: Some(0.9),
        others_share: Some(0.02),
        fetched_bytes: Some(0),
        swapped_in_bytes: Some(0),
        all_stalled_share: Some(0.0),
        frequency_mhz: Some(3000.0),
        ..Change::default()
    }
}

/// Seconds one after the other, from the first on.
fn verdict(context: JudgeContext, seconds: impl IntoIterator<Item = Change>) -> Vec<Contamination> {
    let mut judge = Judge::new(context);
    for (second, change) in (0_i64..).zip(seconds) {
        let (from, until) = (Timestamp(second * 1000), Timestamp((second + 1) * 1000));
        judge.push(&Change { from, until, seconds: 1.0, ..change });
    }
    judge.contaminations()
}

fn found(contaminations: &[Contamination]) -> Vec<(Disturbance, Severity, i64, i64)> {
    contaminations.iter().map(|one| (one.kind, one.severity, one.from.0 / 1000, one.until.0 / 1000)).collect()
}

/// `count` quiet seconds, then `disturbed`, then `count` quiet seconds.
fn amid(count: usize, disturbed: Vec<Change>) -> Vec<Change> {
    let calm = || std::iter::repeat_n(quiet(), count);
    calm().chain(disturbed).chain(calm()).collect()
}

#[test]
fn a_quiet_run_is_clean_however_long() {
    let second = Change { generated_tokens: 3, ..quiet() };
    assert_eq!(verdict(context(), std::iter::repeat_n(second, 5000)), []);
}

#[test]
fn a_model_that_is_read_again_is_paging_once_loading_it_is_paid_for() {
    let reading = |bytes| Change { fetched_bytes: Some(bytes), ..quiet() };
    let loading = JudgeContext { to_load_bytes: MODEL_BYTES, ..context() };
    let once = amid(3, vec![reading(MODEL_BYTES / 4); 4]);
    assert_eq!(verdict(loading.clone(), once), [], "the first time is loading");
    let major = amid(1, vec![reading(FREE_BYTES), reading(300_000_000), reading(300_000_000), reading(300_000_000)]);
    let seen = verdict(context(), major);
    assert_eq!(found(&seen), [(Disturbance::Paging, Severity::Major, 2, 5)]);
    assert_eq!(
        seen[0].detail,
        "for 3 s 300.0 MB a second of the model were read again from the disk, 300.0 MB at most (30 % of the model a second)"
    );
    let minor = amid(1, vec![reading(FREE_BYTES), reading(30_000_000), reading(30_000_000), reading(30_000_000)]);
    assert_eq!(found(&verdict(context(), minor)), [(Disturbance::Paging, Severity::Minor, 2, 5)]);
    let short = amid(1, vec![reading(FREE_BYTES), reading(300_000_000), reading(300_000_000)]);
    assert_eq!(verdict(context(), short), [], "two seconds are not sustained");
}

#[test]
fn a_slow_run_that_lives_from_the_disk_is_told_by_its_paging_ratio() {
    // One token in twenty seconds, 15 MB a second: 30 % of the model for each token, but only 1.5 % of it a second.
    let mut seconds: Vec<Change> = vec![Change { fetched_bytes: Some(15_000_000), ..quiet() }; 41];
    seconds[0].fetched_bytes = Some(FREE_BYTES);
    seconds[20].generated_tokens = 1;
    seconds[40].generated_tokens = 1;
    let seen = verdict(context(), seconds);
    assert_eq!(found(&seen), [(Disturbance::Paging, Severity::Major, 0, 41)]);
    assert!(seen[0].detail.starts_with("for 41 s 30 % of what generating read"), "{}", seen[0].detail);
}

#[test]
fn swapping_for_three_seconds_and_stalls_of_the_run_itself_void_it() {
    let swapping = Change { swapped_in_bytes: Some(2_000_000), ..quiet() };
    let seen = verdict(context(), amid(5, vec![swapping; 3]));
    assert_eq!(found(&seen), [(Disturbance::Paging, Severity::Major, 5, 8)]);
    let stalled = Change { all_stalled_share: Some(0.3), ..quiet() };
    let seen = verdict(context(), amid(5, vec![stalled.clone(); 3]));
    assert_eq!(found(&seen), [(Disturbance::Paging, Severity::Minor, 5, 8)], "somebody else may wait");
    let own = Change { fetched_bytes: Some(FREE_BYTES), ..stalled };
    let seen = verdict(context(), amid(5, vec![own; 4]));
    assert!(seen.iter().any(|one| one.severity == Severity::Major), "{seen:?}");
}

#[test]
fn a_mac_that_calls_its_memory_critical_is_believed_at_once() {
    let level = |level| Change { level: Some(level), fetched_bytes: None, ..quiet() };
    let critical = amid(2, vec![level(PressureLevel::Critical)]);
    assert_eq!(found(&verdict(context(), critical)), [(Disturbance::Paging, Severity::Major, 2, 3)]);
    let warning = amid(2, vec![level(PressureLevel::Warning); 3]);
    assert_eq!(found(&verdict(context(), warning)), [(Disturbance::Paging, Severity::Minor, 2, 5)]);
    assert_eq!(verdict(context(), amid(2, vec![level(PressureLevel::Normal); 30])), []);
}

#[test]
fn a_neighbour_voids_a_run_only_by_half_the_machine_for_a_tenth_of_the_run() {
    let beside = |share| Change { others_share: Some(share), ..quiet() };
    let of_kind = |severity, from, until| [(Disturbance::Neighbour, severity, from, until)];
    assert_eq!(verdict(context(), amid(50, vec![beside(0.19); 60])), [], "a system needs something for itself");
    assert_eq!(verdict(context(), amid(50, vec![beside(0.9); 2])), []);
    let some = verdict(context(), amid(50, vec![beside(0.3); 3]));
    assert_eq!(found(&some), of_kind(Severity::Minor, 50, 53));
    let half = verdict(context(), amid(10, vec![beside(0.6); 5]));
    assert_eq!(found(&half), of_kind(Severity::Major, 10, 15));
    let in_a_long_run = verdict(context(), amid(50, vec![beside(0.6); 5]));
    assert_eq!(found(&in_a_long_run), of_kind(Severity::Minor, 50, 55), "5 of 105 seconds");
    assert_eq!(half[0].detail, "for 5 s other programs took 60 % of the processors' time, 60 % at most");
}

#[test]
fn heat_is_minor_for_a_moment_and_major_for_longer() {
    let hot = Change { heat_share: Some(0.5), ..quiet() };
    assert_eq!(
        found(&verdict(context(), amid(5, vec![hot.clone()]))),
        [(Disturbance::Throttling, Severity::Minor, 5, 6)]
    );
    assert_eq!(found(&verdict(context(), amid(5, vec![hot; 5]))), [(Disturbance::Throttling, Severity::Major, 5, 10)]);
    let counted = Change { heat_events: Some(3), ..quiet() };
    assert_eq!(
        found(&verdict(context(), amid(5, vec![counted; 5]))),
        [(Disturbance::Throttling, Severity::Major, 5, 10)]
    );
    let limited = Change { speed_limit_percent: Some(70.0), ..quiet() };
    assert_eq!(
        found(&verdict(context(), amid(5, vec![limited; 5]))),
        [(Disturbance::Throttling, Severity::Major, 5, 10)]
    );
}

#[test]
fn a_clock_far_below_its_own_median_under_load_is_throttling() {
    let clock = |mhz| Change { frequency_mhz: Some(mhz), ..quiet() };
    assert_eq!(
        found(&verdict(context(), amid(30, vec![clock(2000.0); 5]))),
        [(Disturbance::Throttling, Severity::Minor, 30, 35)]
    );
    assert_eq!(
        found(&verdict(context(), amid(30, vec![clock(1200.0); 10]))),
        [(Disturbance::Throttling, Severity::Major, 30, 40)]
    );
    let resting = Change { busy_share: Some(0.1), ..clock(800.0) };
    assert_eq!(verdict(context(), amid(30, vec![resting; 60])), [], "an idle processor slows down by itself");
    assert_eq!(verdict(context(), vec![clock(800.0); 10]), [], "ten clocks have no median worth the name");
}

#[test]
fn a_hot_gpu_counts_only_where_the_model_may_run_on_it() {
    let slowed = |reason: &str| Change {
        gpus: vec![GpuCounters { slowed_by: Some(vec![reason.to_owned()]), ..GpuCounters::default() }],
        ..quiet()
    };
    let seen = verdict(context(), amid(5, vec![slowed("hw_thermal_slowdown"); 5]));
    assert_eq!(found(&seen), [(Disturbance::Throttling, Severity::Major, 5, 10)]);
    assert_eq!(verdict(context(), amid(5, vec![slowed("gpu_idle"); 50])), []);
    let capped = verdict(context(), amid(5, vec![slowed("sw_power_cap"); 50]));
    assert_eq!(found(&capped), [(Disturbance::Throttling, Severity::Minor, 5, 55)]);
    let elsewhere = JudgeContext { uses_gpu: false, ..context() };
    assert_eq!(verdict(elsewhere, amid(5, vec![slowed("hw_thermal_slowdown"); 50])), []);
}

#[test]
fn a_night_asleep_is_no_disturbance_and_ends_what_was() {
    let mut judge = Judge::new(context());
    let change = |from: i64, seconds: f64| Change {
        from: Timestamp(from),
        until: Timestamp(from + (seconds * 1000.0) as i64),
        seconds,
        others_share: Some(0.9),
        ..quiet()
    };
    judge.push(&change(0, 2.0));
    judge.push(&change(2000, 30_000.0));
    judge.push(&change(30_002_000, 2.0));
    assert_eq!(judge.contaminations(), []);
}

#[test]
fn stretches_near_each_other_are_one_and_their_number_is_bounded() {
    let burst = || vec![Change { others_share: Some(0.4), ..quiet() }; 3];
    let near: Vec<Change> = amid(4, [burst(), vec![quiet(); 5], burst()].concat());
    assert_eq!(found(&verdict(context(), near)), [(Disturbance::Neighbour, Severity::Minor, 4, 15)]);
    let far = (0..1000).flat_map(|_| [burst(), vec![quiet(); 20]].concat());
    let many = verdict(context(), far);
    assert_eq!(many.len(), 64);
    assert_eq!((many[0].from, many.last().expect("many").until), (Timestamp(0), Timestamp((999 * 23 + 3) * 1000)));
}

#[test]
fn every_major_rule_but_the_immediate_ones_has_a_minor_sister_below_it() {
    for major in RULES.iter().filter(|rule| rule.severity == Severity::Major) {
        let minor = |signal| RULES.iter().find(|rule| rule.signal == signal && rule.severity == Severity::Minor);
        match major.signal {
            Signal::SwappedIn => assert!(minor(Signal::SwappedIn).is_none()),
            Signal::StalledByPaging => assert!(minor(Signal::MemoryStalled).is_some()),
            signal => assert!(minor(signal).is_some_and(|minor| minor.threshold <= major.threshold), "{signal:?}"),
        }
    }
}

/// A sample at second `at` of a machine of two processors whose counters say so.
fn sample(at: u64, busy: u64, own: u64, fetched: u64) -> Sample {
    Sample {
        at: Duration::from_secs(at),
        time: Timestamp(at as i64 * 1000),
        processor: ProcessorSample {
            all: Some(Ticks { busy, total: at * 200, stolen: 0 }),
            ..ProcessorSample::default()
        },
        memory: MemorySample { swapped_in_bytes: Some(0), ..MemorySample::default() },
        processes: vec![ProcessSample {
            id: "self".to_owned(),
            ticks: Some(own),
            fetched_bytes: Some(fetched),
            ..ProcessSample::default()
        }],
        ..Sample::default()
    }
}

#[test]
fn the_others_are_what_is_busy_without_this_program() {
    let change = Change::between(&sample(1, 100, 60, 0), &sample(2, 250, 160, 5)).expect("a second");
    assert_eq!((change.busy_share, change.others_share, change.fetched_bytes), (Some(0.75), Some(0.25), Some(5)));
}

#[test]
fn a_counter_that_goes_back_or_stands_still_says_nothing_about_its_interval() {
    let back = Change::between(&sample(1, 100, 60, 9), &sample(2, 50, 40, 5)).expect("a second");
    assert_eq!((back.busy_share, back.others_share, back.fetched_bytes), (None, None, None));
    let mut frozen = sample(2, 100, 60, 9);
    frozen.processor.all = sample(1, 100, 60, 9).processor.all;
    let still = Change::between(&sample(1, 100, 60, 9), &frozen).expect("a second");
    assert_eq!((still.busy_share, still.others_share, still.fetched_bytes), (None, None, Some(0)));
    assert_eq!(Change::between(&sample(2, 1, 1, 1), &sample(2, 1, 1, 1)), None, "no time passed");
    assert_eq!(Change::between(&sample(3, 1, 1, 1), &sample(2, 1, 1, 1)), None, "time went back");
}

#[test]
fn a_wall_clock_that_is_set_back_makes_no_negative_stretch() {
    let mut later = sample(2, 300, 100, 0);
    later.time = Timestamp(-3_600_000);
    let change = Change::between(&sample(1, 100, 60, 0), &later).expect("a second");
    assert!(change.from <= change.until && change.seconds == 1.0);
}

proptest! {
    /// Whatever the counters do, the verdict is finite, ordered, within the run, and the same however often it is asked for.
    #[test]
    fn any_counters_give_an_orderly_verdict(
        steps in proptest::collection::vec((0_u64..4, any::<u32>(), any::<u32>(), any::<u64>(), any::<i32>()), 0..60)
    ) {
        let mut at = 0;
        let samples: Vec<Sample> = steps.iter().map(|(step, busy, own, fetched, wall)| {
            at += step;
            let mut sample = sample(at, u64::from(*busy), u64::from(*own), *fetched);
            sample.time = Timestamp(i64::from(*wall));
            sample.memory.swapped_in_bytes = Some(*fetched);
            sample
        }).collect();
        let whole = judge(&samples, context());
        prop_assert_eq!(&whole, &judge(&samples, context()));
        let times = || samples.iter().map(|sample| sample.time);
        for found in &whole {
            prop_assert!(found.from <= found.until);
            prop_assert!(times().min() <= Some(found.from) && Some(found.until) <= times().max());
            prop_assert!(!found.detail.contains("NaN") && !found.detail.contains("inf"), "{}", found.detail);
        }
        prop_assert!(whole.windows(2).all(|pair| pair[0].from <= pair[1].from));
        prop_assert!(whole.len() <= RULES.len() * 64);
    }
}
