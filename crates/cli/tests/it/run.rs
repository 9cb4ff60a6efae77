//! Runs on the embedded engine: the same bits whatever the order, the threads, the batch and the instruction set.

use crate::support::Home;
use serde_json::Value;

fn fingerprint(report: &Value) -> (String, String) {
    let text = |key: &str| report[key].as_str().unwrap_or_else(|| panic!("{key} in {report}")).to_owned();
    (text("predictions_summary_hash"), text("logprobs_digest"))
}

#[test]
fn threads_batch_order_and_instruction_set_change_no_bit() {
    let home = Home::new();
    let args = ["--instances", "12", "--strategy", "contextual-anchoring", "--no-cache"];
    let with = |more: &[&str]| fingerprint(&home.run_json(&[&args[..], more].concat()));
    let expected = with(&["--threads", "1"]);
    for variant in [
        &["--threads", "2"][..],
        &["--threads", "2", "--batch", "1"],
        &["--batch", "3", "--shuffle", "7"],
        &["--simd", "scalar", "--shuffle", "99"],
        &["--max-kv-mb", "20", "--shuffle", "5"],
    ] {
        assert_eq!(with(variant), expected, "{variant:?}");
    }
}

#[test]
fn cached_answers_are_the_answers() {
    let home = Home::new();
    let first = home.run_json(&["--instances", "6"]);
    let again = home.run_json(&["--instances", "6"]);
    assert_eq!(fingerprint(&first), fingerprint(&again));
    assert_eq!(again["timing"]["unique_prompt_tokens"], 0);
    let stats = home.puma(&["cache", "stats", "--json"]).json();
    assert_eq!(stats["entries"], 6);
    assert_eq!(home.puma(&["cache", "clear", "--json"]).json()["removed"], 6);
    let fresh = home.run_json(&["--instances", "6"]);
    assert_ne!(fresh["timing"]["unique_prompt_tokens"], 0);
}

#[test]
fn keys_and_values_in_f16_are_another_contract_and_share_no_answer() {
    let home = Home::new();
    let plain = home.run_json(&["--instances", "3"]);
    let half = home.run_json(&["--instances", "3", "--kv-type", "f16"]);
    assert_ne!(half["timing"]["unique_prompt_tokens"], 0, "answers were taken from the cache of f32");
    assert_ne!(fingerprint(&plain).1, fingerprint(&half).1);
    assert_eq!(home.puma(&["cache", "stats", "--json"]).json()["entries"], 6);
    let again = home.run_json(&["--instances", "3", "--kv-type", "f16", "--no-cache", "--threads", "1"]);
    assert_eq!(fingerprint(&again), fingerprint(&half));
}

#[test]
fn every_strategy_runs_on_every_scenario() {
    let home = Home::new();
    for scenario in ["triage_jira", "estimation_tawos", "prioritization_jira"] {
        let spec = home.write(
            "all.yaml",
            format!(
                "id: all\nscenario: {scenario}\nsample_size: 2\nmodels: ['{}']\nadaptation:\n  strategy: [zero-shot, \
                 zero-shot-cot, one-shot, few-shot-3, few-shot-5, few-shot-8, cot-few-shot, rcoif, \
                 contextual-anchoring, self-consistency, egi]\ninference:\n  temperature: 0.7\n  max_tokens: 3\n  \
                 logprobs: true\n  top_logprobs: 2\n",
                home.model()
            ),
        );
        let report = home.puma(&["run", &spec, "--json"]).json();
        assert_eq!(report["jobs"], 22, "{scenario}");
        assert_eq!(report["status"], "done");
        assert_eq!(report["outcomes"]["backend_failed"], 0);
    }
}

#[test]
fn a_dry_run_shows_prompts_and_stores_nothing() {
    let home = Home::new();
    let model = home.model();
    let args = ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "4", "--dry-run"];
    let ended = home.puma(&args);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("4 jobs"), "{}", ended.stdout);
    home.puma(&["list-runs"]).fails(1, &["there is no database", "hint:"]);
}

#[test]
fn few_shot_prompts_show_examples_but_never_the_judged_issue() {
    let home = Home::new();
    let model = home.model();
    let strategy = ["--strategy", "few-shot-3", "--dry-run"];
    let base = ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "1"];
    let zero = home.puma(&[&base[..], &["--dry-run"]].concat()).stdout;
    let few = home.puma(&[&base[..], &strategy].concat()).stdout;
    assert!(few.len() > zero.len() + 300, "{few}");
}

#[test]
fn a_model_without_a_chat_template_is_asked_in_a_fallback_form_and_says_so() {
    let home = Home::new();
    let model = home.model();
    let args =
        ["run", "--scenario", "triage_jira", "--model", &model, "--instances", "1", "--max-tokens", "1", "--json"];
    let ended = home.puma(&args);
    assert!(ended.stderr.contains("has no chat template") && ended.stderr.contains("chatml"), "{}", ended.stderr);
    assert_eq!(ended.json()["models"][0]["template_source"], "chatml");
}

#[test]
fn runs_over_every_kind_of_file_can_be_resumed() {
    let home = Home::new();
    let model = home.model();
    let issues = |severity: &str| {
        format!("{{\"number\": 1, \"title\": \"It fails\", \"labels\": [{{\"name\": \"{severity}\"}}]}}")
    };
    let github = home.write("github.json", format!("[{}]", issues("priority: high")));
    let own = home.write("own.csv", "headline,urgency\nIt fails,Major\n");
    for more in [&["--data", &github][..], &["--data", &own, "--columns", "title=headline,priority=urgency"]] {
        let run = ["run", "--scenario", "triage_jira", "--model", &model, "--max-tokens", "1", "--json"];
        let whole = home.puma(&[&run[..], more].concat()).json();
        let resumed = home.puma(&["run", "--resume", "latest", "--json"]).json();
        assert_eq!(resumed["predictions_summary_hash"], whole["predictions_summary_hash"], "{more:?}");
    }
}
