//! RAPL zones as kernels show them.

use crate::support::{joules, meter, missing, open, row};
use puma_core::clock::Clock;
use puma_core::measure::{Channel, Quality};
use puma_host::source::Unanswered;
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::time::Duration;

const ROOT: &str = "/sys/class/powercap";
const RANGE_UJ: u64 = 262_143_328_850;

/// A zone whose counter stands at `start_uj` and advances by `watts`.
fn zone(host: ScriptedHost, folder: &str, name: &str, start_uj: u64, watts: u64) -> ScriptedHost {
    let counter = move |now: Duration, _| {
        let advanced = u64::try_from(now.as_micros()).expect("short") * watts;
        Ok(format!("{}\n", (start_uj + advanced) % RANGE_UJ))
    };
    host.file(&format!("{ROOT}/{folder}/name"), format!("{name}\n"))
        .file(&format!("{ROOT}/{folder}/max_energy_range_uj"), format!("{RANGE_UJ}\n"))
        .changing_file(&format!("{ROOT}/{folder}/energy_uj"), counter)
}

#[test]
fn two_sockets_with_memory_and_platform_are_counted_apart_and_their_parts_not() {
    let clock = ManualClock::default();
    let mut host = ScriptedHost::new("linux", clock.clone())
        .folder(
            ROOT,
            &[
                "intel-rapl",
                "intel-rapl:0",
                "intel-rapl:0:0",
                "intel-rapl:0:1",
                "intel-rapl:1",
                "intel-rapl:1:0",
                "intel-rapl:2",
            ],
        )
        .file("/proc/cpuinfo", "vendor_id\t: GenuineIntel\n");
    host = zone(host, "intel-rapl:0", "package-0", 124_599_532_281, 60);
    host = zone(host, "intel-rapl:0:0", "core", 23_893_449_269, 30);
    host = zone(host, "intel-rapl:0:1", "dram", 182_178_908_522, 5);
    host = zone(host, "intel-rapl:1", "package-1", RANGE_UJ - 1_000_000, 50);
    host = zone(host, "intel-rapl:1:0", "dram", 1_000, 4);
    host = zone(host, "intel-rapl:2", "psys", 154_571_208_422, 150);
    let mut chain = open(host);
    let meter = meter(&mut chain, "RAPL powercap");
    assert_eq!(meter.quality(), Quality::Measured);
    let expected = [
        (Channel::Dram, "dram-0", 50.0),
        (Channel::Dram, "dram-1", 40.0),
        (Channel::Package, "package-0", 600.0),
        (Channel::Package, "package-1", 500.0),
        (Channel::System, "psys", 1500.0),
    ];
    assert_eq!(joules(meter, &clock, 10), expected.map(|(channel, device, energy_j)| row(channel, device, energy_j)));
    assert!(meter.losses().is_empty(), "wrapping around loses nothing");
}

#[test]
fn a_socket_seen_twice_is_counted_once() {
    let clock = ManualClock::default();
    let mut host = ScriptedHost::new("linux", clock.clone())
        .folder(ROOT, &["intel-rapl", "intel-rapl-mmio", "intel-rapl-mmio:0", "intel-rapl:0", "intel-rapl:1"])
        .file("/proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
    host = zone(host, "intel-rapl-mmio:0", "package-0", 5_000_000, 60);
    host = zone(host, "intel-rapl:0", "package-0", 77_000_000, 60);
    host = zone(host, "intel-rapl:1", "package-1", 77_000_001, 60);
    let mut chain = open(host);
    let meter = meter(&mut chain, "RAPL powercap");
    assert_eq!(meter.quality(), Quality::VendorModel);
    assert_eq!(joules(meter, &clock, 10), [row(Channel::Package, "package-0", 600.0)]);
    let note = meter.note().expect("the mirror is told");
    assert!(note.contains("package-1 shows the counter of package-0"), "{note}");
}

#[test]
fn a_tree_bound_into_a_container_is_read_where_the_variable_says() {
    let clock = ManualClock::default();
    let tree = "/host/powercap/intel-rapl";
    let host = ScriptedHost::new("linux", clock.clone())
        .variable("PUMA_POWERCAP_ROOT", "/host/powercap/")
        .folder("/host/powercap", &["intel-rapl"])
        .folder(tree, &["enabled", "intel-rapl:0"])
        .folder(&format!("{tree}/intel-rapl:0"), &["energy_uj", "intel-rapl:0:0", "name"])
        .file(&format!("{tree}/intel-rapl:0/name"), "package-0\n")
        .changing_file(&format!("{tree}/intel-rapl:0/energy_uj"), |now, _| Ok(format!("{}", now.as_micros() * 7)))
        .file(&format!("{tree}/intel-rapl:0/intel-rapl:0:0/name"), "dram\n")
        .changing_file(&format!("{tree}/intel-rapl:0/intel-rapl:0:0/energy_uj"), |now, _| {
            Ok(format!("{}", now.as_micros() * 2))
        });
    let mut chain = open(host);
    let expected = [row(Channel::Dram, "dram-0", 6.0), row(Channel::Package, "package-0", 21.0)];
    assert_eq!(joules(meter(&mut chain, "RAPL powercap"), &clock, 3), expected);
}

#[test]
fn counters_for_root_alone_say_so_and_how_to_be_let_in() {
    let host = zone(ScriptedHost::new("linux", ManualClock::default()), "intel-rapl:0", "package-0", 0, 1)
        .folder(ROOT, &["intel-rapl", "intel-rapl:0"])
        .changing_file(&format!("{ROOT}/intel-rapl:0/energy_uj"), |_, _| Err(Unanswered::Denied));
    let chain = open(host);
    let missing = missing(&chain, "RAPL powercap");
    assert!(missing.reason.contains("permission denied"), "{}", missing.reason);
    let hint = missing.hint.as_deref().expect("a hint");
    for way in ["chmod", "udev", "setcap"] {
        assert!(hint.contains(way), "{hint}");
    }
}

#[test]
fn a_counter_refused_in_the_middle_of_a_run_is_an_error_and_not_a_zero() {
    let clock = ManualClock::default();
    let host = zone(ScriptedHost::new("linux", clock.clone()), "intel-rapl:0", "package-0", 0, 1)
        .folder(ROOT, &["intel-rapl", "intel-rapl:0"])
        .changing_file(&format!("{ROOT}/intel-rapl:0/energy_uj"), |now, _| match now.as_secs() {
            0..5 => Ok(format!("{}", now.as_micros() * 9)),
            5..8 => Err(Unanswered::Denied),
            _ => Ok("no number\n".to_owned()),
        });
    let mut chain = open(host);
    let meter = meter(&mut chain, "RAPL powercap");
    assert_eq!(joules(meter, &clock, 4), [row(Channel::Package, "package-0", 36.0)]);
    for expected in ["permission denied", "does not hold a number"] {
        clock.advance(Duration::from_secs(3));
        let error = meter.read(clock.monotonic()).expect_err("no reading");
        assert!(error.message.contains(expected) && !error.fatal, "{error}");
    }
}
