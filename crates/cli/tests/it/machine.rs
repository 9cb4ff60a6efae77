//! The machine of a run: its profile, what a spec may require, and machines that are only recorded.

use crate::support::Home;
use puma_testkit::machines;

const RECORDED: &str = "desktop-amd-zen";

fn recorded() -> String {
    machines::path(RECORDED).display().to_string()
}

fn spec_requiring(home: &Home, profile: &str) -> String {
    let yaml = format!(
        "id: required\nscenario: triage_jira\nsample_size: 4\nmodels: [{}]\nadaptation: {{strategy: [zero-shot]}}\n\
         inference: {{max_tokens: 2}}\nmetrics: [f1_macro]\nprofile_required: {profile}\n",
        home.model()
    );
    home.write("spec.yaml", yaml)
}

#[test]
fn a_profile_that_a_spec_requires_is_met_or_insisted_on() {
    let home = Home::new();
    let host = recorded();
    let spec = spec_requiring(&home, "gpu-entry");
    let refused = home.puma(&["run", &spec, "--host", &host]);
    refused.fails(4, &["gpu-entry", "none was found", "--profile gpu-entry"]);
    assert_eq!(home.puma(&["list-runs"]).code, Some(2), "nothing was begun");

    let report = home.puma(&["run", &spec, "--host", &host, "--profile", "gpu-entry", "--json"]).json();
    assert_eq!(report["status"], "done");
    assert_eq!(report["machine"]["profile"]["rule"], "override");

    let spec = spec_requiring(&home, "cpu-lite");
    let report = home.puma(&["run", &spec, "--host", &host, "--json"]).json();
    assert_eq!(report["machine"]["profile"]["id"], "cpu-standard", "more than was required");
    assert_eq!(report["machine"]["recorded"], true);
}

#[test]
fn a_profile_nobody_knows_is_refused() {
    let home = Home::new();
    let spec = spec_requiring(&home, "gpu-pro");
    home.puma(&["run", &spec]).fails(2, &["gpu-pro", "gpu-entry"]);
    home.puma(&["profile", "--profile", "gpu-pro"]).fails(2, &["gpu-pro", "gpu-entry"]);
    home.puma(&["preflight", "--profile", "gpu-pro"]).fails(1, &["gpu-pro", "gpu-entry"]);
}

#[test]
fn a_file_that_is_no_recorded_machine_is_refused() {
    let home = Home::new();
    for (text, said) in [("", "EOF"), ("{}", "format"), ("[1]", "expected"), ("{\"format\": 1, \"os\": 3}", "os")] {
        let file = home.write("bad.puma-host", text);
        home.puma(&["profile", "--host", &file]).fails(2, &["bad.puma-host", said, "doctor --record"]);
    }
    let newer = r#"{"format": 2, "description": "", "os": "linux", "arch": "x86_64", "available_parallelism": 1}"#;
    let file = home.write("newer.puma-host", newer);
    home.puma(&["profile", "--host", &file]).fails(2, &["format 2"]);
    home.puma(&["profile", "--host", "missing.puma-host"]).fails(2, &["missing.puma-host"]);
}

#[test]
fn preflight_looks_only_at_what_the_backend_needs() {
    let home = Home::new();
    let embedded = home.puma(&["preflight", "--model", &home.model(), "--json"]).json();
    let names = |report: &serde_json::Value| -> Vec<String> {
        let checks = report["checks"].as_array().expect("a list");
        checks.iter().map(|check| check["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert!(!names(&embedded).contains(&"server".to_owned()));
    let absent = ["preflight", "--backend", "ollama", "--endpoint", "http://127.0.0.1:9", "--json"];
    let ended = home.puma(&absent).fails(1, &["1 check failed"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON also when a check fails");
    assert_eq!(report["ready"], false);
    let names = names(&report);
    assert!(names.contains(&"server".to_owned()) && !names.contains(&"model".to_owned()), "{names:?}");
    assert!(!ended.stdout.to_lowercase().contains("docker"), "nobody asked for containers");
}

#[test]
fn preflight_judges_no_memory_where_nothing_is_known_of_it() {
    let home = Home::new();
    for (backend, endpoint) in [("openai", "http://127.0.0.1:9"), ("llama-server", "http://puma.invalid:9")] {
        let args = ["preflight", "--backend", backend, "--endpoint", endpoint, "--model", "qwen2.5:7b", "--json"];
        let ended = home.puma(&args);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let checks: Vec<&str> =
            report["checks"].as_array().expect("checks").iter().filter_map(|check| check["name"].as_str()).collect();
        assert!(checks.contains(&"server") && !checks.contains(&"memory"), "{checks:?}");
    }
}

#[test]
fn preflight_judges_the_context_that_was_asked_for() {
    let home = Home::new();
    let model = home.model();
    let memory = |more: &[&str]| {
        let mut args = vec!["preflight", "--host", "m.puma-host", "--model", &model, "--json"];
        args.extend(more);
        std::fs::copy(recorded(), home.path("m.puma-host")).expect("the recording can be copied");
        let report: serde_json::Value = serde_json::from_str(&home.puma(&args).stdout).expect("JSON");
        let checks = report["checks"].as_array().expect("a list").clone();
        let memory = checks.into_iter().find(|check| check["name"] == "memory").expect("memory is looked at");
        memory["detail"].as_str().expect("a detail").to_owned()
    };
    assert!(memory(&[]).contains("with 8192 tokens"), "{}", memory(&[]));
    assert!(memory(&["--context", "65536"]).contains("with 65536 tokens"));
}

#[test]
fn env_tells_the_gpus_and_the_cores_of_the_machine() {
    let home = Home::new();
    let of = |machine: &str| {
        let path = puma_testkit::machines::path(machine).display().to_string();
        home.puma(&["env", "--host", &path]).stdout
    };
    assert!(of("gpu-h200").contains("NVIDIA H200"));
    let mac = of("mac-m3-max-36gb");
    assert!(mac.contains("machine.core_tiers.0.name") && mac.contains("Performance"), "{mac}");
}

#[test]
fn preflight_writes_what_it_found_in_upstreams_form() {
    let home = Home::new();
    let file = home.path("runtime_profile.yaml").display().to_string();
    let model = home.model();
    let ended = home.puma(&["preflight", "--host", &recorded(), "--model", &model, "--write-config", &file]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let yaml = std::fs::read_to_string(file).expect("the file was written");
    for line in ["profile: cpu-standard", "ram_gb: 30.52", "gpu_backend: none", "- estimation_tawos"] {
        assert!(yaml.contains(line), "no `{line}` in {yaml}");
    }
}
