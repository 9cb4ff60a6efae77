//! A Mac's meters as macOS shows them: counters that move, stand still, go back and vanish, and a `powermetrics` that may
//! not be run.

use puma_core::clock::Clock;
use puma_core::measure::{Channel, Meter, Quality, TrackingMode};
use puma_host::energy::{Chain, ChainOptions, chain};
use puma_host::source::{Answer, HostSource, NativeQuery, Unanswered};
use puma_host::{Machine, RecordedHost};
use puma_testkit::machines;
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::sync::Arc;
use std::time::Duration;

const TRIAL: &str = "sudo -n /usr/bin/powermetrics --samplers cpu_power,gpu_power,thermal -f plist -i 200 -n 1";
const WINDOW: &str = "sudo -n /usr/bin/powermetrics --samplers cpu_power,gpu_power,thermal -f plist -i 2000 -n 1";
const COUNTERS: &str = "IOReport energy counters";

/// What the counters show: watts of processor, GPU and memory.
fn counters(now: Duration, watts: [u64; 3]) -> String {
    let [cpu, gpu, dram] = watts.map(|watts| u64::try_from(now.as_millis()).expect("short") * watts);
    format!(
        r#"[{{"name":"PACC0_CPU1","unit":"mJ","value":{cpu}}},{{"name":"CPU Energy","unit":"mJ","value":{}}},
        {{"name":"GPU Energy","unit":"nJ","value":{}}},{{"name":"GPU SRAM0","unit":"mJ","value":7}},
        {{"name":"ANE0","unit":"mJ","value":3}},{{"name":"DRAM0","unit":"mJ","value":{dram}}}]"#,
        1_000_000 + cpu,
        gpu * 1_000_000
    )
}

/// Half of the processors work.
fn half_busy(now: Duration, _: usize) -> Answer {
    let ticks = now.as_millis() / 10;
    Ok(format!(r#"{{"user":{ticks},"system":0,"idle":{ticks},"nice":0}}"#))
}

fn mac(clock: &ManualClock) -> ScriptedHost {
    ScriptedHost::new("macos", clock.clone()).interface(&NativeQuery::ProcessorTicks, half_busy)
}

fn machine(version: &str) -> Machine {
    let host = RecordedHost::parse(&machines::load("mac-m4-max-36gb")).expect("a recording");
    Machine { os_version: Some(version.to_owned()), ..Machine::probe(&host) }
}

fn open(host: ScriptedHost, version: &str) -> Chain {
    let host: Arc<dyn HostSource> = Arc::new(host);
    chain(&host, &machine(version), &ChainOptions::default())
}

fn sources(chain: &Chain) -> Vec<&str> {
    chain.meters.iter().map(|meter| meter.source()).collect()
}

/// Joules by channel after sampling once a second.
fn joules(chain: &mut Chain, clock: &ManualClock, seconds: u64) -> Vec<(Channel, f64)> {
    let mut latest = Vec::new();
    for second in 0..=seconds {
        if second > 0 {
            clock.advance(Duration::from_secs(1));
        }
        latest = chain.meters.iter_mut().filter_map(|meter| meter.read(clock.monotonic()).ok()).flatten().collect();
    }
    let mut joules: Vec<(Channel, f64)> =
        latest.into_iter().map(|reading| (reading.channel, (reading.energy_j * 100.0).round() / 100.0)).collect();
    joules.sort_by_key(|(channel, _)| *channel);
    joules
}

/// The meter whose readings include `channel`.
fn meter_of<'a>(chain: &'a mut Chain, channel: Channel, clock: &ManualClock) -> &'a mut Box<dyn Meter> {
    let counts = |meter: &mut Box<dyn Meter>| {
        meter.read(clock.monotonic()).is_ok_and(|readings| readings.iter().any(|reading| reading.channel == channel))
    };
    let place = chain.meters.iter_mut().position(counts).expect("a meter of the channel");
    &mut chain.meters[place]
}

#[test]
fn every_part_is_counted_in_its_own_unit_and_the_whole_mac_beside_it() {
    let clock = ManualClock::default();
    let host = mac(&clock)
        .interface(&NativeQuery::IoReportEnergy, |now, _| Ok(counters(now, [10, 20, 1])))
        .interface(&NativeQuery::SmcSystemPower, |_, _| Ok("45.5".to_owned()));
    let mut chain = open(host, "26.1");
    assert_eq!(sources(&chain), [COUNTERS, COUNTERS, "system management controller"]);
    assert_eq!(chain.missing, []);
    let expected = [(Channel::Cpu, 100.0), (Channel::Gpu, 200.0), (Channel::Dram, 10.0), (Channel::System, 455.0)];
    assert_eq!(joules(&mut chain, &clock, 10), expected);
    let qualities: Vec<Quality> = chain.meters.iter().map(|meter| meter.quality()).collect();
    assert_eq!(qualities, [Quality::VendorModel, Quality::VendorModel, Quality::Measured]);
}

#[test]
fn two_dies_are_added() {
    let clock = ManualClock::default();
    let dies = |now: Duration, _| {
        let (ms, gpu) = (now.as_millis(), now.as_nanos());
        Ok(format!(
            r#"[{{"name":"DIE_0_CPU Energy","unit":"mJ","value":{ms}}},
            {{"name":"DIE_1_CPU Energy","unit":"mJ","value":{}}},{{"name":"GPU Energy","unit":"nJ","value":{gpu}}}]"#,
            ms * 2
        ))
    };
    let mut chain = open(mac(&clock).interface(&NativeQuery::IoReportEnergy, dies), "26.1");
    assert_eq!(joules(&mut chain, &clock, 10), [(Channel::Cpu, 30.0), (Channel::Gpu, 10.0)]);
}

#[test]
fn a_processor_that_works_while_its_counter_stands_still_has_no_counter() {
    let clock = ManualClock::default();
    let host = mac(&clock).interface(&NativeQuery::IoReportEnergy, |now, _| {
        let until = Duration::from_secs(10);
        let [cpu_stops, gpu_goes_on] = [counters(now.min(until), [10, 20, 1]), counters(now, [10, 20, 1])];
        let gpu = gpu_goes_on.split("\"GPU Energy\"").nth(1).expect("the GPU").split('}').next().expect("its value");
        let stopped = cpu_stops.split("\"GPU Energy\"").nth(1).expect("the GPU").split('}').next().expect("its value");
        Ok(cpu_stops.replace(stopped, gpu))
    });
    let mut chain = open(host, "26.1");
    assert_eq!(joules(&mut chain, &clock, 10).len(), 3);
    assert_eq!(joules(&mut chain, &clock, 2).len(), 3, "two seconds may pass between two publications");
    clock.advance(Duration::from_secs(2));
    let errors: Vec<_> = chain.meters.iter_mut().filter_map(|meter| meter.read(clock.monotonic()).err()).collect();
    let [error] = errors.as_slice() else { panic!("only the processor's counter stopped: {errors:?}") };
    assert!(error.fatal && error.message.contains("stands still"), "{error}");
}

#[test]
fn a_processor_with_nothing_to_do_is_not_suspected() {
    let clock = ManualClock::default();
    let idle = |now: Duration, _| Ok(format!(r#"{{"user":0,"system":0,"idle":{},"nice":0}}"#, now.as_millis() / 10));
    let host = ScriptedHost::new("macos", clock.clone())
        .interface(&NativeQuery::ProcessorTicks, idle)
        .interface(&NativeQuery::IoReportEnergy, |_, _| Ok(counters(Duration::ZERO, [0, 0, 0])));
    let mut chain = open(host, "26.1");
    assert_eq!(joules(&mut chain, &clock, 20).len(), 3);
}

#[test]
fn counters_that_go_back_lose_that_time_and_go_on() {
    let clock = ManualClock::default();
    let host = mac(&clock).interface(&NativeQuery::IoReportEnergy, |now, _| {
        let slept = Duration::from_millis(5500);
        Ok(counters(now.checked_sub(slept).unwrap_or(now), [10, 20, 1]))
    });
    let mut chain = open(host, "26.1");
    let expected = [(Channel::Cpu, 90.0), (Channel::Gpu, 180.0), (Channel::Dram, 9.0)];
    assert_eq!(joules(&mut chain, &clock, 10), expected);
    let losses: Vec<_> = chain.meters.iter_mut().flat_map(|meter| meter.losses()).collect();
    let told: Vec<_> =
        losses.iter().map(|loss| (loss.channel, loss.duration.as_secs(), loss.reason.as_str())).collect();
    let expected = [Channel::Gpu, Channel::Cpu, Channel::Dram].map(|channel| (channel, 1, "the counter went back"));
    assert_eq!(told, expected);
}

#[test]
fn a_channel_that_vanishes_is_left_out_and_counters_that_vanish_are_told() {
    let clock = ManualClock::default();
    let host = mac(&clock).interface(&NativeQuery::IoReportEnergy, |now, _| {
        let all = counters(now, [10, 20, 1]);
        match now.as_secs() {
            0..=4 => Ok(all),
            5..=7 => Ok(all.replace("DRAM0", "DRAM0_BW")),
            8 => Ok("[]".to_owned()),
            _ => Err(Unanswered::Failed("gone".to_owned())),
        }
    });
    let mut chain = open(host, "26.1");
    assert_eq!(joules(&mut chain, &clock, 4).len(), 3);
    assert_eq!(joules(&mut chain, &clock, 1).last(), Some(&(Channel::Gpu, 100.0)));
    assert_eq!(joules(&mut chain, &clock, 3), []);
    clock.advance(Duration::from_secs(1));
    for meter in &mut chain.meters {
        let error = meter.read(clock.monotonic()).expect_err("it is gone");
        assert!(!error.fatal && error.message.contains("gone"), "{error}");
    }
}

#[test]
fn on_macos_27_a_counter_that_does_not_move_is_replaced_and_the_reasons_are_told() {
    let clock = ManualClock::default();
    let host = mac(&clock)
        .interface(&NativeQuery::IoReportEnergy, |now, _| Ok(counters(now, [0, 20, 0])))
        .interface(&NativeQuery::SmcSystemPower, |_, _| Ok("45.5".to_owned()))
        .command(TRIAL, |_, _| Err(Unanswered::Failed("sudo: a password is required".to_owned())));
    let mut chain = open(host, "27.0.1");
    assert_eq!(sources(&chain), [COUNTERS, "estimate by chip", "system management controller"]);
    let [counter, powermetrics] = chain.missing.as_slice() else { panic!("{:?}", chain.missing) };
    assert!(counter.reason.contains("stands still"), "{counter:?}");
    assert!(powermetrics.reason.contains("password"), "{powermetrics:?}");
    assert!(powermetrics.hint.as_deref().is_some_and(|hint| hint.contains("NOPASSWD: /usr/bin/powermetrics")));
    // 52 W at most, half busy, and what it draws idle.
    let expected = [(Channel::Cpu, 266.6), (Channel::Gpu, 200.0), (Channel::System, 455.0)];
    assert_eq!(joules(&mut chain, &clock, 10), expected);
    let cpu = meter_of(&mut chain, Channel::Cpu, &clock);
    assert_eq!(cpu.quality(), Quality::Estimated);
    assert!(cpu.note().is_some_and(|note| note.contains("52 W") && note.contains("± 50 %")));
}

#[test]
fn on_macos_27_a_counter_that_moves_is_trusted() {
    let clock = ManualClock::default();
    let host = mac(&clock).interface(&NativeQuery::IoReportEnergy, |_, call| {
        Ok(counters(Duration::from_secs(u64::try_from(call).expect("few")), [10, 20, 1]))
    });
    let chain = open(host, "27.1");
    assert_eq!(sources(&chain)[..2], [COUNTERS, COUNTERS]);
}

const PLIST: &str = "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>elapsed_ns</key><integer>2000000000</integer>\
    <key>processor</key><dict><key>cpu_power</key><real>8000</real><key>gpu_power</key><real>44000</real>\
    <key>ane_power</key><real>2000</real></dict></dict></plist>\n\0";

#[test]
fn where_powermetrics_may_run_it_counts_what_nothing_else_does() {
    let clock = ManualClock::default();
    let trial = PLIST.replace("8000", "500").replace("44000", "1000").replace("2000<", "500<");
    let host = mac(&clock).command(TRIAL, move |_, _| Ok(trial.clone())).command(WINDOW, |_, _| Ok(PLIST.to_owned()));
    let mut chain = open(host, "26.1");
    assert_eq!(sources(&chain), ["powermetrics"]);
    let meter = &mut chain.meters[0];
    let mut read = || {
        let readings = meter.read(clock.monotonic()).expect("readings");
        let [cpu, gpu] = readings.as_slice() else { panic!("{readings:?}") };
        assert_eq!((cpu.channel, gpu.channel), (Channel::Cpu, Channel::Gpu));
        (cpu.energy_j, gpu.energy_j)
    };
    let before = std::time::Instant::now();
    let mut first = read();
    // 1 W and 1 W by the first call; 10 W (with the Neural Engine) and 44 W by those after it.
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = read();
        assert!(now.0 >= first.0 && now.1 >= first.1, "joules never fall: {first:?}, {now:?}");
        if now.1 - first.1 > 4.3 * (now.0 - first.0) && now.0 > first.0 {
            break;
        }
        first = now;
        assert!(before.elapsed() < Duration::from_secs(20), "powermetrics was never called again");
    }
}

/// Reads until the meter fails, and says how it did and after which time.
fn first_failure(mut chain: Chain, clock: &ManualClock) -> (String, Duration, Vec<Duration>) {
    assert_eq!(sources(&chain), ["powermetrics"]);
    let (before, meter) = (std::time::Instant::now(), &mut chain.meters[0]);
    loop {
        match meter.read(clock.monotonic()) {
            Err(error) => {
                assert!(!error.fatal, "{error}");
                let lost = meter.losses().into_iter().map(|loss| loss.duration).collect();
                return (error.message, before.elapsed(), lost);
            }
            Ok(_) => assert!(before.elapsed() < Duration::from_secs(20), "it never failed"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_powermetrics_that_hangs_in_a_run_gives_no_reading_rather_than_no_power() {
    let clock = ManualClock::default();
    let hanging = Duration::from_secs(7);
    let host = mac(&clock).command(TRIAL, |_, _| Ok(PLIST.to_owned())).command(WINDOW, move |_, _| {
        std::thread::sleep(hanging);
        Err(Unanswered::TimedOut)
    });
    let (message, after, _) = first_failure(open(host, "26.1"), &clock);
    assert!(message.contains("has not answered"), "{message}");
    assert!(after < hanging, "nothing is made up until the call is given up: {after:?}");
}

#[test]
fn a_powermetrics_that_may_no_longer_run_loses_the_time_and_says_why() {
    let clock = ManualClock::default();
    let host = mac(&clock)
        .command(TRIAL, |_, _| Ok(PLIST.to_owned()))
        .command(WINDOW, |_, _| Err(Unanswered::Failed("sudo: a password is required".to_owned())));
    let (message, _, lost) = first_failure(open(host, "26.1"), &clock);
    assert!(message.contains("wants a password"), "{message}");
    assert_eq!(lost.len(), 2, "of the processor and of the GPU");
}

#[test]
fn a_powermetrics_that_cannot_serve_is_told_apart() {
    let answers: [(Answer, &str); 5] = [
        (Err(Unanswered::TimedOut), "did not answer in time"),
        (Ok("garbage\0".to_owned()), "printed nothing that could be"),
        (Ok(PLIST.replace("8000", "0")), "printed nothing that could be"),
        (Err(Unanswered::Failed("unrecognized sampler: gpu_power".to_owned())), "unrecognized sampler"),
        (Err(Unanswered::Absent), "cannot be run here"),
    ];
    for (answer, reason) in answers {
        let host = mac(&ManualClock::default()).command(TRIAL, move |_, _| answer.clone());
        let chain = open(host, "26.1");
        let missing = chain.missing.iter().find(|missing| missing.source == "powermetrics").expect("powermetrics");
        assert!(missing.reason.contains(reason), "{missing:?}");
        assert_eq!(sources(&chain), ["estimate by chip"]);
    }
}

#[test]
fn a_controller_that_says_nothing_possible_is_no_meter() {
    for answer in ["0", "NaN", "-3", "inf", "1e9", ""] {
        let host = mac(&ManualClock::default())
            .interface(&NativeQuery::IoReportEnergy, |now, _| Ok(counters(now, [1, 1, 1])))
            .interface(&NativeQuery::SmcSystemPower, move |_, _| Ok(answer.to_owned()));
        let chain = open(host, "26.1");
        assert_eq!(sources(&chain), [COUNTERS, COUNTERS], "{answer}");
        assert_eq!(chain.missing.len(), 1, "{answer}");
    }
}

#[test]
fn an_estimate_can_be_asked_for() {
    let clock = ManualClock::default();
    let busy_gpu = |_: Duration, _: usize| -> Answer {
        Ok("\"PerformanceStatistics\" = {\"In use system memory (driver)\"=0,\"Device Utilization %\"=30}".to_owned())
    };
    let host: Arc<dyn HostSource> = Arc::new(
        mac(&clock)
            .interface(&NativeQuery::IoReportEnergy, |now, _| Ok(counters(now, [10, 20, 1])))
            .command("ioreg -rc AGXAccelerator -d1", busy_gpu),
    );
    let options = ChainOptions { mode: Some(TrackingMode::Estimated), ..ChainOptions::default() };
    let mut chain = chain(&host, &machine("26.1"), &options);
    assert_eq!(sources(&chain), ["estimate by chip", "estimate by chip"]);
    // 52 W and 83 W at most.
    assert_eq!(joules(&mut chain, &clock, 10), [(Channel::Cpu, 266.6), (Channel::Gpu, 249.0)]);
}

#[test]
fn every_recorded_mac_offers_what_is_known_of_it() {
    let all = [COUNTERS, COUNTERS, "system management controller"].as_slice();
    for name in machines::names().iter().filter(|name| name.starts_with("mac-")) {
        let host = RecordedHost::parse(&machines::load(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let machine = Machine::probe(&host);
        let host: Arc<dyn HostSource> = Arc::new(host);
        let chain = chain(&host, &machine, &ChainOptions::default());
        let expected = match name.as_str() {
            "mac-m1-ultra-128gb" | "mac-m5-max-128gb" | "mac-m6-32gb" => {
                &[COUNTERS, "estimate by chip", "system management controller"]
            }
            "mac-m9-hyper-256gb" => ["estimate by chip", "estimate by chip", "system management controller"].as_slice(),
            "mac-intel-i7-16gb" => &["system management controller"],
            "mac-nonsense" => &["estimate by chip"],
            "mac-vm-m4-max" => &[],
            _ => all,
        };
        assert_eq!(sources(&chain), expected, "{name}: {:?}", chain.missing);
        let unexplained = chain.missing.iter().find(|missing| missing.reason.is_empty());
        assert_eq!(unexplained, None, "{name}");
        assert_eq!(chain.missing.is_empty(), expected == all, "{name}: {:?}", chain.missing);
    }
}
