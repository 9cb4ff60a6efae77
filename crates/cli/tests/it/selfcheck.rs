//! The noise floor of real backends: zero for the embedded engine, found where a server is not repeatable.

use crate::support::Home;
use puma_testkit::fault_server::{Behaviour, Fault, FaultServer};
use serde_json::Value;
use std::time::Duration;

fn pass<'a>(check: &'a Value, name: &str) -> &'a Value {
    let passes = check["passes"].as_array().expect("passes");
    passes.iter().find(|pass| pass["name"] == name).unwrap_or_else(|| panic!("no pass {name} in {check}"))
}

#[test]
fn the_embedded_engine_has_a_floor_of_zero_in_every_pass() {
    let home = Home::new();
    let model = home.model();
    let args = ["selfcheck", "--model", &model, "--instances", "5", "--max-tokens", "6", "--require", "bit-equal"];
    let check = home.puma(&[&args[..], &["--json"]].concat()).json();
    assert_eq!((&check["floor"]["zero"], &check["floor"]["level"]), (&true.into(), &"bit-equal".into()));
    for name in ["repeated", "shuffled", "each-fresh", "fresh-again", "together"] {
        let pass = pass(&check, name);
        let noise = &pass["logprobs"];
        assert_eq!((&pass["jobs"], &noise["max_abs"]), (&5.into(), &0.0.into()), "{name}");
        assert!(noise["n"].as_u64() > Some(0) && noise["n"] == noise["equal_bits"], "{name}: {noise}");
    }
    assert!(pass(&check, "prompts-reused")["skipped"].is_string());
    let text = home.puma(&args).stdout;
    assert!(text.contains("The noise floor is zero"), "{text}");
    home.puma(&["list-runs"]).fails(1, &["no database"]);
}

#[test]
fn a_server_is_asked_in_every_way_it_can_be_and_told_apart_from_one_that_fails() {
    let home = Home::new();
    let delay = Duration::from_millis(30);
    let server = FaultServer::start(Behaviour { delay, ..Behaviour::default() });
    let url = server.url();
    let args = |backend, more: &[&'static str]| {
        let mut args = vec!["selfcheck", "--model", "smollm2:135m", "--instances", "4", "--backend", backend];
        args.extend(more);
        args.extend(["--json"]);
        args.into_iter().map(str::to_owned).chain(["--endpoint".to_owned(), url.clone()]).collect::<Vec<_>>()
    };
    let run = |args: &[String]| home.puma(&args.iter().map(String::as_str).collect::<Vec<_>>());

    let llama = run(&args("llama-server", &[])).json();
    assert_eq!(llama["state"], "computed-anew");
    assert!(pass(&llama, "each-fresh")["skipped"].is_string() && pass(&llama, "prompts-reused")["skipped"].is_null());
    assert!(server.most_in_flight() > 1, "some pass asks several at once");
    let reused = |logged: &puma_testkit::fault_server::Logged| logged.body.get("cache_prompt").is_none();
    assert_eq!(server.completions().iter().filter(|asked| reused(asked) && asked.body["max_tokens"] != 1).count(), 4);

    let ollama = run(&args("ollama", &[])).json();
    assert_eq!((&ollama["state"], &ollama["floor"]["zero"]), (&"unloaded".into(), &true.into()));
    assert_eq!(pass(&ollama, "each-fresh")["jobs"], 4);

    server.behave(Behaviour::share(0.4, 3, Fault::Status(400)));
    run(&args("openai", &[])).fails(1, &["failed in the backend", "puma run"]);
    home.puma(&["selfcheck", "--model", "x", "--require", "perfect"]).fails(2, &["bit-equal"]);
}
