//! What is said where nothing can be measured, and of one process alone.

use crate::support::{joules, linux, meter, missing, open, open_with, row};
use puma_core::clock::Clock;
use puma_core::measure::{Channel, Quality, TrackingMode};
use puma_host::Machine;
use puma_host::energy::ChainOptions;
use puma_host::machine::Surroundings;
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::time::Duration;

/// A machine with four processors that are busy for `load` of their time, of which this process has `own`.
fn busy(clock: &ManualClock, load: f64, own: f64) -> ScriptedHost {
    let ticks = |now: Duration, share: f64| (now.as_secs_f64() * 400.0 * share).round() as u64;
    ScriptedHost::new("linux", clock.clone())
        .changing_file("/proc/stat", move |now, _| {
            let (busy, idle) = (1000 + ticks(now, load), 9000 + ticks(now, 1.0 - load));
            Ok(format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 1 1 1\ncpu1 1 1 1 1\ncpu2 1 1 1 1\ncpu3 1 1 1 1\n"))
        })
        .changing_file("/proc/self/stat", move |now, _| {
            Ok(format!("7 (puma) R 1 1 1 0 -1 0 0 0 0 0 {} 5 0 0 20 0 8 0 1 1 1", ticks(now, load * own)))
        })
}

fn named(cpu: &str, virtual_machine: Option<&str>) -> Machine {
    let surroundings = Surroundings { virtual_machine: virtual_machine.map(str::to_owned), ..Surroundings::default() };
    Machine { cpu: Some(cpu.to_owned()), memory_bytes: Some(16 << 30), surroundings, ..linux() }
}

/// Joules of ten seconds, and the note.
fn estimated(machine: &Machine, load: f64) -> (f64, String) {
    let clock = ManualClock::default();
    let mut chain = open_with(busy(&clock, load, 0.0), machine, &ChainOptions::default());
    let meter = meter(&mut chain, "processor load");
    assert_eq!(meter.quality(), Quality::Estimated);
    let rows = joules(meter, &clock, 10);
    assert_eq!((rows.len(), rows[0].0), (1, Channel::Cpu));
    (rows[0].2, meter.note().expect("a note"))
}

#[test]
fn the_curve_is_a_tenth_of_the_peak_at_rest_and_rises_with_the_cube_of_the_load() {
    let machine = named("AMD Ryzen 9 7950X 16-Core Processor", None);
    for (load, watts) in [(0.0, 17.0), (0.5, 36.125), (1.0, 170.0)] {
        let (energy_j, note) = estimated(&machine, load);
        assert!((energy_j - 10.0 * watts).abs() <= 0.5, "{load}: {energy_j} J");
        assert!(note.contains("170 W at full load"), "{note}");
    }
}

#[test]
fn a_virtual_machine_answers_for_the_threads_it_sees_and_an_unknown_processor_for_four_watts_a_thread() {
    let (energy_j, note) = estimated(&named("AMD EPYC 9575F 64-Core Processor", Some("kvm")), 1.0);
    assert_eq!(energy_j, 125.0);
    assert!(note.contains("4 of 128 threads that this virtual machine sees"), "{note}");
    let (energy_j, note) = estimated(&named("AMD EPYC", Some("firecracker")), 1.0);
    assert_eq!(energy_j, 160.0);
    assert!(note.contains("`AMD EPYC` is not in the table: 4 W for each of 4 threads"), "{note}");
    let in_sockets = Machine { sockets: Some(4), ..named("AMD EPYC", Some("kvm")) };
    assert_eq!(estimated(&in_sockets, 1.0).0, 160.0, "the threads of all sockets are counted already");
    let two_sockets = Machine { sockets: Some(2), ..named("AMD EPYC 7763 64-Core Processor", None) };
    assert_eq!(estimated(&two_sockets, 1.0).0, 5600.0);
}

#[test]
fn reading_in_quick_succession_changes_nothing() {
    let clock = ManualClock::default();
    let mut chain = open_with(busy(&clock, 0.5, 0.0), &named("AMD EPYC", None), &ChainOptions::default());
    let meter = meter(&mut chain, "processor load");
    let mut last = 0.0;
    for _ in 0..1000 {
        let energy_j = meter.read(clock.monotonic()).expect("a reading")[0].energy_j;
        assert!(energy_j >= last);
        last = energy_j;
        clock.advance(Duration::from_millis(10));
    }
    assert!((last - 10.0 * 16.0 * 0.2125).abs() < 1.0, "{last} J");
}

#[test]
fn memory_counts_by_its_size() {
    let clock = ManualClock::default();
    let mut chain = open_with(busy(&clock, 0.5, 0.0), &named("AMD EPYC", None), &ChainOptions::default());
    assert_eq!(joules(meter(&mut chain, "memory size"), &clock, 100), [row(Channel::Dram, "memory", 600.0)]);
}

#[test]
fn a_sandbox_that_counts_no_processor_time_gets_no_estimate() {
    let host = ScriptedHost::new("linux", ManualClock::default())
        .file("/proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0\n");
    assert!(missing(&open(host), "processor load").reason.contains("gVisor"));
}

#[test]
fn processor_time_that_turns_to_nonsense_in_the_middle_is_an_error_and_not_a_zero() {
    let clock = ManualClock::default();
    let host = ScriptedHost::new("linux", clock.clone()).changing_file("/proc/stat", |now, _| {
        Ok(if now.as_secs() < 3 {
            format!("cpu  {} 0 0 100\n", 100 + now.as_millis())
        } else {
            "\0\u{fffd}".to_owned()
        })
    });
    let mut chain = open(host);
    let meter = meter(&mut chain, "processor load");
    joules(meter, &clock, 2);
    clock.advance(Duration::from_secs(2));
    assert!(meter.read(clock.monotonic()).expect_err("nonsense").message.contains("no processor time"));
}

#[test]
fn a_process_has_the_share_of_the_joules_that_it_has_of_the_busy_time() {
    let clock = ManualClock::default();
    let options =
        ChainOptions { mode: Some(TrackingMode::Process), model_in_this_process: true, ..ChainOptions::default() };
    let mut chain = open_with(busy(&clock, 1.0, 0.25), &named("AMD EPYC", None), &options);
    let meter = meter(&mut chain, "processor load by processor time");
    assert_eq!(joules(meter, &clock, 10), [row(Channel::Cpu, "processor", 40.0)]);
    assert!(meter.note().is_some_and(|note| note.contains("this process's part")));
}

#[test]
fn a_process_is_not_measured_alone_when_the_model_runs_in_another() {
    let options =
        ChainOptions { mode: Some(TrackingMode::Process), model_in_this_process: false, ..ChainOptions::default() };
    let chain = open_with(busy(&ManualClock::default(), 1.0, 0.25), &named("AMD EPYC", None), &options);
    assert!(chain.meters.is_empty());
    assert!(missing(&chain, "process mode").reason.contains("the model runs in another"));
}

#[test]
fn modes_off_and_estimated_open_what_they_say() {
    let sources = |mode| {
        let options = ChainOptions { mode: Some(mode), ..ChainOptions::default() };
        let chain = open_with(busy(&ManualClock::default(), 1.0, 0.25), &named("AMD EPYC", None), &options);
        chain.meters.iter().map(|meter| meter.source().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sources(TrackingMode::Off), [""; 0]);
    assert_eq!(sources(TrackingMode::Estimated), ["processor load", "memory size"]);
}
