//! PUMA beside CodeCarbon: the same machine, the same seconds, the same load.
//!
//! Runs where `PUMA_TEST_CODECARBON` names a Python with CodeCarbon, or where `PUMA_EXPECT_SERVERS` expects `codecarbon`:
//! then it is installed with pip below the target folder. Missing otherwise, it is said on stderr.

use puma_core::SystemClock;
use puma_core::measure::{Channel, EnergyReport, TrackingMode};
use puma_host::energy::{Chain, ChainOptions, EnergySession, SessionOptions, chain};
use puma_host::{HostSource, Machine, RealHost};
use puma_testkit::expected::is_expected;
use puma_testkit::scripted_host::{ManualClock, ScriptedHost};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How far the two may differ where both estimate by the same curve. They sample at other moments, and the curve is steep.
const MARGIN: f64 = 0.10;
const VERSION: &str = "3.3.2";

/// Found or made once: two tests that install into one folder at the same time break each other's installation.
fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(find_python).clone()
}

fn find_python() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("PUMA_TEST_CODECARBON") {
        return Some(PathBuf::from(path));
    }
    if !is_expected("codecarbon") {
        let _ = writeln!(std::io::stderr(), "skipped: set PUMA_TEST_CODECARBON to a Python with codecarbon {VERSION}");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("codecarbon-{VERSION}"));
    let installed = folder.join("installed");
    if !installed.exists() {
        let ran = |command: &mut Command| assert!(command.status().expect("it starts").success(), "{command:?}");
        ran(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let package = format!("codecarbon=={VERSION}");
        ran(Command::new(folder.join("bin/pip")).args(["install", "--quiet", &package]));
        std::fs::write(&installed, VERSION).expect("the target folder is writable");
    }
    Some(folder.join("bin/python3"))
}

/// What both measured of the same seconds.
struct Both {
    ours: EnergyReport,
    theirs: serde_json::Value,
}

impl Both {
    /// Measures while the script runs.
    fn measure(python: &Path, arguments: &[String], meters: Chain) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/energy/compare_codecarbon.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("text"));
        assert_eq!(lines.next().as_deref(), Some("start"));
        let mut session = EnergySession::start(meters, Arc::new(SystemClock::default()), SessionOptions::default());
        assert_eq!(lines.next().as_deref(), Some("stop"));
        let ours = session.finish();
        let theirs = serde_json::from_str(&lines.next().expect("CodeCarbon's numbers")).expect("JSON");
        assert!(child.wait().expect("it ends").success());
        Self { ours, theirs }
    }

    /// Our mean power of what counts as `channels`.
    fn ours_w(&self, channels: &[Channel]) -> f64 {
        let rows = self.ours.channels.iter().filter(|row| row.counted && channels.contains(&row.channel));
        rows.map(|row| row.energy_j.expect("known")).sum::<f64>() / self.ours.duration_s
    }

    /// Their mean power.
    fn theirs_w(&self, key: &str) -> f64 {
        let number = |key: &str| self.theirs[key].as_f64().expect("a number");
        number(key) / number("duration_s")
    }

    fn say(&self, what: &str) {
        let (processor, memory) = ([Channel::Cpu, Channel::Package], [Channel::Dram]);
        let _ = writeln!(
            std::io::stderr(),
            "{what}: processor {:.3} W, CodeCarbon {:.3} W; memory {:.3} W, CodeCarbon {:.3} W",
            self.ours_w(&processor),
            self.theirs_w("cpu_j"),
            self.ours_w(&memory),
            self.theirs_w("ram_j"),
        );
    }
}

fn assert_near(ours_w: f64, theirs_w: f64) {
    assert!((ours_w - theirs_w).abs() <= MARGIN * theirs_w, "{ours_w} W and {theirs_w} W");
}

#[test]
fn the_same_seconds_of_this_machine_cost_the_same_by_codecarbon() {
    let Some(python) = python() else { return };
    let host: Arc<dyn HostSource> = Arc::new(RealHost::new(BTreeMap::new()));
    let machine = Machine::probe(host.as_ref());
    let meters = chain(&host, &machine, &ChainOptions::default());
    let both = Both::measure(&python, &["20".to_owned(), "1".to_owned()], meters);
    both.say("this machine");
    // Two tables of processors may differ, and part of a virtual machine's processor is a whole one to CodeCarbon.
    let from_table =
        both.ours.channels.iter().any(|row| row.note.as_deref().is_some_and(|note| note.contains("(TDP ")));
    if from_table {
        let _ = writeln!(std::io::stderr(), "not compared: this processor's TDP comes from a table");
        return;
    }
    assert_near(both.ours_w(&[Channel::Cpu, Channel::Package]), both.theirs_w("cpu_j"));
}

/// How busy the processors of the made-up machine are, in stretches of four seconds.
const LOADS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const STRETCH_S: f64 = 4.0;
/// Two threads of 4 W, which is what both take an unknown processor for.
const PEAK_W: f64 = 8.0;

/// Ticks of busy and idle time of two processors after `seconds`.
fn ticks(seconds: f64) -> (u64, u64) {
    let mut left = seconds;
    let (mut busy, mut idle) = (0.0, 0.0);
    for load in LOADS.into_iter().cycle() {
        let part = left.min(STRETCH_S);
        busy += 200.0 * part * load;
        idle += 200.0 * part * (1.0 - load);
        left -= part;
        if left <= 0.0 {
            break;
        }
    }
    (busy.round() as u64, idle.round() as u64)
}

#[test]
fn at_every_load_the_estimate_is_codecarbons() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (stat, next) = (folder.path().join("stat"), folder.path().join("next"));
    let began = Instant::now();
    let write = {
        let stat = stat.clone();
        move || {
            let (busy, idle) = ticks(began.elapsed().as_secs_f64());
            let text = format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\n");
            std::fs::write(&next, text).and_then(|()| std::fs::rename(&next, &stat)).expect("it is written");
        }
    };
    std::thread::sleep(Duration::from_millis(50));
    write();
    let over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&over);
    let writer = std::thread::spawn(move || {
        while !until.load(Ordering::SeqCst) {
            write();
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let host = ScriptedHost::new("linux", ManualClock::default())
        .changing_file("/proc/stat", move |_, _| Ok(std::fs::read_to_string(&stat).expect("it is there")));
    let host: Arc<dyn HostSource> = Arc::new(host);
    let machine = Machine { os: "linux".to_owned(), ..Machine::default() };
    let options = ChainOptions { mode: Some(TrackingMode::Estimated), ..ChainOptions::default() };
    let meters = chain(&host, &machine, &options);
    let seconds = STRETCH_S * LOADS.len() as f64;
    let arguments =
        [seconds.to_string(), "--processor-time".to_owned(), folder.path().display().to_string(), PEAK_W.to_string()];
    let both = Both::measure(&python, &arguments, meters);
    over.store(true, Ordering::SeqCst);
    writer.join().expect("the writer ends");
    both.say("made-up loads");
    // One whole cycle of the loads passes, wherever in it the script began.
    let mean_cube = LOADS.iter().map(|load| load * load * load).sum::<f64>() / LOADS.len() as f64;
    let exact_w = PEAK_W * (0.1 + 0.9 * mean_cube);
    let ours_w = both.ours_w(&[Channel::Cpu]);
    assert!((ours_w - exact_w).abs() <= MARGIN * exact_w, "{ours_w} W instead of {exact_w} W");
    assert_near(ours_w, both.theirs_w("cpu_j"));
}
