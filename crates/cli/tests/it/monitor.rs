//! `puma monitor` and what a run keeps of its machine.

use crate::support::Home;
use serde_json::Value;

#[test]
fn a_run_says_what_was_watched_and_what_could_not_be() {
    let home = Home::new();
    let report = home.run_json(&["--instances", "4"]);
    let health = &report["health"];
    assert!(health["void"].is_boolean() && health["unavailable"].is_array(), "{health}");
    let jobs = health["disturbances"].as_array().expect("a list").iter();
    assert!(jobs.clone().all(|found| found["jobs"].is_array() && found["detail"].is_string()));
}

#[test]
fn a_recorded_machine_is_not_watched_because_it_cannot_change() {
    let home = Home::new();
    let machine = puma_testkit::machines::path("gpu-h200").display().to_string();
    assert_eq!(home.run_json(&["--instances", "4", "--host", &machine])["health"], Value::Null);
    let model = home.model();
    let run = ["run", "--scenario", "triage_jira", "--model", &model, "--host", &machine, "--stop-on-paging"];
    home.puma(&run).fails(2, &["--stop-on-paging", "recorded machine"]);
}

#[test]
fn paging_of_another_machine_cannot_stop_a_run() {
    let home = Home::new();
    let args = ["run", "--scenario", "triage_jira", "--model", "m", "--backend", "ollama"];
    let elsewhere = [&args[..], &["--endpoint", "http://192.0.2.1:9", "--stop-on-paging"]].concat();
    home.puma(&elsewhere).fails(2, &["--stop-on-paging", "192.0.2.1", "does not see"]);
}

#[test]
fn the_monitor_looks_once_and_shows_a_recorded_machine_without_moving() {
    let home = Home::new();
    let machine = puma_testkit::machines::path("mac-m3-max-36gb").display().to_string();
    let seen = home.puma(&["monitor", "--once", "--interval", "0.2", "--host", &machine]);
    assert_eq!(seen.code, Some(0), "{}", seen.stderr);
    for part in ["Apple M3 Max", "recorded: nothing moves", "gpu 0     ███████░", "30 %", "read again unknown"]
    {
        assert!(seen.stdout.contains(part), "{part}\n{}", seen.stdout);
    }
    let looked = home.puma(&["monitor", "--once", "--interval", "0.2", "--json"]).json();
    assert!(looked["interval_s"].as_f64().is_some_and(|seconds| seconds > 0.0), "{looked}");
    home.puma(&["monitor", "--interval", "0"]).fails(2, &["0.2 to 3600"]);
}
