//! A run that reads its joules from `puma agent`, as one in a container does.

use crate::support::Home;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// An agent on a free port, and what it printed.
struct Served {
    child: Child,
    address: String,
    token: String,
}

impl Served {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&["agent", "--bind", "127.0.0.1:0", "--json", "--quiet"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the agent starts");
        let stdout = child.stdout.take().expect("its output");
        let mut text = String::new();
        for line in BufReader::new(stdout).lines() {
            let line = line.expect("a line");
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let said: Value = serde_json::from_str(&text).expect("JSON");
        let field = |name: &str| said[name].as_str().expect("a text").to_owned();
        assert!(field("url").starts_with("http://host.docker.internal:"), "{said}");
        Self { child, address: format!("http://{}", field("listens_on")), token: field("token") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(home: &Home, address: &str, token: &str) -> Value {
    let model = home.model();
    let args =
        ["run", "--scenario", "triage_jira", "--model", &model, "--max-tokens", "4", "--instances", "8", "--json"];
    let mut command = home.command(&args);
    command.env("PUMA_POWER_AGENT", address).env("PUMA_POWER_AGENT_TOKEN", token);
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Channels that the agent's meters count.
fn of_agent(report: &Value) -> usize {
    let channels = report["energy"]["channels"].as_array().expect("channels");
    let source = |channel: &&Value| channel["source"].as_str().is_some_and(|source| source.contains("host agent"));
    channels.iter().filter(source).count()
}

#[test]
fn a_run_counts_the_joules_that_its_hosts_agent_tells() {
    let home = Home::new();
    let served = Served::start(&home);
    let report = run(&home, &served.address, &served.token);
    let channels = report["energy"]["channels"].as_array().expect("channels");
    let of_agent = channels
        .iter()
        .filter(|channel| channel["source"].as_str().is_some_and(|source| source.contains("host agent")));
    assert!(of_agent.count() > 0, "no channel comes from the agent: {channels:?}");
    assert!(!report.to_string().contains(&served.token), "the token is nobody else's business");

    let shown = home.puma(&["env", "--json"]);
    assert!(!shown.stdout.contains(&served.token));
    let kept = std::fs::read_to_string(home.path("data/agent-token")).expect("the token is kept for the next start");
    assert_eq!(kept.trim(), served.token);
}

#[test]
fn an_agent_that_does_not_answer_leaves_the_run_whole() {
    let home = Home::new();
    let served = Served::start(&home);
    for (address, token) in [("http://127.0.0.1:9", "x"), (served.address.as_str(), "wrong")] {
        let report = run(&home, address, token);
        assert_eq!(report["status"], "done");
        assert_eq!(of_agent(&report), 0, "no joules come from {address}");
        let warnings = report["energy"]["warnings"].to_string();
        assert!(warnings.contains("host agent"), "the report says what was tried: {warnings}");
    }
}

#[test]
fn an_address_nobody_can_listen_on_is_refused() {
    let home = Home::new();
    home.puma(&["agent", "--bind", "192.0.2.1:1"]).fails(1, &["192.0.2.1:1", "--bind"]);
    home.puma(&["agent", "--bind", "nonsense"]).fails(2, &["--bind"]);
}
