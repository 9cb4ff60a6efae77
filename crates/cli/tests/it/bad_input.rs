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
    home.puma(&[&base[..], &["--think"]].concat()).fails(2, &["--think", "hint:"]);
    home.puma(&[&base[..], &["--backend", "openai", "--api", "chat"]].concat()).fails(2, &["--api", "hint:"]);
    for (option, value) in [("--kv-type", "f16"), ("--max-kv-mb", "100")] {
        home.puma(&[&base[..], &["--backend", "ollama", option, value]].concat()).fails(2, &[option, "hint:"]);
    }
    home.puma(&[&base[..], &["--kv-type", "q8_0"]].concat()).fails(2, &["q8_0", "f16"]);
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

#[test]
fn going_on_with_a_run_refuses_flags_that_would_change_it() {
    let home = Home::new();
    home.run_json(&["--instances", "1"]);
    for flag in [["--strategy", "rcoif"], ["--seed", "5"], ["--instances", "3"], ["--temperature", "1"]] {
        home.puma(&[&["run", "--resume", "latest"][..], &flag].concat()).fails(2, &[flag[0], "--resume"]);
    }
    home.puma(&["validate-baseline", "--run", "latest", "--threads", "2"]).fails(2, &["--threads", "--run"]);
    home.puma(&["show", "--predictions", "--json"]).fails(2, &["--predictions", "--json"]);
}

#[test]
fn flags_out_of_range_say_what_was_typed_and_what_is_allowed() {
    let home = Home::new();
    let model = home.model();
    let base = ["run", "--scenario", "triage_jira", "--model", &model, "--dry-run"];
    for (flag, value) in [
        ("--temperature", "nan"),
        ("--temperature", "-1"),
        ("--temperature", "3"),
        ("--top-logprobs", "21"),
        ("--seed", "4294967296"),
        ("--instances", "0"),
        ("--repeat", "101"),
    ] {
        let shown = if value == "nan" { "NaN" } else { value };
        let said = format!("`{flag}` is {shown}; it must be from");
        home.puma(&[&base[..], &[flag, value]].concat()).fails(2, &[&said, "hint: leave the flag away"]);
    }
    home.puma(&[&base[..], &["--model", &model]].concat()).fails(2, &["listed twice"]);
}

#[test]
fn column_mappings_are_checked() {
    let home = Home::new();
    let model = home.model();
    let data = home.write("issues.csv", "key,summary,priority\nA-1,It fails,Critical\n");
    let base = ["run", "--scenario", "triage_jira", "--model", &model, "--dry-run", "--data", &data, "--columns"];
    for (columns, said) in [
        ("title=summary,title=key", "twice"),
        ("title=", "FIELD=COLUMN"),
        ("=summary", "FIELD=COLUMN"),
        ("", "FIELD=COLUMN"),
        ("title=nope", "key, summary, priority"),
    ] {
        home.puma(&[&base[..], &[columns]].concat()).fails(2, &[said, "hint:"]);
    }
}

#[test]
fn a_data_file_that_cannot_be_read_gets_a_hint() {
    let home = Home::new();
    let model = home.model();
    let base = ["run", "--scenario", "triage_jira", "--model", &model, "--data"];
    home.puma(&[&base[..], &["nowhere.csv"]].concat()).fails(2, &["nowhere.csv", "hint:"]);
    let spec = home.write("latin.yaml", b"id: caf\xe9\n");
    home.puma(&["run", &spec]).fails(2, &["latin.yaml", "hint: save it again as UTF-8"]);
}

#[test]
fn a_damaged_vocabulary_names_the_file_once() {
    let home = Home::new();
    let mut bytes = tiny_model();
    let key = b"tokenizer.ggml.tokens";
    let at = bytes.windows(key.len()).position(|window| window == key).expect("the key is in the file");
    bytes[at] = b'X';
    let path = home.write("lost.gguf", &bytes);
    let ended = run_model(&home, &path).fails(1, &["lost.gguf", "tokenizer.ggml.tokens", "hint:"]);
    assert_eq!(ended.stderr.matches("lost.gguf").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_run_that_is_no_longer_the_same_is_refused_by_what_differs() {
    let home = Home::new();
    let model = home.model();
    let data = home.write("issues.csv", "key,summary,priority\nA-1,It fails,Critical\nA-2,It is slow,Minor\n");
    let run = ["run", "--scenario", "triage_jira", "--model", &model, "--data", &data, "--max-tokens", "2"];
    assert_eq!(home.puma(&run).code, Some(0));
    home.write("issues.csv", "key,summary,priority\nA-1,It fails,Critical\nA-3,It is slow,Minor\n");
    let ended = home.puma(&["run", "--resume", "latest"]).fails(1, &["A-3", "dataset hash", "hint: start a new run"]);
    assert!(!ended.stderr.contains("could not be kept") && !ended.stderr.contains("then go on"), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_says_that_the_run_is_stored() {
    let home = Home::new();
    home.run_json(&["--instances", "1"]);
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let ended = home.command(&["show", "--json"]).stdout(full).output().expect("the program starts");
    crate::support::Ended::from(ended).fails(1, &["standard output cannot be written", "hint:"]);
}

#[test]
fn a_prompt_template_named_after_its_strategy_is_not_ignored() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("own/prompts/triage_jira")).expect("a folder can be made");
    home.write("own/prompts/triage_jira/zero-shot.jinja", "Say Critical");
    let model = home.model();
    home.puma(&["run", "--scenario", "triage_jira", "--model", &model, "--home", "own", "--dry-run"])
        .fails(2, &["zero-shot.jinja", "hint: name it zero_shot.jinja"]);
}

#[test]
fn a_damaged_cache_is_made_new_by_clearing_it() {
    let home = Home::new();
    home.run_json(&["--instances", "1"]);
    home.write("data/cache.db", [0x5a; 5000]);
    home.puma(&["cache", "stats"]).fails(1, &["cache.db", "hint:", "puma cache clear"]);
    assert_eq!(home.puma(&["cache", "clear"]).code, Some(0));
    assert_eq!(home.puma(&["cache", "stats", "--json"]).json()["entries"], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn signals_that_come_together_are_one_wish() {
    let home = Home::new();
    let model = home.model();
    let args = ["run", "--model", &model, "--scenario", "triage_jira", "--max-tokens", "3000", "--no-cache"];
    let mut command = home.command(&args);
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
    let child = child.expect("the program starts");
    let pid = child.id().to_string();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    for _ in 0..2 {
        let sent = std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill exists");
        assert!(sent.success());
    }
    let ended = crate::support::Ended::from(child.wait_with_output().expect("the program ends"));
    ended.fails(130, &["interrupted", "puma run --resume"]);
}
