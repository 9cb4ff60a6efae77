//! The thread, and machines whose files freeze, vanish or hold anything.

use super::monitor::{MonitorOptions, PressureMonitor};
use super::sampler::Sampler;
use crate::Machine;
use crate::source::{Answer, HostSource, NativeQuery, Unanswered};
use puma_core::measure::{Disturbance, HealthReport, Severity};
use puma_core::{Cancel, Clock, SystemClock, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Moves by a second whenever a sample is taken: a sample asks for the monotonic time first.
#[derive(Default)]
struct SteppingClock(AtomicU64);

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst) as i64 * 1000)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

type Script = Box<dyn Fn(u64) -> Answer + Send + Sync>;

/// Files that change with every reading of `/proc/stat`.
#[derive(Default)]
struct Scripted {
    os: &'static str,
    files: BTreeMap<&'static str, Script>,
    readings: AtomicU64,
    hang: Option<Arc<Mutex<()>>>,
}

impl Scripted {
    fn linux() -> Self {
        Self { os: "linux", ..Self::default() }
    }
    fn file(mut self, path: &'static str, script: impl Fn(u64) -> Answer + Send + Sync + 'static) -> Self {
        self.files.insert(path, Box::new(script));
        self
    }
    /// Two processors, of which this program uses one.
    fn working() -> Self {
        Self::linux()
            .file("/proc/stat", |n| {
                Ok(format!(
                    "cpu  {} 0 0 {} 0 0 0 0\ncpu0 {} 0 0 1\ncpu1 1 0 0 {}\n",
                    n * 100,
                    n * 100 + 9,
                    n * 100,
                    n * 100
                ))
            })
            .file("/proc/self/stat", |n| Ok(format!("7 (puma) R 1 1 1 0 -1 0 0 0 0 0 {} 0 0 0 20 0 1", n * 100)))
            .file("/proc/self/io", |_| Ok("read_bytes: 0\n".to_owned()))
            .file("/proc/meminfo", |_| {
                Ok("MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n".to_owned())
            })
            .file("/proc/vmstat", |_| Ok("pgmajfault 1\npswpin 0\npswpout 0\nworkingset_refault_file 0\n".to_owned()))
            .file("/proc/pressure/memory", |_| Ok(pressure(0)))
    }
}

fn pressure(total: u64) -> String {
    format!(
        "some avg10=0.00 avg60=0.00 avg300=0.00 total={total}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={total}\n"
    )
}

impl HostSource for Scripted {
    fn read(&self, path: &str) -> Answer {
        let _wait = self.hang.as_ref().map(|lock| lock.lock());
        if path == "/proc/stat" {
            self.readings.fetch_add(1, Ordering::SeqCst);
        }
        let script = self.files.get(path).ok_or(Unanswered::Absent)?;
        script(self.readings.load(Ordering::SeqCst))
    }
    fn list(&self, folder: &str) -> Result<Vec<String>, Unanswered> {
        if folder == "/proc" { Ok(["1", "42", "self"].map(str::to_owned).to_vec()) } else { Err(Unanswered::Absent) }
    }
    fn link(&self, _: &str) -> Answer {
        Err(Unanswered::Absent)
    }
    fn run(&self, program: &str, arguments: &[&str], _: Duration) -> Answer {
        let name = program.rsplit('/').next().unwrap_or(program);
        let command = std::iter::once(name).chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ");
        let script = self.files.get(command.as_str()).ok_or(Unanswered::Absent)?;
        script(self.readings.load(Ordering::SeqCst))
    }
    fn native(&self, _: &NativeQuery) -> Answer {
        Err(Unanswered::Absent)
    }
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
    fn os(&self) -> &str {
        self.os
    }
    fn arch(&self) -> &str {
        "x86_64"
    }
    fn available_parallelism(&self) -> usize {
        2
    }
    fn is_recorded(&self) -> bool {
        false
    }
}

/// Watches until `samples` were taken, a second of the machine's time each.
fn watched(host: Scripted, samples: u64, cancel: Option<Cancel>) -> (HealthReport, PressureMonitor) {
    let options =
        MonitorOptions { interval: Duration::from_millis(10), on_paging: cancel, ..MonitorOptions::default() };
    let clock: Arc<dyn Clock> = Arc::new(SteppingClock::default());
    let mut monitor = PressureMonitor::start(Arc::new(host), &Machine::default(), clock, options);
    monitor.begin_asking(vec![100_000_000], 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while monitor.snapshot().samples < samples && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    (monitor.finish(), monitor)
}

fn quantity(report: &HealthReport, name: &str) -> Option<f64> {
    report.quantities.iter().find(|quantity| quantity.name == name).map(|quantity| quantity.mean)
}

#[test]
fn a_quiet_machine_is_watched_and_found_clean() {
    let (report, monitor) = watched(Scripted::working(), 12, None);
    assert!(report.samples >= 12 && report.interval_ms == 10);
    assert_eq!(report.contaminations, []);
    assert_eq!(quantity(&report, "cpu_busy_percent"), Some(50.0));
    assert_eq!(quantity(&report, "cpu_others_percent"), Some(0.0));
    assert_eq!(quantity(&report, "memory_used_bytes"), Some(614_400.0));
    let expected = [
        "processor clock: cpufreq is not there, as in most virtual machines",
        "processor throttling: the processor counts none that this system shows",
    ];
    assert_eq!(report.unavailable, expected);
    assert!(monitor.latest().is_some_and(|(_, change)| change.is_some()));
    assert_eq!(monitor.stopped_by(), None);
}

#[test]
fn a_run_that_pages_is_cancelled_when_that_was_asked_for() {
    let paging = || Scripted::working().file("/proc/self/io", |n| Ok(format!("read_bytes: {}\n", n * 90_000_000)));
    let cancel = Cancel::default();
    let (report, monitor) = watched(paging(), 10, Some(cancel.clone()));
    assert!(cancel.is_cancelled() && monitor.stopped_by().is_some());
    assert!(report.is_void() && report.contaminations[0].kind == Disturbance::Paging);
    let (report, monitor) = watched(paging(), 10, None);
    assert!(report.is_void() && monitor.stopped_by().is_none(), "only told, where it was not asked for");
}

#[test]
fn what_is_read_before_the_first_question_is_loading() {
    let options = MonitorOptions { interval: Duration::from_millis(10), ..MonitorOptions::default() };
    let host = Scripted::working().file("/proc/self/io", |n| Ok(format!("read_bytes: {}\n", n * 90_000_000)));
    let clock: Arc<dyn Clock> = Arc::new(SteppingClock::default());
    let mut monitor = PressureMonitor::start(Arc::new(host), &Machine::default(), clock, options);
    while monitor.snapshot().samples < 8 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let report = monitor.finish();
    assert_eq!(report.contaminations, []);
    assert_eq!(quantity(&report, "fetched_bytes_per_s"), Some(90_000_000.0), "but it is told");
}

#[test]
fn a_neighbour_that_takes_half_the_machine_voids_the_run() {
    let host = Scripted::working().file("/proc/stat", |n| {
        Ok(format!("cpu  {} 0 0 9 0 0 0 0\ncpu0 {} 0 0 1\ncpu1 {} 0 0 8\n", n * 200, n * 100, n * 100))
    });
    let (report, _) = watched(host, 12, None);
    let found = &report.contaminations[0];
    assert_eq!((found.kind, found.severity), (Disturbance::Neighbour, Severity::Major));
}

#[test]
fn what_the_models_server_uses_and_fetches_is_the_runs_own_doing() {
    let host = || {
        Scripted::working()
            .file("/proc/stat", |n| Ok(format!("cpu  {} 0 0 9 0 0 0 0\n", n * 200)))
            .file("/proc/1/comm", |_| Ok("init\n".to_owned()))
            .file("/proc/42/comm", |_| Ok("Ollama runner\n".to_owned()))
            .file("/proc/42/stat", |n| {
                Ok(format!("42 (Ollama runner) R 1 1 1 0 -1 0 0 0 0 0 {} 0 0 0 20 0 1", n * 100))
            })
            .file("/proc/42/io", |n| Ok(format!("read_bytes: {}\n", n * 1000)))
    };
    let clock = || Arc::new(SteppingClock::default()) as Arc<dyn Clock>;
    let change = |servers: &[String]| {
        let mut sampler = Sampler::new(Arc::new(host()), &Machine::default(), clock(), servers);
        let (one, other) = (sampler.read(), sampler.read());
        super::Change::between(&one, &other).expect("a second")
    };
    let named = change(&["ollama".to_owned()]);
    assert_eq!((named.others_share, named.fetched_bytes), (Some(0.0), Some(1000)));
    let unnamed = change(&[]);
    assert_eq!((unnamed.others_share, unnamed.fetched_bytes), (Some(0.5), Some(0)));
}

#[test]
fn files_that_freeze_vanish_or_hold_nonsense_are_unavailable_and_never_zero() {
    let frozen = Scripted::working().file("/proc/stat", |_| Ok("cpu  5 0 0 9 0 0 0 0\ncpu0 5 0 0 9\n".to_owned()));
    let (report, _) = watched(frozen, 6, None);
    assert_eq!(quantity(&report, "cpu_busy_percent"), None, "a processor's time cannot stand still");
    let vanishing = Scripted::working()
        .file("/proc/vmstat", |n| if n < 3 { Ok("pgmajfault 1\n".to_owned()) } else { Err(Unanswered::Absent) });
    let (report, _) = watched(vanishing, 8, None);
    assert!(
        report.unavailable.iter().any(|line| line == "page faults and swap: /proc/vmstat: not there"),
        "{:?}",
        report.unavailable
    );
    let nonsense = |_| Ok("\u{fffd} nonsense -1 18446744073709551616\n".to_owned());
    let garbage =
        ["/proc/stat", "/proc/self/stat", "/proc/self/io", "/proc/meminfo", "/proc/vmstat", "/proc/pressure/memory"];
    let host = garbage.iter().fold(Scripted::linux(), |host, path| host.file(path, nonsense));
    let (report, _) = watched(host, 6, None);
    assert_eq!(
        (report.quantities.len(), report.contaminations.len(), report.unavailable.len()),
        (0, 0, 8),
        "{report:?}"
    );
    let back =
        Scripted::working().file("/proc/self/io", |n| Ok(format!("read_bytes: {}\n", 9_000_000_000 - n * 90_000_000)));
    let (report, _) = watched(back, 8, None);
    assert_eq!((quantity(&report, "fetched_bytes_per_s"), report.contaminations.len()), (None, 0));
}

#[test]
fn a_mac_that_answers_nonsense_or_in_another_language_is_read_as_far_as_it_goes() {
    let mac = || Scripted { os: "macos", ..Scripted::default() };
    let swap = "total = 2048,00M  used = 1024,00M  free = 1024,00M  (encrypted)";
    let host = mac()
        .file("sysctl kern.memorystatus_vm_pressure_level kern.memorystatus_level vm.swapusage", move |_| {
            Ok(format!("kern.memorystatus_vm_pressure_level: 4\nkern.memorystatus_level: 12\nvm.swapusage: {swap}\n"))
        })
        .file("vm_stat", |_| Ok("Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free: 10.\nPageins: 7.\nSwapins: 3.\nSwapouts: 2.\n".to_owned()));
    let sample = Sampler::new(Arc::new(host), &Machine::default(), Arc::new(SystemClock::default()), &[]).read();
    assert_eq!(sample.memory.level, Some(super::PressureLevel::Critical));
    assert_eq!((sample.memory.swap_used_bytes, sample.memory.free_percent), (Some(1 << 30), Some(12.0)));
    assert_eq!((sample.memory.swapped_in_bytes, sample.memory.read_again_bytes), (Some(49_152), Some(114_688)));
    let one_by_one = mac().file("sysctl -n kern.memorystatus_vm_pressure_level", |_| Ok("2\n".to_owned()));
    let sample = Sampler::new(Arc::new(one_by_one), &Machine::default(), Arc::new(SystemClock::default()), &[]).read();
    assert_eq!(sample.memory.level, Some(super::PressureLevel::Warning));
    let nonsense = mac()
        .file("sysctl -n kern.memorystatus_vm_pressure_level", |_| Ok("-3".to_owned()))
        .file("sysctl -n vm.swapusage", |_| Ok("total = NaNM used = infM".to_owned()))
        .file("vm_stat", |_| Ok("no such thing".to_owned()));
    let mut sampler = Sampler::new(Arc::new(nonsense), &Machine::default(), Arc::new(SystemClock::default()), &[]);
    assert_eq!(sampler.read().memory, super::MemorySample::default());
    assert!(
        sampler.unavailable().iter().any(|line| line.starts_with("memory pressure:")),
        "{:?}",
        sampler.unavailable()
    );
}

#[test]
fn a_sample_that_hangs_costs_neither_the_start_nor_the_drop() {
    let held = Arc::new(Mutex::new(()));
    let mut host = Scripted::working();
    host.hang = Some(Arc::clone(&held));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    // The files are looked for before the thread starts; only then does the machine hang.
    let monitor = PressureMonitor::start(Arc::new(host), &Machine::default(), clock, MonitorOptions::default());
    let hanging = held.lock().expect("nobody panicked");
    let before = Instant::now();
    drop(monitor);
    assert!(before.elapsed() < Duration::from_secs(5));
    drop(hanging);
}

#[test]
fn a_watch_ends_promptly_however_long_its_interval() {
    let options = MonitorOptions { interval: Duration::from_secs(3600), ..MonitorOptions::default() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut monitor = PressureMonitor::start(Arc::new(Scripted::working()), &Machine::default(), clock, options);
    let before = Instant::now();
    assert!(monitor.finish().samples >= 1);
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert!(monitor.finish().samples >= 1, "a second end is none");
}
