//! The commands around a run.

use crate::support::Home;

#[test]
fn list_runs_filters_and_ends_with_2_when_nothing_matches() {
    let home = Home::new();
    home.run_json(&["--instances", "2"]);
    home.run_json(&["--instances", "3"]);
    let all = home.puma(&["list-runs", "--json"]).json();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    for key in ["run_id", "profile", "started_at", "status", "f1_macro", "mae_sp", "scenario", "models", "jobs", "mae"]
    {
        assert!(all[0].get(key).is_some(), "{key} is missing in {all}");
    }
    assert_eq!(all[0]["jobs"], 3, "newest first");
    let last =
        home.puma(&["list-runs", "--json", "--last-n", "1", "--scenario", "triage_jira", "--since", "1h"]).json();
    assert_eq!(last.as_array().map(Vec::len), Some(1));
    home.puma(&["list-runs", "--model", "nobody"]).fails(2, &["no stored run matches"]);
    home.puma(&["list-runs", "--since", "yesterday"]).fails(2, &["yesterday"]);
}

#[test]
fn show_repeats_what_run_said() {
    let home = Home::new();
    let mut run = home.run_json(&["--instances", "4"]);
    let mut shown = home.puma(&["show", "latest", "--json"]).json();
    assert_eq!(run, shown);
    let id = run["run_id"].take();
    shown["run_id"].take();
    let by_prefix = home.puma(&["show", &id.as_str().expect("an id")[..20], "--json"]).json();
    assert_eq!(by_prefix["run_id"], id);
    let lines = home.puma(&["show", "--predictions"]).stdout;
    assert_eq!(lines.lines().count(), 4);
    assert!(lines.starts_with(r#"{"instance_id":""#), "{lines}");
    home.puma(&["show", "--instance", "NOPE-1"]).fails(5, &["NOPE-1", "hint:"]);
    home.puma(&["show", "nothing"]).fails(1, &["nothing"]);
}

#[test]
fn validate_baseline_judges_a_stored_run() {
    let home = Home::new();
    let run = home.run_json(&["--instances", "8"]);
    let value = run["metrics"]
        .as_array()
        .and_then(|metrics| metrics.iter().find(|metric| metric["name"] == "f1_macro"))
        .and_then(|metric| metric["value"].as_f64())
        .expect("f1_macro");
    let near = (value + 0.004).to_string();
    let far = (value + 0.2).to_string();
    let verdict = home.puma(&["validate-baseline", "--run", "latest", "--expected-f1", &near, "--json"]).json();
    assert_eq!(verdict["verdict"], "pass");
    assert_eq!(verdict["tolerance"], 0.01);
    assert_eq!(verdict["comparable"], false, "the tiny model is not upstream's reference");
    let failed = home.puma(&["validate-baseline", "--run", "latest", "--expected-f1", &far]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stdout.starts_with("FAIL: f1_macro="), "{}", failed.stdout);
    home.puma(&["validate-baseline", "--run", "latest", "--expected-mae", "2"]).fails(2, &["mae", "hint:"]);
    home.puma(&["validate-baseline", "--run", "latest", "--reference", "triagee"])
        .fails(2, &["triagee", "triage-floor"]);
    let listed = home.puma(&["validate-baseline", "--list"]).stdout;
    assert!(listed.contains("0.5867") && listed.contains("5.7150") && listed.contains("i7-10750H"), "{listed}");
}

#[test]
fn datasets_describes_the_embedded_sets() {
    let sets = Home::new().puma(&["datasets", "--json"]).json();
    let sets = sets.as_array().expect("an array");
    assert_eq!(sets.len(), 3);
    for set in sets {
        assert!(set["instances"].as_u64().is_some_and(|count| count >= 60), "{set}");
        assert_eq!(set["problem"], serde_json::Value::Null);
    }
}

#[test]
fn db_status_backup_and_delete_work_on_a_real_file() {
    let home = Home::new();
    let run = home.run_json(&["--instances", "2"]);
    let id = run["run_id"].as_str().expect("an id").to_owned();
    let status = home.puma(&["db", "status", "--json"]).json();
    assert_eq!(status["problems"].as_array().map(Vec::len), Some(0));
    let copy = home.path("copy.db").display().to_string();
    assert_eq!(home.puma(&["db", "backup", &copy]).code, Some(0));
    home.puma(&["db", "delete", &id[..12]]).fails(2, &["nothing was deleted", &id]);
    assert_eq!(home.puma(&["db", "delete", &id]).code, Some(0));
    home.puma(&["list-runs"]).fails(2, &["no stored run matches"]);
    assert_eq!(home.puma(&["list-runs", "--db", &copy]).code, Some(0));
}

#[test]
fn env_and_doctor_tell_where_things_are_and_keep_secrets() {
    let home = Home::new();
    let ended = home.command(&["env", "--json"]).env("HF_TOKEN", "hf_secret").output().expect("the program starts");
    let text = String::from_utf8(ended.stdout).expect("UTF-8");
    assert!(!text.contains("hf_secret"), "{text}");
    let facts: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(facts["environment"]["HF_TOKEN"], "(set)");
    assert_eq!(facts["numerics"], "N1");
    let checks = home.puma(&["doctor", "--json"]).json();
    assert!(checks.as_array().is_some_and(|checks| checks.iter().all(|check| check["state"] != "fail")), "{checks}");
    let required = home.command(&["doctor", "--ollama"]).env("OLLAMA_HOST", "127.0.0.1:9").output();
    assert_eq!(required.expect("the program starts").status.code(), Some(1));
}

#[test]
fn completions_and_man_pages_are_written() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(home.puma(&["completions", shell]).stdout.contains("validate-baseline"), "{shell}");
    }
    assert!(home.puma(&["man"]).stdout.contains("EXIT STATUS"));
    assert!(home.puma(&["man", "run"]).stdout.contains("resume"));
    home.puma(&["man", "fly"]).fails(2, &["fly"]);
}

#[test]
fn models_lists_shows_and_locates() {
    let home = Home::new();
    let list = home.puma(&["models", "list", "--json"]).json();
    assert_eq!(list["default"], "smollm2:135m");
    let shown = home.puma(&["models", "show", "qwen2.5:3b", "--json"]).json();
    assert_eq!(shown["catalogue"]["tag"], "qwen2.5:3b");
    let model = home.model();
    let places = home.puma(&["models", "where", &model, "--json"]).json();
    assert_eq!(places["locations"].as_array().map(Vec::len), Some(1));
    home.puma(&["models", "where", "qwen2.5:3b"]).fails(1, &["qwen2.5:3b", "hint:"]);
    assert!(home.puma(&["models", "recommended", "--json"]).json()["models"].is_array());
}

#[test]
fn a_reader_that_went_away_ends_the_program_without_a_word() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let ended = home.command(&["completions", "bash"]).stdout(writer).output().expect("the program starts");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn story_points_are_listed_in_their_order() {
    let listed = Home::new().puma(&["datasets", "--scenario", "estimation_tawos"]).stdout;
    let answers = listed.lines().find(|line| line.starts_with("answers")).expect("the answers are listed");
    let points: Vec<u32> = answers.split_whitespace().filter_map(|word| word.strip_suffix(':')?.parse().ok()).collect();
    assert!(points.len() > 3 && points.is_sorted(), "{answers}");
}

#[test]
fn the_help_of_run_names_every_strategy_and_perturbation() {
    let help = Home::new().puma(&["run", "--help"]).stdout;
    for name in puma_eval::spec::STRATEGIES.into_iter().chain(puma_eval::perturb::PERTURBATIONS) {
        assert!(help.contains(name), "{name}");
    }
    let (head, engine) = help.split_once("Embedded engine:").expect("the engine's options have a heading");
    assert!(head.contains("--resume") && !engine.contains("--resume"), "headings hold what belongs to them");
}

#[test]
fn a_spec_can_be_asked_of_other_models_and_is_stored_with_them() {
    let home = Home::new();
    let model = home.model();
    let own = home.puma(&["run", "smoke_triage", "--dry-run", "--json", "--model", &model]).json();
    assert_eq!(own["models"][0]["name"], model.as_str());
    let spec = home.write("spec.yaml", "id: x\nscenario: triage_jira\nmodels: [absent:1b]\nsample_size: 2\n");
    let first = home.puma(&["run", &spec, "--model", &model, "--json"]).json();
    assert_eq!(first["model"]["name"], model.as_str());
    home.puma(&["run", "--resume", "latest", "--json"]).json();
    home.puma(&["run", &spec, "--model", &model, "--model", &model]).fails(2, &["listed twice", "--model"]);
    home.puma(&["run", &spec, "--model", ""]).fails(2, &["no name", "hint:"]);
}

#[test]
fn without_home_the_system_tells_where_things_are() {
    let home = Home::new();
    let ended = home.command(&["env", "--json"]).env_remove("HOME").env_remove("PUMA_DATA_DIR").output();
    let facts: serde_json::Value =
        serde_json::from_slice(&ended.expect("the program starts").stdout).expect("JSON on standard output");
    assert!(facts["database"].as_str().is_some_and(|path| path.starts_with('/')), "{facts}");
}

#[test]
fn every_option_of_help_stands_under_its_own_heading() {
    let home = Home::new();
    for command in ["run", "validate-baseline", "datasets", "quickstart"] {
        let help = home.puma(&[command, "--help"]).stdout;
        let section = |option: &str| {
            let before = &help[..help.find(&format!("  {option}")).unwrap_or_else(|| panic!("{option} in {help}"))];
            before.lines().rev().find(|line| line.ends_with(':') && !line.starts_with(' ')).map(str::to_owned)
        };
        assert_eq!(section("--json").as_deref(), Some("Options:"), "{command}");
        assert_eq!(section("--db").as_deref(), Some("Everywhere:"), "{command}");
    }
}

#[test]
fn a_pull_that_fails_says_so_once() {
    let home = Home::new();
    let ended = home.puma(&["models", "pull", "127.0.0.1:9/library/nobody:1b"]).fails(1, &["127.0.0.1:9", "hint:"]);
    assert_eq!(ended.stderr.lines().filter(|line| line.contains("127.0.0.1:9")).count(), 1, "{}", ended.stderr);
}
