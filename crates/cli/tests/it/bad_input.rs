//! Bad input: one clear message with file, place and hint, the documented exit code, no panic.

use crate::support::{Home, tiny_model};

fn run_model(home: &Home, model: &str) -> crate::support::Ended {
    home.puma(&["run", "--scenario", "triage_jira", "--model", model, "--instances", "1", "--max-tokens", "1"])
}

#[test]
fn a_truncated_model_names_the_file_and_both_sizes() {
    let home = Home::new();
    let bytes = tiny_model();
    let path = home.write("cut.gguf", &bytes[..bytes.len() / 2]);
    run_model(&home, &path).fails(1, &["cut.gguf", "hint:"]);
}

#[test]
fn a_corrupted_model_is_refused_or_read_but_never_panics() {
    let home = Home::new();
    let bytes = tiny_model();
    for position in [0, 4, 8, 16, 24, 40, 100, 1000] {
        let mut broken = bytes.clone();
        broken[position] ^= 0xff;
        let path = home.write("broken.gguf", &broken);
        let ended = run_model(&home, &path);
        assert!(matches!(ended.code, Some(0 | 1)), "byte {position}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "byte {position}: {}", ended.stderr);
    }
}

#[test]
fn a_web_page_is_no_model() {
    let home = Home::new();
    let path = home.write("page.gguf", "<!DOCTYPE html><html>not found</html>");
    run_model(&home, &path).fails(1, &["page.gguf", "hint:"]);
}

#[test]
fn an_unknown_spec_key_names_line_column_and_the_nearest_key() {
    let home = Home::new();
    let spec = home.write("spec.yaml", "id: x\nscenario: triage_jira\nmodels: [a:b]\ninference:\n  temperatura: 0\n");
    home.puma(&["run", &spec]).fails(2, &["spec.yaml:5:3", "temperatura", "temperature"]);
}

#[test]
fn a_missing_spec_lists_the_shipped_ones() {
    let home = Home::new();
    home.puma(&["run", "nowhere.yaml"]).fails(2, &["nowhere.yaml", "hint:", "smoke_triage"]);
}

#[test]
fn a_missing_column_lists_the_columns_found() {
    let home = Home::new();
    let data = home.write("issues.csv", "key,headline,body\nA-1,It fails,Always\n");
    let model = home.model();
    home.puma(&["run", "--scenario", "triage_jira", "--model", &model, "--data", &data])
        .fails(2, &["issues.csv", "headline", "hint:"]);
}

#[test]
fn an_unknown_model_suggests_names_and_a_pull() {
    let home = Home::new();
    run_model(&home, "smollm2:135b").fails(1, &["smollm2:135b", "smollm2:135m", "hint:"]);
}

#[test]
fn a_full_disk_stops_the_run_and_keeps_what_was_finished() {
    let home = Home::new();
    let model = home.model();
    // /dev/full cannot be a database; a folder in the file's place stands for any path that cannot be written.
    std::fs::create_dir(home.path("taken.db")).expect("a folder can be made");
    let database = home.path("taken.db").display().to_string();
    home.puma(&["run", "--scenario", "triage_jira", "--model", &model, "--db", &database])
        .fails(1, &["taken.db", "hint:"]);
}

#[test]
fn options_that_would_do_nothing_are_errors() {
    let home = Home::new();
    let model = home.model();
    let base = ["run", "--scenario", "triage_jira", "--model", &model];
    for (option, value) in [("--endpoint", "http://localhost:1"), ("--timeout", "3"), ("--concurrency", "2")] {
        home.puma(&[&base[..], &[option, value]].concat()).fails(2, &[option, "hint:"]);
    }
    home.puma(&[&base[..], &["--backend", "ollama", "--threads", "2"]].concat()).fails(2, &["--threads", "hint:"]);
    home.puma(&[&base[..], &["--simd", "mmx"]].concat()).fails(2, &["mmx", "scalar"]);
}

#[test]
fn a_home_folder_that_is_not_there_is_an_error() {
    Home::new().puma(&["--home", "no_such_folder", "models", "list"]).fails(2, &["no_such_folder", "hint:"]);
}

#[test]
fn a_format_the_embedded_engine_cannot_keep_is_refused_before_anything_is_asked() {
    let home = Home::new();
    let spec = format!(
        "id: f\nscenario: triage_jira\nmodels: [\"{}\"]\nsample_size: 1\ninference: {{format: json}}\n",
        home.model()
    );
    let spec = home.write("format.yaml", spec);
    home.puma(&["run", &spec]).fails(2, &["inference.format", "hint:"]);
}

#[test]
fn a_run_of_nothing_says_what_can_be_named() {
    Home::new().puma(&["run"]).fails(2, &["spec file", "--scenario triage_jira --model"]);
}
