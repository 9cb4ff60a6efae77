//! Runs under perturbations: every kind on every scenario, what is told of unchanged prompts, and what is refused.

use crate::support::Home;
use puma_eval::perturb::TABLE;
use puma_eval::scenario::SCENARIOS;
use std::collections::BTreeSet;

#[test]
fn every_perturbation_a_scenario_can_take_is_run_stored_and_shown() {
    let home = Home::new();
    for scenario in SCENARIOS {
        let names: Vec<&str> =
            TABLE.iter().filter(|each| each.refusal(scenario).is_none()).map(|each| each.name).collect();
        let model = home.model();
        let args = ["run", "--scenario", scenario.name(), "--model", &model, "--instances", "2", "--max-tokens", "3"];
        let ended = home.puma(&[&args[..], &["--json", "--perturbation", &names.join(",")]].concat());
        assert!(
            ended.stderr.contains("`register_shift_informal` leaves 2 of 2 prompts of zero-shot"),
            "{}",
            ended.stderr
        );
        let report = ended.json();
        assert_eq!(report["jobs"], 2 * (1 + names.len()));
        let run = report["run_id"].as_str().expect("a run has an id").to_owned();
        let predictions = home.puma(&["show", &run, "--predictions"]).stdout;
        let first: serde_json::Value =
            serde_json::from_str(predictions.lines().next().expect("a line for each job")).expect("JSON Lines");
        let id = first["instance_id"].as_str().expect("a prediction is about an instance");
        let jobs = home.puma(&["show", &run, "--instance", id, "--json"]).json();
        let jobs = jobs.as_array().expect("a list of jobs");
        let prompts: BTreeSet<&str> = jobs.iter().filter_map(|job| job["prompt_hash"].as_str()).collect();
        assert_eq!(jobs.len(), 1 + names.len());
        assert!(prompts.len() >= names.len() - 1, "two at most stay as they are: {prompts:?}");
        let labels: BTreeSet<&str> = scenario.answer_texts().iter().copied().collect();
        for job in jobs {
            assert!(labels.contains(job["gold"].as_str().expect("a right answer")), "{job}");
        }
        let text = home.puma(&["show", &run, "--instance", id]).stdout;
        assert!(names.iter().all(|name| text.contains(&format!("perturbation {name}"))), "{text}");
    }
}

#[test]
fn a_dry_run_shows_the_prompt_of_every_perturbation_and_counts_those_that_stay() {
    let home = Home::new();
    let model = home.model();
    let args = ["run", "--scenario", "prioritization", "--model", &model, "--instances", "3", "--dry-run"];
    let names = ["--strategy", "zero-shot,egi", "--perturbation", "pair_swap,option_rename,register_shift_informal"];
    let ended = home.puma(&[&args[..], &names].concat());
    for shown in [
        "── zero-shot · pair_swap · ",
        "── egi · option_rename · ",
        "Issue X",
        "\"Final answer: X\" or \"Final answer: Y\"",
    ] {
        assert!(ended.stdout.contains(shown), "{shown} in {}", ended.stdout);
    }
    assert!(ended.stderr.contains("leaves 3 of 3 prompts of zero-shot, egi as they are"), "{}", ended.stderr);
    let plan = home.puma(&[&args[..], &names, &["--json"]].concat()).json();
    let unchanged = plan["unchanged_prompts"].as_array().expect("a list");
    assert_eq!(unchanged.len(), 2);
    assert_eq!((&unchanged[1]["strategy"], &unchanged[1]["instances"]), (&"egi".into(), &3.into()));
}

#[test]
fn what_a_scenario_or_a_template_cannot_take_ends_with_2_before_anything_is_asked() {
    let home = Home::new();
    let model = home.model();
    let args = ["run", "--scenario", "estimation", "--model", &model, "--instances", "3", "--perturbation"];
    home.puma(&[&args[..], &["pair_swap"]].concat()).fails(2, &["one issue at a time", "hint:"]);
    home.puma(&[&args[..], &["option_renam"]].concat()).fails(2, &["did you mean `option_rename`?"]);
    std::fs::create_dir_all(home.path("own/prompts/triage_jira")).expect("the folder can be made");
    home.write("own/prompts/triage_jira/zero_shot.jinja", "{{ instance.title }}: Critical, Major, Minor or Trivial?");
    let own = home.path("own").display().to_string();
    let args = ["--home", &own, "run", "--scenario", "triage", "--model", &model, "--perturbation", "label_order"];
    home.puma(&args).fails(2, &["`label_order` changes nothing", "triage_jira/zero_shot", "`labels`"]);
}
