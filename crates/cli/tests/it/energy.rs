//! The energy of a run from the first flag to the table that other programs read.

use crate::support::Home;

/// The columns of CodeCarbon's own class, by `scripts/golden/codecarbon_columns.py`.
const CODECARBON: &str = include_str!("golden/codecarbon_columns.txt");

fn table(csv: &str) -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let row = reader.records().next().expect("a row").expect("a readable row");
    names.into_iter().zip(row.iter().map(str::to_owned)).collect()
}

#[test]
fn the_emissions_table_begins_with_codecarbons_columns() {
    let home = Home::new();
    home.run_json(&["--instances", "4", "--country", "ESP"]);
    let ended = home.puma(&["show", "latest", "--emissions"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = table(&ended.stdout);
    let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    let theirs: Vec<&str> = CODECARBON.lines().collect();
    assert_eq!(names[..theirs.len()], theirs);
    let cell = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_str());
    assert_eq!(cell("country_name"), Some("Spain"));
    assert_eq!(cell("country_iso_code"), Some("ESP"));
    assert_eq!(cell("intensity_g_per_kwh"), Some("153.56"));
    let number = |name: &str| cell(name).and_then(|text| text.parse::<f64>().ok());
    assert!(number("duration").is_some_and(|seconds| seconds > 0.0));
    if let (Some(kilograms), Some(kwh)) = (number("emissions"), number("energy_consumed")) {
        assert!((kilograms - kwh * 0.153_56).abs() <= 1e-9 * kilograms.max(1e-9), "{kilograms} of {kwh}");
    } else {
        assert_eq!((cell("emissions"), cell("energy_consumed")), (Some(""), Some("")), "unknown is empty, not 0");
    }
}

#[test]
fn no_emissions_measures_none_and_says_so() {
    let home = Home::new();
    let report = home.run_json(&["--instances", "4", "--no-emissions"]);
    assert!(report["energy"].is_null());
    home.puma(&["show", "latest", "--emissions"]).fails(1, &["no energy was measured"]);
    home.puma(&["run", "--no-emissions", "--tracking", "machine"]).fails(2, &["--no-emissions"]);
}

#[test]
fn an_agent_that_does_not_answer_is_said_before_its_numbers_are_replaced() {
    let home = Home::new();
    let model = home.model();
    let run = |variable: Option<&str>| {
        let args = ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "4", "--max-tokens", "4"];
        let mut command = home.command(&args);
        if let Some(url) = variable {
            command.env("PUMA_POWER_AGENT", url);
        }
        crate::support::Ended::from(command.output().expect("the program starts"))
    };
    for url in ["http://127.0.0.1:9", "no address at all"] {
        let ended = run(Some(url));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("host agent: "), "{}", ended.stderr);
    }
    assert!(!run(None).stderr.contains("host agent"), "nobody named one");
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_the_idle_machine_is_measured_leaves_no_run_behind() {
    use std::io::{BufRead as _, BufReader, Read as _};
    let home = Home::new();
    let model = home.model();
    let args = ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "4", "--idle-seconds", "60"];
    let mut command = home.command(&args);
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    let mut said = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut line = String::new();
    said.read_line(&mut line).expect("standard error is text");
    assert!(line.contains("measuring for 60 s"), "{line}");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill exists").success());
    said.read_to_string(&mut line).expect("standard error is text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{line}");
    assert!(line.contains("nothing was stored"), "{line}");
    home.puma(&["list-runs"]).fails(2, &[]);
}

#[test]
fn wishes_that_cannot_be_met_are_refused_before_anything_starts() {
    let home = Home::new();
    let model = home.model();
    let run = |more: &[&str]| {
        let mut args = vec!["run", "--scenario", "triage_jira", "--model", &model, "--instances", "4"];
        args.extend(more);
        home.puma(&args)
    };
    run(&["--country", "Atlantis", "--dry-run"]).fails(2, &["Atlantis"]);
    run(&["--country", "Atlantis"]).fails(2, &["Atlantis", "ISO 3166-1", "--intensity"]);
    run(&["--intensity", "-4"]).fails(2, &["intensity"]);
    run(&["--intensity", "9000"]).fails(2, &["9000", "g"]);
    run(&["--idle-seconds", "-1"]).fails(2, &["3600"]);
    let remote = ["--backend", "ollama", "--endpoint", "http://192.0.2.1:1", "--tracking", "process"];
    run(&remote).fails(2, &["--tracking process", "another program"]);
    assert_eq!(home.puma(&["list-runs"]).code, Some(2), "nothing was begun");
}

#[test]
fn each_session_of_a_resumed_run_takes_the_same_grid() {
    let home = Home::new();
    home.run_json(&["--instances", "4", "--intensity", "100"]);
    let report = home.puma(&["run", "--resume", "latest", "--json"]).json();
    assert_eq!(report["energy"]["intensity"]["g_per_kwh"], 100.0);
    assert_eq!(report["energy"]["intensity"]["chosen_by"], "--intensity");
    assert_eq!(report["energy"]["sessions"], report["energy"]["sessions_total"]);
}
