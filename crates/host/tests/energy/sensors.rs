//! Sensors of hwmon and batteries.

use crate::support::{joules, meter, missing, open, row};
use puma_core::clock::Clock;
use puma_core::measure::{Channel, Quality};
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::time::Duration;

const HWMON: &str = "/sys/class/hwmon";
const BATTERY: &str = "/sys/class/power_supply/BAT0";

#[test]
fn sockets_of_an_epyc_are_counted_and_their_cores_not() {
    let clock = ManualClock::default();
    let host = ScriptedHost::new("linux", clock.clone())
        .folder(HWMON, &["hwmon0", "hwmon1"])
        .file(&format!("{HWMON}/hwmon0/name"), "nvme\n")
        .file(&format!("{HWMON}/hwmon1/name"), "amd_energy\n")
        .folder(
            &format!("{HWMON}/hwmon1"),
            &["energy1_input", "energy1_label", "energy2_input", "energy2_label", "name"],
        )
        .file(&format!("{HWMON}/hwmon1/energy1_label"), "Ecore000\n")
        .changing_file(&format!("{HWMON}/hwmon1/energy1_input"), |now, _| Ok(format!("{}", 5 + now.as_micros() * 3)))
        .file(&format!("{HWMON}/hwmon1/energy2_label"), "Esocket0\n")
        .changing_file(&format!("{HWMON}/hwmon1/energy2_input"), |now, _| Ok(format!("{}", 5 + now.as_micros() * 90)));
    let mut chain = open(host);
    let meter = meter(&mut chain, "hwmon amd_energy");
    assert_eq!(meter.quality(), Quality::VendorModel);
    assert_eq!(joules(meter, &clock, 10), [row(Channel::Package, "amd_energy Esocket0", 900.0)]);
}

#[test]
fn a_mainboards_meter_is_integrated_and_a_zero_in_between_is_no_reading() {
    let clock = ManualClock::default();
    let host = ScriptedHost::new("linux", clock.clone())
        .folder(HWMON, &["hwmon3"])
        .file(&format!("{HWMON}/hwmon3/name"), "power_meter\n")
        .folder(&format!("{HWMON}/hwmon3"), &["name", "power1_average", "power1_cap", "power1_input"])
        .file(&format!("{HWMON}/hwmon3/power1_input"), "1\n")
        .changing_file(&format!("{HWMON}/hwmon3/power1_average"), |now, _| {
            Ok(format!("{}\n", if now.as_secs() == 5 { 0 } else { 250_000_000 }))
        });
    let mut chain = open(host);
    let meter = meter(&mut chain, "hwmon power_meter");
    assert!(meter.interval() <= Duration::from_millis(200));
    assert_eq!(joules(meter, &clock, 4), [row(Channel::System, "power_meter power1", 1000.0)]);
    clock.advance(Duration::from_secs(1));
    assert!(meter.read(clock.monotonic()).expect_err("a zero").message.contains("reads zero"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(joules(meter, &clock, 1), [row(Channel::System, "power_meter power1", 1750.0)]);
    clock.advance(Duration::from_secs(100));
    meter.read(clock.monotonic()).expect("a reading");
    assert_eq!(meter.losses().len(), 1, "a hundred seconds are not guessed");
}

fn battery(clock: &ManualClock) -> ScriptedHost {
    ScriptedHost::new("linux", clock.clone())
        .folder("/sys/class/power_supply", &["AC", "BAT0", "hidpp_battery_0"])
        .file("/sys/class/power_supply/AC/type", "Mains\n")
        .file("/sys/class/power_supply/hidpp_battery_0/type", "Battery\n")
        .file("/sys/class/power_supply/hidpp_battery_0/scope", "Device\n")
        .file(&format!("{BATTERY}/type"), "Battery\n")
}

#[test]
fn a_laptop_on_battery_is_measured_whole_until_it_is_plugged_in() {
    let clock = ManualClock::default();
    let host = battery(&clock)
        .changing_file(&format!("{BATTERY}/status"), |now, _| {
            Ok(if now.as_secs() < 20 { "Discharging\n" } else { "Charging\n" }.to_owned())
        })
        .file(&format!("{BATTERY}/power_now"), "12500000\n");
    let mut chain = open(host);
    let meter = meter(&mut chain, "battery discharge");
    assert_eq!(joules(meter, &clock, 10), [row(Channel::System, "BAT0", 125.0)]);
    clock.advance(Duration::from_secs(10));
    assert!(meter.read(clock.monotonic()).expect_err("plugged in").message.contains("plugged in"));
}

#[test]
fn current_and_voltage_do_as_well_whatever_sign_the_driver_gives() {
    let clock = ManualClock::default();
    let host = battery(&clock)
        .file(&format!("{BATTERY}/status"), "Discharging\n")
        .file(&format!("{BATTERY}/current_now"), "-1500000\n")
        .file(&format!("{BATTERY}/voltage_now"), "12000000\n");
    let mut chain = open(host);
    assert_eq!(joules(meter(&mut chain, "battery discharge"), &clock, 10), [row(Channel::System, "BAT0", 180.0)]);
}

#[test]
fn a_laptop_that_is_plugged_in_and_a_machine_without_battery_say_so() {
    let full = battery(&ManualClock::default()).file(&format!("{BATTERY}/status"), "Full\n");
    assert!(missing(&open(full), "battery discharge").reason.contains("plugged in"));
    let none = ScriptedHost::new("linux", ManualClock::default()).folder("/sys/class/power_supply", &["AC"]);
    assert!(missing(&open(none), "battery discharge").reason.contains("no battery"));
}
