//! Runs against servers that misbehave: no failure is ever an answer.

use crate::support::Home;
use puma_testkit::fault_server::{Behaviour, Fault, FaultServer};

fn run_args<'a>(url: &'a str, backend: &'a str) -> Vec<&'a str> {
    vec![
        "run",
        "--scenario",
        "triage_jira",
        "--model",
        "smollm2:135m",
        "--instances",
        "40",
        "--backend",
        backend,
        "--endpoint",
        url,
        "--no-cache",
        "--json",
    ]
}

#[test]
fn failures_of_a_third_of_all_requests_are_never_answers_and_resuming_completes_the_run() {
    for backend in ["ollama", "openai", "vllm"] {
        let home = Home::new();
        let steady = FaultServer::start(Behaviour::default());
        let whole = home.puma(&run_args(&steady.url(), backend)).json();

        // A status that no retry helps against, so that failures reach the run.
        let server = FaultServer::start(Behaviour::share(0.3, 11, Fault::Status(400)));
        let url = server.url();
        let partial = home.puma(&run_args(&url, backend)).fails(1, &["failed in the backend", "--resume"]);
        let report: serde_json::Value = serde_json::from_str(&partial.stdout).expect("JSON in spite of the failure");
        let failed = report["outcomes"]["backend_failed"].as_u64().expect("a count");
        assert!((4..=25).contains(&failed), "{failed} of 40 failed");
        assert_eq!(report["outcomes"]["answered"].as_u64(), Some(40 - failed));
        let reasons = report["failures"].as_array().expect("reasons");
        let counted: u64 = reasons.iter().filter_map(|row| row["jobs"].as_u64()).sum();
        assert_eq!(counted, failed, "{reasons:?}");
        assert_eq!(report["comparable"], false);
        assert_eq!(report["status"], "incomplete");

        server.behave(Behaviour::default());
        let resumed = home.puma(&["run", "--resume", "latest", "--endpoint", &url, "--no-cache", "--json"]).json();
        assert_eq!(resumed["outcomes"]["backend_failed"], 0);
        assert_eq!(resumed["status"], "done");
        assert_eq!(resumed["predictions_summary_hash"], whole["predictions_summary_hash"], "{backend}");
    }
}

#[test]
fn a_server_that_is_not_there_gets_a_message_and_a_hint() {
    let home = Home::new();
    home.puma(&run_args("http://127.0.0.1:9", "ollama")).fails(1, &["127.0.0.1:9", "hint:"]);
}

#[test]
fn a_model_that_the_server_lacks_gets_a_hint_to_pull_it() {
    let home = Home::new();
    let server = FaultServer::start(Behaviour { models: vec!["other:1b".to_owned()], ..Behaviour::default() });
    home.puma(&run_args(&server.url(), "ollama")).fails(1, &["smollm2:135m", "hint:", "pull"]);
}

#[test]
fn a_web_page_instead_of_an_answer_is_quoted_on_one_line() {
    let home = Home::new();
    let server = FaultServer::start(Behaviour::always(Fault::NotJson));
    let ended = home.puma(&run_args(&server.url(), "ollama")).fails(1, &["is not JSON", "<html>", "hint:"]);
    let error = ended.stderr.lines().find(|line| line.starts_with("error:")).expect("an error");
    assert!(error.contains("is not JSON") && error.contains("`)"), "{error}");
}

#[test]
fn a_run_of_each_kind_of_server_can_be_resumed_without_naming_it() {
    for backend in ["llama-server", "vllm", "openai", "ollama"] {
        let home = Home::new();
        let server = FaultServer::start(Behaviour::share(0.3, 11, Fault::Status(400)));
        let url = server.url();
        let partial = home.puma(&run_args(&url, backend)).fails(1, &["--resume"]);
        let report: serde_json::Value = serde_json::from_str(&partial.stdout).expect("JSON");
        assert_eq!(report["backend"]["kind"], backend);
        server.behave(Behaviour::default());
        let resumed = home.puma(&["run", "--resume", "latest", "--no-cache", "--json"]).json();
        assert_eq!(resumed["status"], "done", "{backend}");
    }
}

#[test]
fn the_way_a_server_is_asked_is_recorded_and_kept_when_a_run_goes_on() {
    let home = Home::new();
    let server = FaultServer::start(Behaviour::share(0.3, 7, Fault::Status(400)));
    let url = server.url();
    home.puma(&[&run_args(&url, "ollama")[..], &["--api", "generate"]].concat()).fails(1, &["--resume"]);
    server.behave(Behaviour::default());
    let resumed = home.puma(&["run", "--resume", "latest", "--no-cache", "--json"]).json();
    assert_eq!(resumed["backend"]["settings"]["api"], "generate");
    assert_eq!(resumed["backend"]["settings"]["think"], "false");
    // The probe for logprobs asks for one token.
    let log = server.completions();
    let paths: Vec<&str> =
        log.iter().filter(|r| r.body["options"]["num_predict"] != 1).map(|r| r.path.as_str()).collect();
    assert!(paths.len() >= 40 && paths.iter().all(|path| *path == "/api/generate"), "{paths:?}");
    home.puma(&["run", "--resume", "latest", "--api", "chat"]).fails(1, &["backend setting api was generate"]);
}

/// A server that was asked something else before is made to forget it, and the record says so.
#[test]
fn a_validation_unloads_the_model_before_its_first_question_and_names_what_differs() {
    let home = Home::new();
    let spec = "id: small\nscenario: triage_jira\nsample_size: 8\nmodels: [smollm2:135m]\n\
                adaptation:\n  strategy: [zero-shot]\ninference:\n  max_tokens: 8\nmetrics: [f1_macro]\n";
    let spec = home.write("small.yaml", spec);
    let server = FaultServer::start(Behaviour::default());
    let url = server.url();
    let args = ["validate-baseline", "--spec", &spec, "--backend", "ollama", "--endpoint", &url, "--json"];
    let ended = home.puma(&args);
    assert_eq!(ended.code, Some(1), "random answers are not upstream's: {}", ended.stderr);
    let verdict: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON in spite of the failure");
    assert_eq!((&verdict["state"], &verdict["reference"]), (&"unloaded".into(), &"triage".into()));
    let log = server.log();
    let unloading = |body: &serde_json::Value| body["keep_alive"] == 0 && body.get("prompt").is_none();
    let unloaded = log.iter().position(|asked| asked.path == "/api/generate" && unloading(&asked.body));
    let asks_an_issue =
        |body: &serde_json::Value| body["messages"][0]["content"].as_str().is_some_and(|text| text.len() > 50);
    let first = log.iter().position(|asked| asked.path == "/api/chat" && asks_an_issue(&asked.body));
    assert!(unloaded.expect("the model was unloaded") < first.expect("issues were asked"), "{log:?}");

    let differences = verdict["differences"].to_string();
    assert!(differences.contains("data:") && !differences.contains("backend:"), "{differences}");
    let same = |what: &str| {
        let facts = verdict["reference_environment"].as_array().expect("facts");
        facts.iter().find(|fact| fact["what"] == what).map(|fact| fact["same"].clone())
    };
    assert_eq!(same("backend"), Some(true.into()));
    assert_eq!(same("state of the server"), Some(true.into()));
    assert_eq!(same("model digest"), Some(serde_json::Value::Null), "upstream recorded none");

    let text = home.puma(&["validate-baseline", "--run", "latest"]).stdout;
    assert!(text.contains("was unloaded before the first question") && text.contains("0.5831"), "{text}");
}
