//! Energy events of perf, where powercap is for root alone.

use crate::support::{joules, meter, missing, open, row};
use puma_core::measure::{Channel, Quality};
use puma_host::energy::PerfCounter;
use puma_host::source::{NativeQuery, Unanswered};
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};

/// 2^-32 J, the step of perf's energy events.
const STEP_J: f64 = 2.328_306_436_538_696_3e-10;

#[test]
fn perf_events_count_sockets_memory_and_the_platform_once() {
    let clock = ManualClock::default();
    let host = ScriptedHost::new("linux", clock.clone()).file("/proc/cpuinfo", "vendor_id : GenuineIntel\n").interface(
        &NativeQuery::PerfEnergy,
        |now, _| {
            let counter = |event: &str, socket, watts: f64| PerfCounter {
                event: event.to_owned(),
                socket,
                count: (watts * now.as_secs_f64() / STEP_J) as u64,
                joules_per_step: STEP_J,
            };
            let counters = [
                counter("energy-pkg", 0, 100.0),
                counter("energy-pkg", 1, 80.0),
                counter("energy-ram", 0, 9.0),
                counter("energy-ram", 1, 8.0),
                counter("energy-psys", 0, 300.0),
                counter("energy-psys", 1, 300.0),
            ];
            Ok(serde_json::to_string(&counters).expect("JSON"))
        },
    );
    let mut chain = open(host);
    let meter = meter(&mut chain, "RAPL perf events");
    assert_eq!(meter.quality(), Quality::Measured);
    let expected = [
        row(Channel::Package, "package-0", 1000.0),
        row(Channel::Package, "package-1", 800.0),
        row(Channel::Dram, "dram-0", 90.0),
        row(Channel::Dram, "dram-1", 80.0),
        row(Channel::System, "psys", 3000.0),
    ];
    assert_eq!(joules(meter, &clock, 10), expected);
    assert!(meter.losses().is_empty());
}

#[test]
fn who_may_not_open_them_learns_the_level_and_what_to_do() {
    let host = ScriptedHost::new("linux", ManualClock::default())
        .file("/proc/sys/kernel/perf_event_paranoid", "4\n")
        .interface(&NativeQuery::PerfEnergy, |_, _| Err(Unanswered::Denied));
    let chain = open(host);
    let missing = missing(&chain, "RAPL perf events");
    assert!(missing.reason.contains("perf_event_paranoid is 4"), "{}", missing.reason);
    assert!(missing.hint.as_deref().is_some_and(|hint| hint.contains("cap_perfmon")));
}

#[test]
fn an_answer_that_is_no_list_of_counters_is_a_reason_and_not_a_zero() {
    let host = ScriptedHost::new("linux", ManualClock::default())
        .interface(&NativeQuery::PerfEnergy, |_, _| Ok("{\"energy\": 0}".to_owned()));
    let chain = open(host);
    assert!(missing(&chain, "RAPL perf events").reason.contains("could not be opened"));
}
