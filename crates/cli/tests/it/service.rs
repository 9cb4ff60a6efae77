//! `puma up` and `puma down` with a fake `ollama`: started, waited for, remembered, stopped; and what goes wrong.

use crate::fake_ollama::{free_address, program, serve_line};
use crate::support::{Ended, Home};
use puma_testkit::expected::is_expected;
use puma_testkit::fault_server::{Behaviour, FaultServer};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A home with an `ollama` of these lines, and an address for it. What was started there ends with it.
struct Place {
    home: Home,
    address: String,
}

impl Place {
    fn new(lines: &str) -> Self {
        let home = Home::new();
        program(home.dir.path(), "ollama", lines);
        Self { home, address: free_address() }
    }

    fn serving() -> Self {
        Self::new(&serve_line())
    }

    /// PUMA with this home's programs first on its path, so that no real Ollama is found.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command(args);
        let own = self.home.path("bin");
        command.env("PATH", format!("{}:/usr/bin:/bin", own.display()));
        command
    }

    fn puma(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().expect("the program starts"))
    }

    fn up(&self, more: &[&str]) -> Ended {
        self.puma(&[&["up", "--endpoint", &self.address][..], more].concat())
    }

    fn down(&self) -> Value {
        self.puma(&["down", "--json"]).json()
    }

    fn record(&self) -> Option<Value> {
        let text = std::fs::read(self.home.path("data/service.json")).ok()?;
        Some(serde_json::from_slice(&text).expect("the record is JSON"))
    }

    fn rewrite(&self, change: impl FnOnce(&mut Value)) {
        let mut record = self.record().expect("a record");
        change(&mut record);
        std::fs::write(self.home.path("data/service.json"), record.to_string()).expect("written");
    }

    fn answers(&self) -> bool {
        std::net::TcpStream::connect(&self.address).is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A test that failed half-way must not leave a server behind.
        let _ = self.command(&["down"]).stderr(Stdio::null()).stdout(Stdio::null()).status();
    }
}

const SKIP: &[&str] = &["--skip-models", "--json"];

fn pid(report: &Value) -> u32 {
    report["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process id")
}

fn runs(pid: u32) -> bool {
    let stat = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().expect("ps exists");
    let state = String::from_utf8_lossy(&stat.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn until(done: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn up_starts_a_server_that_every_command_then_uses_and_down_stops_it() {
    let place = Place::serving();
    let up = place.up(&["--model", "smollm2:135m", "--json"]).json();
    assert_eq!((&up["started_by_puma"], &up["already_running"]), (&true.into(), &false.into()));
    assert_eq!((&up["version"], &up["mode"]), (&"0.12.11".into(), &"native".into()));
    assert_eq!(up["model"]["already_there"], true);
    assert!(runs(pid(&up)));

    let url = format!("http://{}", place.address);
    let env = place.puma(&["env", "--json"]).json();
    assert_eq!((&env["ollama_endpoint"], &env["ollama_endpoint_source"]), (&url.clone().into(), &"puma up".into()));
    assert_eq!((&env["service"]["process_runs"], &env["service"]["model"]), (&true.into(), &"smollm2:135m".into()));
    assert_eq!(place.puma(&["env", "--shell"]).stdout, format!("export OLLAMA_HOST='{url}'\n"));
    let run =
        ["run", "--scenario", "triage_jira", "--model", "smollm2:135m", "--instances", "4", "--backend", "ollama"];
    let run = place.puma(&[&run[..], &["--json"]].concat()).json();
    assert_eq!((&run["backend"]["endpoint"], &run["outcomes"]["answered"]), (&url.into(), &4.into()));

    let down = place.down();
    assert_eq!((&down["outcome"], &down["pid"], &down["still_answers"]), (&"stopped".into(), &up["pid"], &Value::Null));
    assert!(!runs(pid(&up)) && place.record().is_none());
    assert_eq!(place.down()["outcome"], "nothing_recorded");
    let env = place.puma(&["env", "--json"]).json();
    assert_eq!((&env["ollama_endpoint_source"], &env["service"]), (&"default".into(), &Value::Null));
}

#[test]
fn up_twice_keeps_the_server_and_two_at_once_start_one() {
    let place = Place::serving();
    let both: Vec<_> = (0..2)
        .map(|_| {
            let args = [&["up", "--endpoint", &place.address][..], SKIP].concat();
            place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
        })
        .collect();
    let both: Vec<Value> =
        both.into_iter().map(|child| Ended::from(child.wait_with_output().expect("it ends")).json()).collect();
    assert_eq!(both[0]["pid"], both[1]["pid"]);
    assert_eq!(both.iter().filter(|up| up["already_running"] == true).count(), 1);
    let third = place.up(SKIP).json();
    assert_eq!((&third["pid"], &third["already_running"]), (&both[0]["pid"], &true.into()));
    // Without a word the endpoint of the record counts.
    let fourth = place.puma(&["up", "--skip-models", "--json"]).json();
    assert_eq!((&fourth["pid"], &fourth["endpoint_source"]), (&both[0]["pid"], &"puma up".into()));
    place.puma(&["up", "--endpoint", &free_address(), "--skip-models"]).fails(1, &[&place.address, "puma down"]);
}

#[test]
fn a_foreign_server_is_used_and_never_stopped() {
    let place = Place::new("echo must not be started; exit 9");
    let foreign = FaultServer::start(Behaviour::default());
    let up = place.puma(&["up", "--endpoint", &foreign.url(), "--skip-models", "--json"]).json();
    assert_eq!((&up["started_by_puma"], &up["already_running"]), (&false.into(), &true.into()));
    assert_eq!((&up["pid"], &up["endpoint"]), (&Value::Null, &foreign.url().into()));
    let down = place.down();
    assert_eq!((&down["outcome"], &down["still_answers"]), (&"left_alone".into(), &"0.12.11".into()));
    assert!(place.record().is_none());
}

#[test]
fn a_process_id_that_was_given_to_another_program_is_not_touched() {
    for (key, value) in [("started", "another boot 17"), ("executable", "/usr/bin/another")] {
        let place = Place::serving();
        let up = place.up(SKIP).json();
        let whole = place.record().expect("a record");
        place.rewrite(|record| record["process"][key] = value.into());
        let down = place.down();
        assert_eq!((&down["outcome"], &down["still_answers"]), (&"pid_reused".into(), &"0.12.11".into()), "{key}");
        assert!(runs(pid(&up)));
        std::fs::write(place.home.path("data/service.json"), whole.to_string()).expect("written");
    }
}

#[test]
fn a_record_from_before_a_reboot_is_dropped_and_a_new_server_started() {
    let place = Place::serving();
    let first = place.up(SKIP).json();
    place.rewrite(|record| record["process"]["started"] = "another boot 17".into());
    // The first server still holds the port, so that the second `up` takes it for a foreign one.
    let found = place.up(SKIP).json();
    assert_eq!((&found["started_by_puma"], &found["already_running"]), (&false.into(), &true.into()));
    let _ = Command::new("kill").args(["-KILL", &first["pid"].to_string()]).status();
    assert!(until(|| !place.answers()));
    let second = place.up(SKIP).json();
    assert_eq!(second["started_by_puma"], true);
    assert_ne!(second["pid"], first["pid"]);
    let _ = Command::new("kill").args(["-KILL", &second["pid"].to_string()]).status();
    assert!(until(|| !runs(pid(&second))));
    assert_eq!(place.down()["outcome"], "already_gone");
}

#[test]
fn a_puma_killed_while_it_waits_leaves_a_server_that_the_next_one_finds() {
    for finder in ["up", "down"] {
        // The server answers only once the test says so.
        let place = Place::new(&format!("while [ ! -e go ]; do sleep 0.05; done; {}", serve_line()));
        std::fs::create_dir_all(place.home.path("data")).expect("made");
        let script = std::fs::read_to_string(place.home.path("bin/ollama")).expect("the script");
        let script = script.replace(" go ]", &format!(" {} ]", place.home.path("go").display()));
        std::fs::write(place.home.path("bin/ollama"), script).expect("written");
        let args = [&["up", "--endpoint", &place.address][..], SKIP].concat();
        let mut child = place.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        assert!(until(|| place.record().is_some_and(|record| record["process"].is_object())));
        child.kill().expect("killed");
        child.wait().expect("it ends");
        let server = place.record().expect("a record")["process"].clone();
        // As if PUMA had died before it could write down the process: only the marker tells.
        place.rewrite(|record| record["process"] = Value::Null);
        assert_eq!(place.record().expect("a record")["stage"], "starting");
        if finder == "up" {
            std::fs::write(place.home.path("go"), "").expect("written");
            let up = place.up(SKIP).json();
            assert_eq!((&up["pid"], &up["started_by_puma"]), (&server["pid"], &true.into()));
            assert_eq!(place.down()["outcome"], "stopped");
        } else {
            assert_eq!(place.down()["outcome"], "stopped");
            assert!(until(|| !runs(pid(&server))));
        }
    }
}

#[test]
fn ctrl_c_while_waiting_stops_the_server_and_forgets_it() {
    let place = Place::new("exec sleep 600");
    let args = ["up", "--endpoint", &place.address, "--skip-models"];
    let child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    assert!(until(|| place.record().is_some_and(|record| record["process"].is_object())));
    let server = place.record().expect("a record")["process"].clone();
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill exists");
    assert!(sent.success());
    let ended = Ended::from(child.wait_with_output().expect("it ends"));
    ended.fails(130, &["interrupted", "stopped again"]);
    assert!(!runs(pid(&server)) && place.record().is_none());
}

#[test]
fn a_server_that_ends_at_once_is_quoted() {
    let place = Place::new("echo 'Error: could not open the model store' >&2; exit 3");
    let ended = place.up(&["--skip-models"]).fails(1, &["ended before it answered", "could not open the model store"]);
    assert!(ended.stderr.contains("exit status: 3") && ended.stderr.contains("hint:"), "{}", ended.stderr);
    assert!(place.record().is_none());
}

#[test]
fn a_server_that_never_answers_is_stopped() {
    let place = Place::new("echo $$ > \"$0.pid\"; echo still loading; exec sleep 600");
    place.up(&["--skip-models", "--wait", "1"]).fails(1, &["did not answer within 1 s", "still loading", "--wait"]);
    let pid = std::fs::read_to_string(place.home.path("bin/ollama.pid")).expect("it was started");
    assert!(!runs(pid.trim().parse().expect("a process id")) && place.record().is_none());
}

#[test]
fn a_server_that_ignores_the_wish_to_end_is_killed_with_its_helpers() {
    let place = Place::new(&format!("trap '' TERM; sleep 600 & {}", serve_line()));
    let up = place.up(SKIP).json();
    let start = Instant::now();
    assert_eq!(place.down()["outcome"], "killed");
    assert!(start.elapsed() >= Duration::from_secs(10), "{:?}", start.elapsed());
    let group = Command::new("ps").args(["-A", "-o", "pgid=,stat="]).output().expect("ps exists");
    let group = String::from_utf8_lossy(&group.stdout).into_owned();
    let wanted = up["pid"].to_string();
    let alive = |line: &&str| line.split_whitespace().next() == Some(&wanted) && !line.contains('Z');
    assert_eq!(group.lines().find(alive), None);
}

#[test]
fn an_address_taken_by_something_else_is_named_with_what_it_said() {
    use std::io::Write as _;
    let place = Place::serving();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let page = "<html>a wiki</html>";
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    let words = ["not Ollama", &address, "a wiki", "--endpoint 127.0.0.1:"];
    place.puma(&["up", "--endpoint", &address, "--skip-models"]).fails(1, &words);
    assert!(place.record().is_none());
}

#[test]
fn what_cannot_be_started_says_what_to_do() {
    let place = Place::serving();
    std::fs::remove_file(place.home.path("bin/ollama")).expect("removed");
    // Only where this machine has no Ollama in a place that PUMA knows.
    if !["/usr/bin/ollama", "/usr/local/bin/ollama", "/snap/bin/ollama"]
        .iter()
        .any(|path| std::path::Path::new(path).exists())
    {
        place.up(&["--skip-models"]).fails(1, &["no program `ollama`", "install"]);
    }
    place
        .puma(&["up", "--endpoint", "http://192.0.2.1:9", "--skip-models", "--wait", "1"])
        .fails(1, &["this machine only"]);
    place.puma(&["up", "--endpoint", "ftp://x", "--skip-models"]).fails(2, &["scheme"]);
    place.puma(&["up", "--profile", "gpu-pro"]).fails(2, &["gpu-pro", "gpu-entry"]);
    // A data folder that cannot be written: nothing may be left running.
    let place = Place::serving();
    std::fs::write(place.home.path("data"), "").expect("a file in place of the folder");
    place.up(&["--skip-models"]).fails(1, &["service.lock", "PUMA_DATA_DIR"]);
    assert!(!place.answers());
}

#[test]
fn the_variable_of_the_server_is_understood_and_handed_on() {
    let place = Place::new(&format!("echo \"listening on $OLLAMA_HOST\"; {}", serve_line()));
    let port = place.address.rsplit_once(':').expect("a port").1;
    let everywhere = format!("0.0.0.0:{port}");
    for variable in ["OLLAMA_HOST", "PUMA_OLLAMA_HOST"] {
        let mut command = place.command(&["up", "--skip-models", "--json"]);
        let up = Ended::from(command.env(variable, &everywhere).output().expect("it starts")).json();
        assert_eq!(
            (&up["endpoint"], &up["endpoint_source"]),
            (&format!("http://{}", place.address).into(), &variable.into())
        );
        let log = std::fs::read_to_string(place.home.path("data/ollama.log")).expect("a log");
        assert!(log.starts_with(&format!("listening on {everywhere}")), "{log}");
        assert_eq!(place.down()["outcome"], "stopped");
    }
}

#[test]
fn a_pull_that_fails_leaves_the_server_and_its_record() {
    let place = Place::new(&format!("PUMA_FAKE_PULL=fails; export PUMA_FAKE_PULL; {}", serve_line()));
    let words = ["qwen2.5:1.5b", "no such host", "runs", "hint:"];
    place.up(&["--model", "qwen2.5:1.5b"]).fails(1, &words);
    let record = place.record().expect("the record stays");
    assert_eq!((&record["stage"], &record["model"]), (&"running".into(), &Value::Null));
    assert!(place.answers());
}

#[test]
fn the_model_is_the_one_recommended_for_the_profile() {
    let place = Place::serving();
    for (profile, model) in [
        ("cpu-lite", "qwen2.5:1.5b"),
        ("cpu-standard", "qwen2.5:3b"),
        ("gpu-high", "qwen2.5:3b"),
        ("apple-silicon-m3", "qwen2.5:1.5b"),
        ("apple-silicon-m5-ultra", "qwen2.5:3b"),
    ] {
        let up = place.up(&["--profile", profile, "--json"]).json();
        assert_eq!((&up["profile"]["id"], &up["model"]["name"]), (&profile.into(), &model.into()));
        assert_eq!(up["model"]["already_there"], profile == "gpu-high" || profile.starts_with("apple"));
        assert_eq!(place.record().expect("a record")["model"], model);
    }
}

/// With the program of `scripts/servers/ollama.sh program`, or any other `ollama`.
#[test]
fn a_real_ollama_is_started_found_again_and_stopped() {
    const NAME: &str = "PUMA_TEST_OLLAMA_PROGRAM";
    let Some(program) = std::env::var_os(NAME) else {
        use std::io::Write as _;
        assert!(!is_expected(NAME), "PUMA_EXPECT_SERVERS expects a real Ollama, but {NAME} is not set");
        // A failed write to standard error leaves nothing to tell anybody.
        let _ = writeln!(std::io::stderr(), "not run: set {NAME} to try a real Ollama");
        return;
    };
    let place = Place::new(&format!("exec '{}' \"$@\"", program.display()));
    let up = place.up(SKIP).json();
    assert_eq!((&up["started_by_puma"], &up["already_running"]), (&true.into(), &false.into()));
    let version = up["version"].as_str().expect("a version");
    assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{version}");
    let again = place.up(SKIP).json();
    assert_eq!((&again["pid"], &again["already_running"]), (&up["pid"], &true.into()));
    let env = place.puma(&["env", "--json"]).json();
    assert_eq!(env["service"]["process_runs"], true);
    let down = place.down();
    assert_eq!((&down["outcome"], &down["still_answers"]), (&"stopped".into(), &Value::Null));
    assert!(!runs(pid(&up)) && !place.answers());
}
