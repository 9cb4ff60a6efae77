//! `puma compare` and `puma leaderboard`: what two runs differ in, and who stands above whom.

use crate::support::Home;
use puma_testkit::fault_server::{Answers, Behaviour, FaultServer};
use serde_json::Value;

/// A server that knows two models; each run asks what `answers` says.
fn server(answers: Answers) -> FaultServer {
    FaultServer::start(Behaviour {
        models: vec!["small:1b".to_owned(), "large:7b".to_owned()],
        answers,
        ..Behaviour::default()
    })
}

/// Runs `model` over embedded issues, 24 unless `more` says otherwise, and gives the run's id.
fn run_id(home: &Home, server: &FaultServer, model: &str, more: &[&str]) -> String {
    let url = server.url();
    let args = ["run", "--scenario", "triage_jira", "--model", model, "--backend", "ollama", "--endpoint", &url];
    let count: &[&str] = if more.contains(&"--instances") { &[] } else { &["--instances", "24"] };
    let asked = home.puma(&[&args[..], count, &["--no-cache", "--json"], more].concat()).json();
    asked["run_id"].as_str().expect("a run has an id").to_owned()
}

fn labels(labels: &[&str]) -> Answers {
    Answers::Labels(labels.iter().map(|label| (*label).to_owned()).collect())
}

/// Two models that answer differently, each with its run.
fn two_models(home: &Home) -> [String; 2] {
    let small = run_id(home, &server(labels(&["Major"])), "small:1b", &[]);
    let large = run_id(home, &server(labels(&["Critical", "Minor", "Trivial"])), "large:7b", &[]);
    [small, large]
}

#[test]
fn two_models_are_compared_with_intervals_tests_and_changed_answers() {
    let home = Home::new();
    let [small, large] = two_models(&home);
    let found = home.puma(&["compare", &small, &large, "--json"]).json();
    assert_eq!(found["comparable"], true);
    let comparison = &found["comparisons"][0];
    assert_eq!(comparison["comparability"]["verdict"], "one_difference");
    assert_eq!(comparison["comparability"]["compared"], serde_json::json!(["model"]));
    assert_eq!((&comparison["pairs"]["pairs"], &comparison["pairs"]["prompts_equal"]), (&24.into(), &24.into()));
    assert_eq!(comparison["pairs"]["same_answer"], 0, "one says Major, the other never does");
    assert_eq!(comparison["flips"].as_array().map(Vec::len), Some(24));
    assert!(comparison["flips"][0]["title"].as_str().is_some_and(|title| !title.is_empty()), "{comparison}");
    assert!(comparison["flips"][0]["first"]["confidence"].is_number(), "{comparison}");
    assert_eq!(comparison["significance"]["tests"][0]["test"], "mcnemar_exact");
    assert!(found["diffs"]["accuracy"].is_number() && found["run_ids"][1] == *large);
    assert!(
        found["differences"].as_array().is_some_and(|all| all
            .iter()
            .any(|text| text == &Value::from(format!("model: small:1b in {small}, large:7b in {large}")))),
        "{}",
        found["differences"]
    );

    let text = home.puma(&["compare", &small, &large, "--flips", "3"]).stdout;
    for part in ["A  ", "A comparison of models on 24 instances with the same prompts", "B - A", "McNemar", "By class:"]
    {
        assert!(text.contains(part), "nothing says {part:?} in {text}");
    }
    assert!(text.contains("24 of 24 answers changed from A to B") && text.contains("21 more: --flips all"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
}

#[test]
fn a_run_equals_itself_bit_for_bit_and_other_prompts_do_not() {
    let home = Home::new();
    let ids = [&["--instances", "4"][..], &["--instances", "4", "--strategy", "rcoif"]]
        .map(|args| home.run_json(args)["run_id"].as_str().expect("an id").to_owned());
    let same = home.puma(&["compare", &ids[0], &ids[0], "--json"]).json();
    assert_eq!(same["comparable"], true);
    assert_eq!([&same["predictions_equal"], &same["logprobs_equal"]], [true, true]);
    let text = home.puma(&["compare", &ids[0], &ids[0]]).stdout;
    assert!(text.contains("bit for bit") && text.contains("One and the same run."), "{text}");
    assert!(text.contains("accuracy") && !text.contains("latency.p99"), "{text}");
    let other = home.puma(&["compare", &ids[0], &ids[1], "--json"]).json();
    assert_eq!([&other["predictions_equal"], &other["logprobs_equal"]], [false, false], "other prompts");
    assert_eq!(other["comparisons"][0]["comparability"]["compared"], serde_json::json!(["strategy"]));
}

#[test]
fn what_cannot_be_compared_is_said_first() {
    let home = Home::new();
    let triage = home.run_json(&["--instances", "4"])["run_id"].as_str().expect("an id").to_owned();
    let model = home.model();
    let args =
        ["run", "--scenario", "estimation", "--model", &model, "--instances", "4", "--max-tokens", "4", "--json"];
    let estimation = home.puma(&args).json()["run_id"].as_str().expect("an id").to_owned();
    let found = home.puma(&["compare", &triage, &estimation, "--json"]).json();
    assert_eq!(found["comparable"], false);
    let text = home.puma(&["compare", &triage, &estimation]).stdout;
    assert!(text.contains("The scores cannot be compared: scenario"), "{text}");
    assert!(!text.contains("McNemar"), "nothing is paired: {text}");
}

#[test]
fn one_run_is_compared_by_strategy_and_several_runs_in_a_table() {
    let home = Home::new();
    let both = server(labels(&["Critical", "Major", "Minor", "Trivial"]));
    let strategies = ["--strategy", "zero-shot", "--strategy", "rcoif", "--strategy", "one-shot"];
    let run = run_id(&home, &both, "small:1b", &strategies);
    let by = home.puma(&["compare", &run, "--by", "strategy", "--json"]).json();
    assert_eq!(by["comparisons"].as_array().map(Vec::len), Some(2));
    assert_eq!(by["family"]["tests"], 2);
    let all = home.puma(&["compare", &run, "--by", "strategy", "--all-pairs", "--json"]).json();
    assert_eq!(all["family"]["tests"], 3);
    let text = home.puma(&["compare", &run, "--by", "strategy"]).stdout;
    assert!(text.contains("p (Holm)") && text.contains("C  small:1b one-shot"), "{text}");
    home.puma(&["compare", &run, "--by", "model"]).fails(2, &["only one model", "small:1b"]);
    home.puma(&["compare", &run]).fails(2, &["takes 2", "--by"]);
    home.puma(&["compare", &run, &run, "--by", "strategy"]).fails(2, &["--by"]);

    let other = run_id(&home, &both, "large:7b", &["--strategy", "rcoif", "--strategy", "zero-shot"]);
    let matched = home.puma(&["compare", &run, &other, "--json"]).json();
    assert_eq!(matched["comparisons"].as_array().map(Vec::len), Some(2));
    assert_eq!(matched["unmatched"][0]["strategy"], "one-shot");
    let one =
        home.puma(&["compare", &run, &other, "--a-strategy", "one-shot", "--b-strategy", "rcoif", "--json"]).json();
    assert_eq!(one["comparisons"][0]["comparability"]["verdict"], "confounded");
    home.puma(&["compare", &run, &other, "--strategy", "egi"]).fails(2, &["egi", "zero-shot"]);
    home.puma(&["compare", &run, "nobody"]).fails(1, &["nobody"]);
}

#[test]
fn a_comparison_is_written_as_json_and_as_markdown() {
    let home = Home::new();
    let [small, large] = two_models(&home);
    let (json, page) = (home.path("out.json"), home.path("out.md"));
    let to = |path: &std::path::Path| path.display().to_string();
    let printed = home.puma(&["compare", &small, &large, "--json", "--output", &to(&json)]).json();
    let written: Value = serde_json::from_str(&std::fs::read_to_string(json).expect("it was written")).expect("JSON");
    assert_eq!(printed, written);
    let printed = home.puma(&["compare", &small, &large, "--markdown", "--output", &to(&page)]).stdout;
    assert_eq!(printed, std::fs::read_to_string(page).expect("it was written"));
    assert!(printed.contains("## By class\n\n| class | n |"), "{printed}");
    home.puma(&["compare", &small, &large, "--flips", "some"]).fails(2, &["some", "all"]);
}

#[test]
fn the_leaderboard_ranks_what_judged_the_same_instances() {
    let home = Home::new();
    let [small, large] = two_models(&home);
    run_id(&home, &server(labels(&["Major"])), "small:1b", &["--instances", "12"]);
    let board = home.puma(&["leaderboard", "--json"]).json();
    let sizes: Vec<Option<u64>> =
        board["tables"].as_array().expect("tables").iter().map(|table| table["instances"].as_u64()).collect();
    assert_eq!(sizes, [Some(24), Some(12)], "other instances, another table");
    let entries = board["tables"][0]["entries"].as_array().expect("entries");
    let mut ids: Vec<&str> = entries.iter().filter_map(|entry| entry["run_id"].as_str()).collect();
    ids.sort_unstable();
    let mut expected = [small.as_str(), large.as_str()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    let text = home.puma(&["leaderboard", "--metric", "accuracy"]).stdout;
    assert!(text.contains("(most_frequent)") && text.contains("McNemar"), "{text}");
    let csv = home.puma(&["leaderboard", "--csv"]).stdout;
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.starts_with("scenario,dataset,instances,metric,rank,"), "{csv}");
    assert!(home.puma(&["leaderboard", "--markdown"]).stdout.contains("| rank | may be |"));
    home.puma(&["leaderboard", "--scenario", "estimation"]).fails(5, &["no complete run"]);
    home.puma(&["leaderboard", "--metric", "f1_marco"]).fails(2, &["f1_macro"]);
    home.puma(&["leaderboard", "--metric", "n_samples"]).fails(2, &["n_samples", "describes"]);
    home.puma(&["leaderboard", "--since", "yesterday"]).fails(2, &["yesterday"]);
}

#[test]
fn upstreams_test_of_two_runs_still_answers() {
    let home = Home::new();
    let [small, large] = two_models(&home);
    let found = home.puma(&["wilcoxon", &small, &large, "--json"]).json();
    let compared = home.puma(&["compare", &small, &large, "--json"]).json();
    let exact = &compared["comparisons"][0]["significance"]["tests"][0]["p_value"];
    assert_eq!((&found["n_pairs"], &found["mcnemar_p_value"]), (&24.into(), exact));
    let page = home.path("report.md").display().to_string();
    let text = home.puma(&["wilcoxon", &small, &large, "--metric", "accuracy", "--output", &page]).stdout;
    assert!(text.contains("# Wilcoxon signed-rank test: accuracy") && text.contains("p (two-sided)"), "{text}");
    assert_eq!(std::fs::read_to_string(page).expect("it was written"), text);
    let few = run_id(&home, &server(labels(&["Major"])), "small:1b", &["--instances", "4"]);
    home.puma(&["wilcoxon", &few, &large]).fails(2, &["share 4 instances", "takes 10"]);
    home.puma(&["wilcoxon", &small, "nobody"]).fails(1, &["nobody"]);
}
