//! Faults of what a run is measured with, while it is measured: each ends in a marked number or a clear message, never in
//! a silent zero and never in a lost run.

use crate::support::{Ended, Home};
use puma_testkit::fault_server::{Behaviour, FaultServer};
use puma_testkit::machines;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What every zone draws, as its file tells it.
const POWER_W: f64 = 50.0;
/// Jobs that pass before anything breaks.
const BEFORE: usize = 3;

/// A server of another program that takes its time for each answer, and the folder of counters that is read meanwhile.
struct Scene {
    home: Home,
    server: FaultServer,
    zones: PathBuf,
}

impl Scene {
    fn new(delay: Duration) -> Self {
        let home = Home::new();
        let zones = home.path("powercap");
        std::fs::create_dir(&zones).expect("a folder can be made");
        Self { home, server: FaultServer::start(Behaviour { delay, ..Behaviour::default() }), zones }
    }

    /// Makes a counter as the kernel shows it.
    fn zone(&self, number: usize, energy_uj: u64, range_uj: u64) -> PathBuf {
        let folder = self.zones.join(format!("intel-rapl:{number}"));
        std::fs::create_dir(&folder).expect("a folder can be made");
        put(&folder.join("name"), &format!("package-{number}"));
        put(&folder.join("max_energy_range_uj"), &range_uj.to_string());
        put(&folder.join("energy_uj"), &energy_uj.to_string());
        folder
    }

    fn command(&self, jobs: u32) -> std::process::Command {
        let jobs = jobs.to_string();
        let (url, model) = (self.server.url(), "smollm2:135m");
        let mut args = vec!["run", "--scenario", "triage_jira", "--model", model, "--instances", &jobs];
        args.extend(["--backend", "ollama", "--endpoint", &url, "--no-cache", "--json"]);
        let mut command = self.home.command(&args);
        command.env("PUMA_POWERCAP_ROOT", &self.zones);
        command
    }

    fn resumption(&self) -> std::process::Command {
        let mut command = self.home.command(&["run", "--resume", "latest", "--no-cache", "--json"]);
        command.env("PUMA_POWERCAP_ROOT", &self.zones);
        command
    }

    /// Runs `command` while `turn` is called again and again with the time since the start and the answers given.
    fn during(&self, mut command: std::process::Command, mut turn: impl FnMut(Duration, usize) + Send) -> Ended {
        let (ended, since) = (AtomicBool::new(false), Instant::now());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    turn(since.elapsed(), self.server.completions().len());
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let output = command.output().expect("the program starts");
            ended.store(true, Ordering::Relaxed);
            Ended::from(output)
        })
    }
}

/// Replaces a file in one step: nobody reads half of it.
fn put(path: &Path, text: &str) {
    let whole = path.with_extension("new");
    let written = std::fs::write(&whole, format!("{text}\n")).and_then(|()| std::fs::rename(&whole, path));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Microjoules drawn in `time`.
fn drawn_uj(time: Duration) -> u64 {
    (POWER_W * time.as_secs_f64() * 1e6) as u64
}

fn channel<'a>(report: &'a Value, device: &str) -> &'a Value {
    let channels = report["energy"]["channels"].as_array().expect("channels");
    let of_device =
        channels.iter().find(|channel| channel["device"].as_str().is_some_and(|name| name.contains(device)));
    of_device.unwrap_or_else(|| panic!("no {device} in {channels:?}"))
}

/// The channel's joules are unknown, and its note says why.
fn is_unknown(report: &Value, device: &str, why: &str) {
    let channel = channel(report, device);
    assert!(channel["energy_j"].is_null(), "{channel}");
    assert!(channel["note"].as_str().is_some_and(|note| note.contains(why)), "no `{why}` in {channel}");
}

/// The run is whole, and claims no energy and no CO2.
fn has_no_total(report: &Value, jobs: u32) {
    assert_eq!((&report["status"], &report["outcomes"]["answered"]), (&Value::from("done"), &Value::from(jobs)));
    let energy = &report["energy"];
    for number in ["total_j", "co2e_g", "above_idle_j"] {
        assert!(energy[number].is_null(), "{number}: {energy}");
    }
    assert_eq!(energy["quality"], "unknown", "{energy}");
}

fn is_near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} is no number"));
    assert!((found / expected - 1.0).abs() < 0.1, "{found} instead of {expected}");
}

#[test]
fn counters_that_freeze_go_back_vanish_or_talk_nonsense_are_unknown_and_so_is_the_total() {
    let scene = Scene::new(Duration::from_millis(900));
    let [frozen, back, gone, nonsense, sound] =
        [0, 1, 2, 3, 4].map(|number| scene.zone(number, 1_000_000_000 * (number as u64 + 1), 262_143_328_850));
    let mut broke_at = None;
    let ended = scene.during(scene.command(12), |elapsed, answers| {
        let drawn = drawn_uj(elapsed);
        put(&sound.join("energy_uj"), &(5_000_000_000 + drawn).to_string());
        if answers < BEFORE {
            for (zone, base) in [(&frozen, 1), (&back, 2), (&gone, 3), (&nonsense, 4)] {
                put(&zone.join("energy_uj"), &(1_000_000_000 * base + drawn).to_string());
            }
            return;
        }
        if broke_at.is_none() {
            std::fs::remove_dir_all(&gone).expect("the zone can be removed");
            put(&nonsense.join("energy_uj"), "-nan(ind) 0x7f");
        }
        // As after a suspended machine: it counts on, from zero.
        let since = elapsed - *broke_at.get_or_insert(elapsed);
        put(&back.join("energy_uj"), &drawn_uj(since).to_string());
    });
    let report = ended.json();
    has_no_total(&report, 12);
    is_unknown(&report, "package-0", "stood still");
    is_unknown(&report, "package-1", "went back");
    is_unknown(&report, "package-2", "vanished");
    is_unknown(&report, "package-3", "vanished");
    let duration_s = report["energy"]["duration_s"].as_f64().expect("a duration");
    is_near(&channel(&report, "package-4")["energy_j"], POWER_W * duration_s);

    let text = scene.home.puma(&["show", "latest"]);
    assert_eq!(text.code, Some(0), "{}", text.stderr);
    assert!(text.stdout.contains("unknown") && !text.stdout.contains(" 0 J"), "{}", text.stdout);
    let csv = scene.home.puma(&["show", "latest", "--emissions"]).stdout;
    let columns = |line: usize| csv.lines().nth(line).expect("a header and a row").split(',').map(str::to_owned);
    let row: Vec<(String, String)> = columns(0).zip(columns(1)).collect();
    for name in ["emissions", "energy_consumed"] {
        assert!(row.contains(&(name.to_owned(), String::new())), "{name} is not empty: {csv}");
    }
}

#[test]
fn a_counter_that_wraps_around_mid_run_loses_nothing() {
    const RANGE_UJ: u64 = 20_000_000_000;
    let scene = Scene::new(Duration::from_millis(500));
    // It starts again from zero some two seconds into the run.
    let start = RANGE_UJ - drawn_uj(Duration::from_secs(2));
    let zone = scene.zone(0, start, RANGE_UJ);
    let ended = scene.during(scene.command(12), |elapsed, _| {
        put(&zone.join("energy_uj"), &((start + drawn_uj(elapsed)) % RANGE_UJ).to_string());
    });
    let energy = &ended.json()["energy"];
    assert!(energy["duration_s"].as_f64().is_some_and(|seconds| seconds > 4.0), "{energy}");
    is_near(&energy["total_j"], POWER_W * energy["duration_s"].as_f64().expect("a duration"));
    assert_ne!(energy["quality"], "unknown", "{energy}");
}

#[test]
fn a_permission_lost_mid_run_makes_the_energy_unknown_and_names_the_file() {
    let scene = Scene::new(Duration::from_millis(600));
    let zone = scene.zone(0, 7_000_000, 262_143_328_850);
    let mut command = scene.command(12);
    let secret = scene.home.path("secret");
    put(&secret, "");
    std::fs::set_permissions(&secret, mode(0)).expect("permissions can be set");
    if std::fs::read(&secret).is_ok() {
        // Nothing is denied to root: the program runs as nobody.
        for folder in [scene.home.dir.path(), &scene.zones, &zone] {
            std::fs::set_permissions(folder, mode(0o777)).expect("permissions can be set");
        }
        command.uid(65_534).gid(65_534);
    }
    let mut denied = false;
    let ended = scene.during(command, |elapsed, answers| {
        if answers < BEFORE {
            put(&zone.join("energy_uj"), &(7_000_000 + drawn_uj(elapsed)).to_string());
        } else if !denied {
            std::fs::set_permissions(zone.join("energy_uj"), mode(0)).expect("permissions can be set");
            denied = true;
        }
    });
    let report = ended.json();
    has_no_total(&report, 12);
    is_unknown(&report, "package-0", "vanished");
    is_unknown(&report, "package-0", "energy_uj: permission denied");
}

fn mode(bits: u32) -> std::fs::Permissions {
    std::fs::Permissions::from_mode(bits)
}

/// What an `nvidia-smi` of ours prints: a shell script whose `case` looks at a file.
const NVIDIA_SMI: &str = r#"#!/bin/sh
case "$(cat "$0.state")" in
    well) case "$*" in
        *=index,pci.bus_id,power.draw*) echo "0, 00000000:01:00.0, 80.00" ;;
        *addressing_mode*) echo "0, 00000000:01:00.0, NVIDIA GeForce RTX 3060, 550.54.14, 12288, 11800, 488, 80.00, 170.00, 3, 39, 7501, 170.00, 94.06.2F.00.9B, 8.6, [N/A], None" ;;
    esac ;;
    error) echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running." ;;
    error9) echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9 ;;
    garbage) printf '\377\376\000,,,,\033[31m 0, nan, 99999999999999999999, -7\n' ;;
    hang) exec sleep 60 ;;
esac
"#;

/// Puts an `nvidia-smi` in the state `state` before every other on the path; its state file.
fn nvidia_smi(home: &Home, command: &mut std::process::Command, state: &str) -> PathBuf {
    let folder = home.path("bin");
    std::fs::create_dir(&folder).expect("a folder can be made");
    let program = folder.join("nvidia-smi");
    std::fs::write(&program, NVIDIA_SMI).expect("the script can be written");
    std::fs::set_permissions(&program, mode(0o755)).expect("permissions can be set");
    let file = folder.join("nvidia-smi.state");
    put(&file, state);
    let rest = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{rest}", folder.display()));
    file
}

/// Where NVIDIA's own driver answers, no script is asked.
fn has_nvidia() -> bool {
    Path::new("/proc/driver/nvidia/version").exists()
}

#[test]
fn an_nvidia_smi_that_cannot_answer_is_quoted_and_no_gpu_is_made_of_it() {
    if has_nvidia() {
        return;
    }
    let cases = [("error", "driver"), ("error9", "driver"), ("garbage", "nvidia-smi"), ("hang", "no answer in time")];
    std::thread::scope(|scope| {
        for (state, said) in cases {
            scope.spawn(move || {
                let home = Home::new();
                let mut command = home.command(&["profile", "--json"]);
                nvidia_smi(&home, &mut command, state);
                let since = Instant::now();
                let machine = Ended::from(command.output().expect("the program starts")).json()["machine"].take();
                assert!(since.elapsed() < Duration::from_secs(40), "{state} held the program");
                assert_eq!(machine["gpus"].as_array().map(Vec::len), Some(0), "{state}: {machine}");
                let notes = machine["gpu_notes"].to_string();
                assert!(notes.contains(said), "{state}: {notes}");
            });
        }
    });
}

#[test]
fn an_nvidia_smi_that_breaks_mid_run_makes_the_gpus_joules_unknown() {
    if has_nvidia() {
        return;
    }
    std::thread::scope(|scope| {
        for state in ["error", "error9", "garbage", "hang"] {
            scope.spawn(move || {
                let scene = Scene::new(Duration::from_millis(900));
                let zone = scene.zone(0, 7_000_000, 262_143_328_850);
                let mut command = scene.command(12);
                let file = nvidia_smi(&scene.home, &mut command, "well");
                let since = Instant::now();
                let ended = scene.during(command, |elapsed, answers| {
                    put(&zone.join("energy_uj"), &(7_000_000 + drawn_uj(elapsed)).to_string());
                    put(&file, if answers < BEFORE { "well" } else { state });
                });
                assert!(since.elapsed() < Duration::from_secs(60), "{state} held the program");
                let report = ended.json();
                has_no_total(&report, 12);
                is_unknown(&report, "RTX 3060", "vanished");
                assert!(
                    channel(&report, "package-0")["energy_j"].as_f64().is_some_and(|joules| joules > 0.0),
                    "{state}"
                );
            });
        }
    });
}

#[test]
fn a_mac_whose_sysctl_answers_nonsense_is_described_without_a_number() {
    let home = Home::new();
    let host = machines::path("mac-nonsense").display().to_string();
    let profile = home.puma(&["profile", "--host", &host, "--json"]).json();
    for fact in ["memory_bytes", "physical_cores", "os_version", "cpu_max_mhz"] {
        assert!(profile["machine"][fact].is_null(), "{fact}: {profile}");
    }
    assert!(profile["profile"]["upstream_id"].is_null(), "{profile}");
    home.puma(&["fit", "--host", &host]).fails(1, &["the memory of this machine cannot be read", "hint:"]);
    let checks = home.puma(&["preflight", "--host", &host, "--json"]).json()["checks"].take();
    let memory = checks.as_array().and_then(|checks| checks.iter().find(|check| check["name"] == "memory"));
    let memory = memory.unwrap_or_else(|| panic!("no memory in {checks}"));
    assert_eq!(
        (&memory["state"], memory["detail"].as_str()),
        (&"warn".into(), Some("the memory of this machine cannot be read"))
    );
}

/// `command` in a shell that lets it write files up to so many bytes: the disk is full beyond.
fn with_little_room(command: &std::process::Command, bytes: u64) -> std::process::Command {
    let mut limited = std::process::Command::new("sh");
    // Without the trap the signal would end the program before it could say anything, as no full disk does.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
    limited.args(["-c", &script]).arg(command.get_program()).args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(command.get_current_dir().expect("a home")).stdin(Stdio::null());
    limited
}

#[test]
fn a_disk_that_fills_up_while_measuring_keeps_what_was_finished_and_says_so() {
    let scene = Scene::new(Duration::from_millis(20));
    let zone = scene.zone(0, 7_000_000, 262_143_328_850);
    let count = |elapsed, _| put(&zone.join("energy_uj"), &(7_000_000 + drawn_uj(elapsed)).to_string());
    let first = scene.during(scene.command(4), count).json();
    assert_eq!(first["status"], "done");
    let database = std::fs::metadata(scene.home.path("data/puma.db")).expect("a database").len();

    let command = with_little_room(&scene.command(40), database + (64 << 10));
    let ended = scene.during(command, count).fails(1, &["error:", "hint:"]);
    let kept = shown(&scene).expect("the run is stored")["outcomes"]["answered"].as_u64().expect("a count");
    assert!((1..40).contains(&kept), "{kept} answers are kept: {}", ended.stderr);
    let report = scene.during(scene.resumption(), count).json();
    assert_eq!((&report["status"], &report["outcomes"]["answered"]), (&"done".into(), &40.into()));
    assert!(report["energy"]["sessions_total"].as_u64() >= Some(1), "{}", report["energy"]);
}

fn shown(scene: &Scene) -> Option<Value> {
    let ended = scene.home.puma(&["show", "latest", "--json"]);
    (ended.code == Some(0)).then(|| serde_json::from_str(&ended.stdout).expect("JSON"))
}

fn killed_once_its_energy_is_kept(scene: &Scene, child: &mut Child) {
    let since = Instant::now();
    loop {
        if shown(scene).is_some_and(|report| report["energy"]["total_j"].is_f64()) {
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(90), "no energy was kept while the run lasted");
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before its energy was kept");
        std::thread::sleep(Duration::from_millis(200));
    }
    child.kill().expect("the run can be killed");
    child.wait().expect("a child");
}

#[test]
fn a_killed_run_keeps_its_latest_energy_and_going_on_adds_a_session() {
    let scene = Scene::new(Duration::from_millis(400));
    let zone = scene.zone(0, 7_000_000, 262_143_328_850);
    let (ended, since) = (AtomicBool::new(false), Instant::now());
    let (kept, resumed) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                put(&zone.join("energy_uj"), &(7_000_000 + drawn_uj(since.elapsed())).to_string());
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let mut command = scene.command(60);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        killed_once_its_energy_is_kept(&scene, &mut child);
        let kept = shown(&scene).expect("the killed run");
        scene.server.behave(Behaviour { delay: Duration::from_millis(50), ..Behaviour::default() });
        let resumed = Ended::from(scene.resumption().output().expect("the program starts"));
        ended.store(true, Ordering::Relaxed);
        (kept, resumed.json())
    });
    let joules = |report: &Value| report["energy"]["total_j"].as_f64().expect("joules");
    is_near(&kept["energy"]["total_j"], POWER_W * kept["energy"]["duration_s"].as_f64().expect("a duration"));
    assert_eq!(kept["energy"]["sessions_total"], 1);
    assert_eq!(resumed["status"], "done");
    assert_eq!((&resumed["energy"]["sessions"], &resumed["energy"]["sessions_total"]), (&2.into(), &2.into()));
    assert!(joules(&resumed) > joules(&kept), "{} after {}", joules(&resumed), joules(&kept));
}
