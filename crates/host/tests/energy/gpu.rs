//! GPUs whose counters and sensors do what they do in the field.

use puma_core::clock::Clock;
use puma_core::measure::{Channel, Meter, Quality};
use puma_host::Machine;
use puma_host::energy::{Chain, ChainOptions, chain};
use puma_host::source::{Answer, HostSource, NativeQuery, Unanswered};
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The chain of a Linux machine whose GPUs are probed as they are.
fn open(host: ScriptedHost) -> Chain {
    let host: Arc<dyn HostSource> = Arc::new(host);
    let machine = Machine::probe(host.as_ref());
    chain(&host, &machine, &ChainOptions::default())
}

fn meter<'a>(chain: &'a mut Chain, source: &str) -> &'a mut Box<dyn Meter> {
    let found = chain.meters.iter().position(|meter| meter.source() == source);
    let place = found.unwrap_or_else(|| panic!("no {source}: {:?}", chain.missing));
    &mut chain.meters[place]
}

/// Joules of each device after reading every `interval` for `steps` times; the last state of those that fail.
fn joules(meter: &mut dyn Meter, clock: &ManualClock, interval: Duration, steps: u32) -> Vec<(String, f64)> {
    let mut last = Vec::new();
    for step in 0..=steps {
        if step > 0 {
            clock.advance(interval);
        }
        if let Ok(readings) = meter.read(clock.monotonic()) {
            last = readings.into_iter().map(|reading| (reading.device, reading.energy_j)).collect();
        }
    }
    last
}

fn board(index: u32, values: &Value) -> Value {
    let mut board = json!({
        "index": index,
        "pci_bus_id": format!("00000000:{:02X}:00.0", index + 1),
        "name": "NVIDIA Test Board",
        "memory_total_bytes": 8_u64 << 30,
    });
    for (key, value) in values.as_object().expect("an object") {
        board[key] = value.clone();
    }
    board
}

/// A machine with the boards that `script` returns at a time and a call.
fn nvidia(clock: &ManualClock, script: fn(Duration, usize) -> Result<Value, Unanswered>) -> ScriptedHost {
    let answer = move |now, call| -> Answer { script(now, call).map(|boards| boards.to_string()) };
    ScriptedHost::new("linux", clock.clone())
        .interface(&NativeQuery::NvmlDevices, move |_, _| answer(Duration::ZERO, 0))
        .interface(&NativeQuery::NvmlCounters, answer)
}

#[test]
fn boards_with_and_without_a_counter_are_each_counted_their_own_way() {
    let clock = ManualClock::default();
    let mut chain = open(nvidia(&clock, |now, _| {
        let counted = 5_000_000 + u64::try_from(now.as_millis()).expect("short") * 300;
        let watts = 100.0 + 20.0 * now.as_secs_f64();
        Ok(json!([
            board(0, &json!({"energy_mj": counted, "power_draw_mw": 1})),
            board(1, &json!({"energy_mj": 0, "power_draw_mw": (watts * 1000.0) as u32})),
        ]))
    }));
    let counter = meter(&mut chain, "NVML energy counter");
    assert_eq!((counter.quality(), counter.interval()), (Quality::Measured, SECOND));
    let counted = joules(counter.as_mut(), &clock, SECOND, 10);
    assert_eq!(counted.len(), 1);
    assert_eq!(counted[0].0, "GPU 0 NVIDIA Test Board");
    assert!((counted[0].1 - 3000.0).abs() < 1e-6, "{counted:?}");
    let power = meter(&mut chain, "NVML power");
    assert!(power.interval() <= Duration::from_millis(200));
    let summed = joules(power.as_mut(), &clock, Duration::from_millis(200), 50);
    // From 300 W at 10 s to 500 W at 20 s.
    assert_eq!(summed[0].0, "GPU 1 NVIDIA Test Board");
    assert!((summed[0].1 - 4000.0).abs() < 0.1, "{summed:?}");
}

#[test]
fn a_counter_that_the_driver_reset_loses_that_second_and_says_so() {
    let clock = ManualClock::default();
    let mut chain = open(nvidia(&clock, |now, _| {
        let since_start = u64::try_from(now.as_millis()).expect("short") * 200;
        let counted = if now < Duration::from_secs(5) { 90_000_000 + since_start } else { 1000 + since_start };
        Ok(json!([board(0, &json!({"energy_mj": counted}))]))
    }));
    let counter = meter(&mut chain, "NVML energy counter");
    let counted = joules(counter.as_mut(), &clock, SECOND, 10);
    assert!((counted[0].1 - 9.0 * 200.0).abs() < 1e-6, "{counted:?}");
    let losses = counter.losses();
    assert_eq!(losses.len(), 1);
    assert_eq!((losses[0].duration, losses[0].reason.as_str()), (SECOND, "the counter went back"));
}

#[test]
fn a_board_that_falls_off_the_bus_is_left_out_and_the_other_goes_on() {
    let clock = ManualClock::default();
    let mut chain = open(nvidia(&clock, |now, _| {
        let energy = json!({"energy_mj": 1000 + u64::try_from(now.as_millis()).expect("short") * 100});
        let boards = [board(0, &energy), board(1, &energy)];
        let there = if now < Duration::from_secs(3) { &boards[..] } else { &boards[1..] };
        Ok(json!(there))
    }));
    let counter = meter(&mut chain, "NVML energy counter");
    let counted = joules(counter.as_mut(), &clock, SECOND, 6);
    assert_eq!(counted.iter().map(|(device, _)| device.as_str()).collect::<Vec<_>>(), ["GPU 1 NVIDIA Test Board"]);
    assert!((counted[0].1 - 600.0).abs() < 1e-6, "{counted:?}");
}

#[test]
fn nvml_that_fails_midway_is_an_error_and_not_zero_joules() {
    let clock = ManualClock::default();
    let mut chain = open(nvidia(&clock, |now, _| {
        if now < Duration::from_secs(2) {
            Ok(json!([board(0, &json!({"power_draw_mw": 50_000}))]))
        } else {
            Err(Unanswered::Failed("device fell off the bus".to_owned()))
        }
    }));
    let power = meter(&mut chain, "NVML power");
    joules(power.as_mut(), &clock, SECOND, 1);
    clock.advance(SECOND);
    let error = power.read(clock.monotonic()).expect_err("no reading");
    assert!(error.message.contains("fell off the bus"), "{error}");
}

#[test]
fn a_power_of_exactly_zero_is_no_reading() {
    let clock = ManualClock::default();
    let chain = open(nvidia(&clock, |_, _| Ok(json!([board(0, &json!({"power_draw_mw": 0, "energy_mj": 0}))]))));
    assert!(!chain.meters.iter().any(|meter| meter.source().starts_with("NVML")));
    let missing = chain.missing.iter().find(|missing| missing.source.starts_with("NVML")).expect("a reason");
    assert_eq!(missing.uncounted_device.as_deref(), Some("GPU 0 NVIDIA Test Board"));
}

const SENSORS: &str = "/sys/class/drm/card0/device/hwmon/hwmon3";

/// A machine with one card and the sensors of its driver.
fn card(clock: &ManualClock, id: &str, driver: &str) -> ScriptedHost {
    let device = "/sys/class/drm/card0/device";
    ScriptedHost::new("linux", clock.clone())
        .folder("/sys/class/drm", &["card0", "renderD128"])
        .folder("/dev/dri", &["card0", "renderD128"])
        .folder(&format!("{device}/hwmon"), &["hwmon3"])
        .file(&format!("{device}/uevent"), format!("DRIVER={driver}\nPCI_ID={id}\nPCI_SLOT_NAME=0000:03:00.0\n"))
        .file(&format!("{device}/revision"), "0xc8\n")
        .file(&format!("{SENSORS}/name"), format!("{driver}\n"))
}

/// Joules and seconds lost in ten seconds at 150 W in which the sensor cannot be read from two seconds on.
fn with_dark_sensor(dark: Duration) -> (f64, Duration) {
    let clock = ManualClock::default();
    let watts = move |now: Duration, _| {
        let is_dark = now >= 2 * SECOND && now < 2 * SECOND + dark;
        if is_dark { Err(Unanswered::Denied) } else { Ok("150000000\n".to_owned()) }
    };
    let mut chain =
        open(card(&clock, "1002:744C", "amdgpu").changing_file(&format!("{SENSORS}/power1_average"), watts));
    let power = meter(&mut chain, "amdgpu power");
    assert_eq!(power.quality(), Quality::VendorModel);
    let summed = joules(power.as_mut(), &clock, Duration::from_millis(200), 50);
    assert_eq!(summed[0].0, "GPU 0 AMD Radeon RX 7900 XTX");
    (summed[0].1, power.losses().iter().map(|loss| loss.duration).sum())
}

#[test]
fn an_amd_card_is_summed_over_a_short_failure_and_not_over_a_long_one() {
    let (energy_j, lost) = with_dark_sensor(SECOND);
    assert!((energy_j - 1500.0).abs() < 1e-6 && lost.is_zero(), "{energy_j} J, {lost:?} lost");
    let (energy_j, lost) = with_dark_sensor(5 * SECOND);
    assert!((energy_j + 150.0 * lost.as_secs_f64() - 1500.0).abs() < 1e-6, "{energy_j} J, {lost:?} lost");
    assert!(lost >= 5 * SECOND && lost < 6 * SECOND, "{lost:?}");
}

#[test]
fn the_power_of_an_amd_chip_is_the_package_and_only_where_nothing_else_counts_it() {
    let clock = ManualClock::default();
    let chip = || {
        card(&clock, "1002:1586", "amdgpu")
            .file(&format!("{SENSORS}/in1_label"), "vddnb\n")
            .file(&format!("{SENSORS}/power1_input"), "45000000\n")
    };
    let mut alone = open(chip());
    let power = meter(&mut alone, "amdgpu power of the chip");
    let reading = power.read(clock.monotonic()).expect("a reading").remove(0);
    assert_eq!(reading.channel, Channel::Package);
    let zone = "/sys/class/powercap/intel-rapl:0";
    let beside = open(
        chip()
            .folder("/sys/class/powercap", &["intel-rapl", "intel-rapl:0"])
            .file(&format!("{zone}/name"), "package-0\n")
            .file(&format!("{zone}/energy_uj"), "1000000\n")
            .file(&format!("{zone}/max_energy_range_uj"), "65532610987\n"),
    );
    let sources: Vec<&str> = beside.meters.iter().map(|meter| meter.source()).collect();
    assert!(
        sources.contains(&"RAPL powercap") && !sources.iter().any(|source| source.starts_with("amdgpu")),
        "{sources:?}"
    );
}

#[test]
fn an_intel_card_counts_microjoules_and_graphics_in_the_processor_count_nothing() {
    let clock = ManualClock::default();
    let counting = |now: Duration, _: usize| -> Answer { Ok(format!("{}\n", 7_000_000 + now.as_micros() * 40)) };
    let host = card(&clock, "8086:E20B", "xe").changing_file(&format!("{SENSORS}/energy1_input"), counting);
    let mut chain = open(host);
    let counted = joules(meter(&mut chain, "hwmon energy counter").as_mut(), &clock, SECOND, 5);
    assert_eq!(counted[0].0, "GPU 0 Intel Arc B580");
    assert!((counted[0].1 - 200.0).abs() < 1e-6, "{counted:?}");
    let inside = open(card(&clock, "8086:9BC4", "i915").changing_file(&format!("{SENSORS}/energy1_input"), counting));
    assert!(!inside.meters.iter().any(|meter| meter.source() == "hwmon energy counter"));
}

#[test]
fn nvidia_smi_is_read_seldom_and_its_errors_are_told() {
    let clock = ManualClock::default();
    let fields = "index,pci.bus_id,name,driver_version,memory.total,memory.free,memory.used,power.draw,power.limit,\
        utilization.gpu,temperature.gpu,clocks.max.memory,enforced.power.limit,vbios_version,compute_cap,mig.mode.current,\
        addressing_mode";
    let line = "0, 00000000:01:00.0, NVIDIA GeForce RTX 3060, 550.54.14, 12288, 11800, 488, 17.21, 170.00, 3, 39, 7501, \
        170.00, 94.06.25.00.7a, 8.6, [N/A], None\n";
    let host = ScriptedHost::new("linux", clock.clone())
        .command(&format!("nvidia-smi --query-gpu={fields} --format=csv,noheader,nounits"), move |_, _| {
            Ok(line.to_owned())
        })
        .command("nvidia-smi --query-gpu=index,pci.bus_id,power.draw --format=csv,noheader,nounits", |_, call| {
            match call {
                0..=5 => Ok("0, 00000000:01:00.0, 100.00\n".to_owned()),
                6 => Ok("0, 00000000:01:00.0, [N/A]\n".to_owned()),
                _ => Ok("Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.\n".to_owned()),
            }
        });
    let mut chain = open(host);
    let power = meter(&mut chain, "nvidia-smi power");
    assert!(power.interval() >= 2 * SECOND);
    let summed = joules(power.as_mut(), &clock, 2 * SECOND, 5);
    assert!((summed[0].1 - 1000.0).abs() < 1e-6, "{summed:?}");
    for expected in ["no power", "GPU is lost"] {
        let error = power.read(clock.monotonic()).expect_err("no reading");
        assert!(error.message.contains(expected), "{error}");
    }
}

#[test]
fn a_jetson_is_read_by_its_rails_and_names_those_it_leaves_out() {
    let clock = ManualClock::default();
    let folder = "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon2";
    let mut host = ScriptedHost::new("linux", clock.clone())
        .file("/proc/device-tree/model", "NVIDIA Jetson AGX Orin Developer Kit\0")
        .folder("/sys/bus/i2c/drivers/ina3221", &["1-0040", "bind"])
        .folder("/sys/bus/i2c/drivers/ina3221/1-0040/hwmon", &["hwmon2"]);
    for (input, label, milliamperes) in [(1, "VDD_GPU_SOC", 2000), (2, "VDD_CPU_CV", 500), (3, "VIN_SYS_5V0", 900)] {
        host = host
            .file(&format!("{folder}/in{input}_label"), format!("{label}\n"))
            .file(&format!("{folder}/in{input}_input"), "5000\n")
            .file(&format!("{folder}/curr{input}_input"), format!("{milliamperes}\n"));
    }
    let mut chain = open(host);
    let rails = meter(&mut chain, "INA3221 rails");
    assert!(rails.note().is_some_and(|note| note.contains("VIN_SYS_5V0")));
    let summed = joules(rails.as_mut(), &clock, Duration::from_millis(200), 50);
    let expected = [("VDD_GPU_SOC", 100.0), ("VDD_CPU_CV", 25.0)];
    assert_eq!(summed.len(), expected.len());
    for ((device, energy_j), (label, joules)) in summed.iter().zip(expected) {
        assert!(device == label && (energy_j - joules).abs() < 1e-6, "{device}: {energy_j}");
    }
}
