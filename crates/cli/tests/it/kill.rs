//! `kill -9` at random moments, Ctrl-C, and going on: a resumed run equals an uninterrupted one.

use crate::support::Home;
use puma_testkit::gguf::Random;
use serde_json::Value;
use std::process::{Child, Stdio};
use std::time::Duration;

const RUN: [&str; 9] =
    ["--scenario", "triage_jira", "--instances", "24", "--strategy", "rcoif", "--no-cache", "--batch", "2"];

fn start(home: &Home, args: &[&str]) -> Child {
    home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

fn facts(report: &Value) -> [Value; 4] {
    ["predictions_summary_hash", "logprobs_digest", "outcomes", "jobs"].map(|key| report[key].clone())
}

#[test]
fn a_run_killed_twenty_times_equals_an_uninterrupted_one() {
    let home = Home::new();
    let model = home.model();
    let begin = [&["run", "--model", &model, "--max-tokens", "24", "--json"][..], &RUN].concat();
    let whole = home.puma(&begin).json();
    let wall_ms = (whole["timing"]["wall_s"].as_f64().expect("a number") * 1000.0).max(50.0);

    let database = home.path("killed.db").display().to_string();
    let begin = [&begin[..], &["--db", &database]].concat();
    let resume = ["run", "--resume", "latest", "--no-cache", "--batch", "2", "--json", "--db", &database];
    let mut random = Random::new(20);
    for kill in 0..20 {
        let started = home.path("killed.db").exists() && home.puma(&["list-runs", "--db", &database]).code == Some(0);
        let mut child = start(&home, if started { &resume } else { &begin });
        // Early kills hit the start of a run, late ones its middle.
        let wait = random.below((wall_ms * 0.15) as u64 + 20 * kill + 1);
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        let _ = child.wait();
    }
    let resumed = home.puma(if home.path("killed.db").exists() { &resume } else { &begin });
    assert_eq!(facts(&resumed.json()), facts(&whole));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_says_how_to_go_on() {
    let home = Home::new();
    let model = home.model();
    let args = ["run", "--model", &model, "--scenario", "triage_jira", "--max-tokens", "3000", "--no-cache"];
    let child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let pid = child.id().to_string();
    // The first job is seconds away from its 3,000th token; the signal must not wait for it.
    std::thread::sleep(Duration::from_millis(1500));
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill exists");
    assert!(sent.success());
    let ended = crate::support::Ended::from(child.wait_with_output().expect("the program ends"));
    ended.fails(130, &["interrupted", "puma run --resume"]);
}
