//! `--answer score-labels`: from the flag to the stored scores, and everything that reads them.

use crate::support::Home;
use serde_json::Value;

const SCORED: [&str; 2] = ["--answer", "score-labels"];

fn args<'a>(scenario: &'a str, model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["run", "--scenario", scenario, "--model", model, "--instances", "6"];
    args.extend(SCORED);
    args.extend(more);
    args
}

/// Every stored record of a run, by way of what `puma show` prints for each instance.
fn records(home: &Home, run: &Value) -> Vec<Value> {
    let run_id = run["run_id"].as_str().expect("an id");
    let predictions = home.puma(&["show", run_id, "--predictions"]).stdout;
    let ids = predictions.lines().map(|line| {
        let row: Value = serde_json::from_str(line).expect("JSON Lines");
        row["instance_id"].as_str().expect("an id").to_owned()
    });
    ids.flat_map(|id| {
        home.puma(&["show", run_id, "--instance", &id, "--json"]).json().as_array().expect("a list").clone()
    })
    .collect()
}

fn sum(score: &Value) -> f64 {
    let tokens = score["tokens"].as_array().expect("tokens").iter().map(|token| token["logprob"].as_f64());
    tokens.chain([score["ending"].as_f64()]).flatten().sum()
}

#[test]
fn every_scenario_is_scored_and_every_score_is_kept() {
    let home = Home::new();
    let model = home.model();
    for (scenario, answers, ends) in
        [("triage_jira", 4, false), ("estimation_tawos", 7, true), ("prioritization_jira", 2, true)]
    {
        let run = home.puma(&args(scenario, &model, &["--json"])).json();
        assert_eq!(run["outcomes"]["answered"], 6, "{run}");
        assert!(run["logprobs_digest"].is_string());
        for record in records(&home, &run) {
            let scores = record["completions"][0]["scores"].as_array().expect("scores");
            assert_eq!(scores.len(), answers);
            assert!(scores.iter().all(|score| score["ending"].is_number() == ends), "{scenario}");
            let total: f64 = scores.iter().map(|score| sum(score).exp()).sum();
            assert!(total > 0.0 && total < 1.0, "{total}");
            let best = scores.iter().max_by(|one, other| sum(one).total_cmp(&sum(other))).expect("a best one");
            assert_eq!(best["answer"], record["answer"]);
            assert_eq!(record["rule"], "scored");
            let share = record["confidence"].as_f64().expect("a confidence");
            // JSON writes logprobs as short decimals of f32.
            assert!((share - sum(best).exp() / total).abs() < 1e-6, "{share}");
            assert_eq!(record["completions"][0]["usage"]["generated_tokens"], 0);
        }
    }
}

#[test]
fn a_scored_run_is_shown_compared_resumed_and_repeats_itself() {
    let home = Home::new();
    let model = home.model();
    let first = home.puma(&args("triage_jira", &model, &["--json"])).json();
    let again =
        home.puma(&args("triage_jira", &model, &["--no-cache", "--shuffle", "3", "--batch", "1", "--json"])).json();
    assert_eq!(first["logprobs_digest"], again["logprobs_digest"]);
    assert_eq!(first["predictions_summary_hash"], again["predictions_summary_hash"]);
    let id = records(&home, &first)[0]["instance_id"].as_str().expect("an id").to_owned();
    let text = home.puma(&["show", "latest", "--instance", &id]).stdout;
    assert!(text.contains("ln P(Critical) = -") && text.contains("rule scored"), "{text}");

    let generated = home.run_json(&["--instances", "6"]);
    let ids = [&first, &generated].map(|run| run["run_id"].as_str().expect("an id").to_owned());
    let compared = home.puma(&["compare", &ids[0], &ids[1]]).stdout;
    assert!(compared.contains("way of answering"), "{compared}");
    let machines = home.puma(&["cross-arch", &ids[0], &ids[1]]);
    assert!((machines.stdout + &machines.stderr).contains("one run scored given answers"), "two methods");
    let resumed = home.puma(&["run", "--resume", &ids[0], "--json"]).json();
    assert_eq!(resumed["logprobs_digest"], first["logprobs_digest"]);

    let check = ["selfcheck", "--model", &model, "--instances", "4", "--require", "bit-equal", "--json"];
    let check = home.puma(&[&check[..], &SCORED].concat()).json();
    assert_eq!(check["floor"]["zero"], true, "{check}");
    assert!(check["passes"][1]["logprobs"]["n"].as_u64() > Some(4 * 4), "every answer's scores are compared");
}

#[test]
fn what_does_nothing_and_servers_are_refused_before_anything_is_asked() {
    let home = Home::new();
    let model = home.model();
    let server = ["--backend", "ollama", "--endpoint", "http://127.0.0.1:9"];
    home.puma(&args("triage_jira", &model, &server))
        .fails(2, &["only the embedded engine scores", "--backend embedded"]);
    for (more, said) in [
        (["--max-tokens", "4"], "--max-tokens does nothing"),
        (["--top-logprobs", "4"], "--top-logprobs does nothing"),
        (["--temperature", "0.7"], "temperature 0.7"),
        (["--strategy", "zero-shot-cot"], "`zero-shot-cot`"),
    ] {
        home.puma(&args("triage_jira", &model, &more)).fails(2, &[said]);
    }
    home.puma(&args("triage_jira", &model, &["--first-match"])).fails(2, &["first-match"]);
    home.puma(&["list-runs"]).fails(2, &["no stored run"]);
}
