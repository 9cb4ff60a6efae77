//! Laws of planning.

mod run_support;

use puma_core::ModelIdentity;
use puma_eval::plan::{Job, Plan, PlanError, PlanInput, plan};
use puma_eval::prompt::Templates;
use puma_eval::scenario::ExampleSource;
use puma_eval::spec::{Compat, ParserMode};
use puma_eval::{perturb, scenario};
use run_support::*;
use std::collections::BTreeSet;

/// The perturbations that a scenario can take.
fn perturbations_of(scenario: &str) -> Vec<String> {
    let scenario = scenario::find(scenario).expect("a known scenario");
    let names = perturb::TABLE.iter().filter(|each| each.refusal(scenario).is_none()).map(|each| each.name);
    names.map(str::to_owned).collect()
}

fn ids(plan: &Plan) -> BTreeSet<String> {
    plan.jobs.iter().map(|job| job.id.to_string()).collect()
}

#[test]
fn planning_twice_gives_the_same_jobs_and_every_job_its_own_id() {
    let mut spec = spec("triage_jira", &["zero-shot", "rcoif", "few-shot-3"], 10);
    spec.perturbations = perturbations_of("triage_jira");
    assert_eq!(spec.perturbations.len(), 13);
    spec.repeat = 3;
    let one = planned(&spec, &dataset(40)).unwrap();
    let two = planned(&spec, &dataset(40)).unwrap();
    assert_eq!(one.jobs, two.jobs);
    assert_eq!(ids(&one).len(), one.jobs.len());
    assert_eq!(one.jobs.len(), 3 * 10 * 14 * 3);
}

#[test]
fn every_part_of_a_job_is_in_its_id() {
    let base = spec("triage_jira", &["zero-shot"], 4);
    let original = ids(&planned(&base, &dataset(8)).unwrap());
    // Another spec hash.
    let mut other = base.clone();
    other.inference.max_tokens = 128;
    assert!(ids(&planned(&other, &dataset(8)).unwrap()).is_disjoint(&original));
    // Another model.
    let mut input_spec = base.clone();
    input_spec.models = vec!["m2".into()];
    assert!(ids(&planned(&input_spec, &dataset(8)).unwrap()).is_disjoint(&original));
    // Another prompt.
    let templates =
        Templates::with_overrides(&[("triage_jira/zero_shot".to_owned(), "{{ instance.title }}?".to_owned())].into())
            .unwrap();
    assert!(ids(&planned_with(&base, &dataset(8), &templates).unwrap()).is_disjoint(&original));
}

#[test]
fn every_strategy_of_every_scenario_can_be_perturbed_and_prompts_change_where_texts_do() {
    for scenario in scenario::SCENARIOS {
        let mut spec = spec(scenario.name(), &puma_eval::spec::STRATEGIES, 4);
        spec.perturbations = perturbations_of(scenario.name());
        let plan = planned(&spec, &dataset(40)).unwrap();
        assert_eq!(ids(&plan).len(), plan.jobs.len());
        // The made-up issues hold no formal phrase; everything else changes every prompt.
        let unchanged: BTreeSet<&str> = plan.unchanged.iter().map(|each| each.perturbation.as_str()).collect();
        assert_eq!(unchanged, BTreeSet::from(["register_shift_informal"]), "{}", scenario.name());
        assert!(plan.unchanged.iter().all(|each| each.instances == 4));
        assert_eq!(plan.unchanged.len(), plan.strategies.len());
        for job in &plan.jobs {
            let swapped = job.perturbation.as_deref() == Some("pair_swap");
            assert_eq!(job.gold == plan.instances[job.instance].gold, !swapped);
        }
    }
}

#[test]
fn a_swapped_pair_shows_each_issue_in_the_place_of_the_other() {
    let mut spec = spec("prioritization_jira", &["few-shot-3"], 6);
    spec.perturbations = vec!["pair_swap".into()];
    let plan = planned(&spec, &dataset(40)).unwrap();
    for jobs in plan.jobs.chunks(2) {
        let fields = &plan.instances[jobs[0].instance].fields;
        for (job, first, second) in [(&jobs[0], "title_a", "title_b"), (&jobs[1], "title_b", "title_a")] {
            let issue = job.prompt.split_once("Now compare").unwrap().1;
            assert!(issue.find(&fields[first]).unwrap() < issue.find(&fields[second]).unwrap());
        }
    }
}

#[test]
fn options_come_in_another_order_with_their_definitions_and_examples() {
    let mut spec = spec("triage_jira", &["contextual-anchoring", "few-shot-8", "egi"], 30);
    spec.perturbations = vec!["label_order".into()];
    let plan = planned(&spec, &dataset(60)).unwrap();
    let mut orders: BTreeSet<Vec<usize>> = BTreeSet::new();
    for pair in plan.jobs.chunks(2) {
        let [plain, turned] = pair else { panic!("two jobs an instance") };
        let sorted = |text: &str| {
            let mut words: Vec<String> =
                text.split_whitespace().map(|word| word.trim_matches([',', '.']).to_owned()).collect();
            words.sort();
            words
        };
        // Nothing but the order differs, numbers of examples included.
        let text = |job: &Job| format!("{} {}", job.prompt, job.follow_up.clone().unwrap_or_default());
        assert_eq!(sorted(&text(plain)), sorted(&text(turned)));
        assert_eq!(
            plain.prompt == turned.prompt,
            plain.strategy.name == "egi",
            "the first turn of egi lists no options"
        );
        assert_ne!(text(plain), text(turned));
        let list = text(turned);
        let list = list.rsplit_once(if plain.strategy.name == "contextual-anchoring" { "one word: " } else { "are: " });
        let place = |label: &&str| list.unwrap().1.find(label).unwrap();
        let mut order: Vec<usize> = (0..4).collect();
        order.sort_by_key(|&label| place(&LABELS[label]));
        orders.insert(order);
    }
    assert!(orders.len() > 12, "{} orders of 23", orders.len());
    assert!(!orders.contains(&vec![0, 1, 2, 3]));
}

#[test]
fn renamed_options_keep_no_usual_name_anywhere() {
    for (name, others) in [("triage_jira", vec!["P1", "P2", "P3", "P4"]), ("prioritization_jira", vec!["X", "Y"])] {
        let mut spec = spec(name, &puma_eval::spec::STRATEGIES, 4);
        spec.perturbations = vec!["option_rename".into()];
        let plan = planned(&spec, &dataset(60)).unwrap();
        let labels = scenario::find(name).unwrap().labels();
        for pair in plan.jobs.chunks(2) {
            let [usual, renamed] = pair else { panic!("two jobs an instance") };
            let text = format!("{}\n{}", renamed.prompt, renamed.follow_up.clone().unwrap_or_default());
            let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            assert!(others.iter().all(|other| words.contains(other)), "{}", renamed.strategy.name);
            for label in labels.iter().filter(|label| **label != "A") {
                assert!(!words.contains(label), "{label} in {}: {text}", renamed.strategy.name);
            }
            assert_eq!(renamed.prompt.lines().count(), usual.prompt.lines().count());
            assert_eq!((&renamed.gold, labels.contains(&renamed.gold.as_str())), (&usual.gold, true));
        }
    }
}

#[test]
fn cards_come_in_another_order_and_get_no_other_names() {
    let mut spec = spec("estimation_tawos", &puma_eval::spec::STRATEGIES, 3);
    spec.perturbations = vec!["label_order".into()];
    let plan = planned(&spec, &dataset(60)).unwrap();
    for pair in plan.jobs.chunks(2) {
        assert!(pair[0].prompt != pair[1].prompt || pair[0].follow_up != pair[1].follow_up);
    }
    for (name, reason) in [("option_rename", "another name for 5"), ("pair_swap", "one issue at a time")] {
        spec.perturbations = vec![name.into()];
        let error = planned(&spec, &dataset(60)).unwrap_err();
        assert!(matches!(error, PlanError::PerturbationRefused { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_template_that_writes_its_options_out_cannot_be_asked_in_another_order_or_under_other_names() {
    let planned = |scenario: &str, strategy: &str, perturbation: &str, template: &str, text: &str| {
        let mut spec = spec(scenario, &[strategy], 3);
        spec.perturbations = vec![perturbation.into()];
        let overrides = [(format!("{scenario}/{template}"), text.to_owned())].into();
        planned_with(&spec, &dataset(60), &Templates::with_overrides(&overrides).unwrap())
    };
    let written_out = "{{ instance.title }}: Critical, Major, Minor or Trivial?";
    for perturbation in ["label_order", "option_rename"] {
        let error = planned("triage_jira", "zero-shot", perturbation, "zero_shot", written_out).unwrap_err();
        assert!(matches!(error, PlanError::PerturbationShowsNothing { .. }), "{error}");
        assert!(error.to_string().contains("triage_jira/zero_shot") && error.hint().contains("`labels`"), "{error}");
    }
    let half = "Critical is rare. {{ instance.title }}: {{ labels | join(', ') }}?";
    let error = planned("triage_jira", "zero-shot", "option_rename", "zero_shot", half).unwrap_err();
    assert!(matches!(error, PlanError::OptionsHardCoded { label: "Critical", .. }), "{error}");
    assert!(planned("triage_jira", "zero-shot", "label_order", "zero_shot", half).is_ok());
    // Issue texts may say what they like.
    let from_the_issue = "{{ instance.title }} Critical{{ labels[0] }}: {{ labels | join(' ') }}?";
    assert!(planned("triage_jira", "zero-shot", "option_rename", "zero_shot", from_the_issue).is_ok());
    let letters = "A: {{ instance.title_a }} B: {{ instance.title_b }} {{ labels | join(' or ') }}?";
    let error = planned("prioritization_jira", "zero-shot", "option_rename", "zero_shot", letters).unwrap_err();
    assert!(matches!(error, PlanError::OptionsHardCoded { label: "B", .. }), "{error}");
    // A server would hold the model to answers that are not offered.
    let mut held = spec("triage_jira", &["zero-shot"], 3);
    held.perturbations = vec!["option_rename".into()];
    held.inference.format = Some(serde_json::json!({"properties": {"priority": {"enum": ["Critical", "Major"]}}}));
    let error = crate::planned(&held, &dataset(60)).unwrap_err();
    assert!(matches!(error, PlanError::FormatNamesOptions { label: "Critical", shown: "P1", .. }), "{error}");
    held.inference.format = Some(serde_json::json!({"properties": {"priority": {"type": "string"}}}));
    assert!(crate::planned(&held, &dataset(60)).is_ok());
    // Upstream asks `egi` in one turn, which lists nothing.
    let mut spec = spec("triage_jira", &["egi"], 3);
    spec.perturbations = vec!["option_rename".into()];
    spec.compat = Some(Compat::Puma4);
    let error = crate::planned(&spec, &dataset(60)).unwrap_err();
    assert!(matches!(error, PlanError::PerturbationShowsNothing { strategy: "egi", .. }), "{error}");
}

#[test]
fn the_digest_and_not_the_name_identifies_weights() {
    let spec = spec("triage_jira", &["zero-shot"], 4);
    let dataset = dataset(8);
    let scenario = scenario::find("triage").unwrap();
    let instances = scenario.instances(&dataset, 4, 42).unwrap();
    let planned = |model: ModelIdentity| {
        plan(PlanInput {
            spec: &spec,
            spec_hash: &puma_core::SpecHash::new("0123456789abcdef"),
            scenario,
            dataset: &dataset,
            instances: &instances,
            templates: &Templates::built_in(),
            models: &[model],
            context_length: None,
        })
        .unwrap()
    };
    let digest = Some("sha256:1".to_owned());
    let by_tag = planned(ModelIdentity { name: "tag".into(), digest: digest.clone(), ..Default::default() });
    let by_path = planned(ModelIdentity { name: "/a/b.gguf".into(), digest, ..Default::default() });
    assert_eq!(ids(&by_tag), ids(&by_path));
}

#[test]
fn a_perturbation_changes_the_instance_and_not_the_examples() {
    let mut spec = spec("triage_jira", &["few-shot-3"], 4);
    spec.perturbations = vec!["case_upper".into()];
    let plan = planned(&spec, &dataset(40)).unwrap();
    let [original, perturbed] = &plan.jobs[..2] else { panic!("two jobs an instance") };
    assert_eq!(perturbed.perturbation.as_deref(), Some("case_upper"));
    let title = &plan.instances[0].fields["title"];
    let (before, after) = original.prompt.rsplit_once(title.as_str()).unwrap();
    let (upper_before, upper_after) = perturbed.prompt.rsplit_once(&title.to_uppercase()).unwrap();
    assert_eq!(before, upper_before, "the examples are the same");
    assert_ne!(after, upper_after);
    assert_eq!(plan.example_source, Some(ExampleSource::HeldOutRows));
}

#[test]
fn few_shot_prompts_hold_their_examples_and_never_the_judged_issue_twice() {
    for (scenario, cue) in [
        ("triage_jira", "Priority: "),
        ("estimation_tawos", "Story Points: "),
        ("prioritization_jira", "Higher priority: "),
    ] {
        for (strategy, shots) in [("one-shot", 1), ("few-shot-3", 3), ("few-shot-5", 5), ("few-shot-8", 8)] {
            for rows in [24, 200] {
                let plan = planned(&spec(scenario, &[strategy], 24), &dataset(rows)).unwrap();
                for job in &plan.jobs {
                    assert_eq!(job.prompt.matches(cue).count(), shots, "{scenario} {strategy}");
                    let fields = &plan.instances[job.instance].fields;
                    for title in fields.iter().filter(|(name, _)| name.starts_with("title")).map(|(_, title)| title) {
                        assert_eq!(job.prompt.matches(title.as_str()).count(), 1, "{scenario} {strategy}");
                    }
                }
            }
        }
    }
}

#[test]
fn held_out_few_shot_prompts_share_their_beginning() {
    let plan = planned(&spec("triage_jira", &["few-shot-8"], 20), &dataset(200)).unwrap();
    let first = &plan.jobs[0].prompt;
    let beginning = &first[..first.rfind("Title: ").unwrap()];
    assert!(beginning.len() > 500);
    assert!(plan.jobs.iter().all(|job| job.prompt.starts_with(beginning)));
}

#[test]
fn the_cot_flag_runs_reasoning_variants() {
    let names = |cot: &[bool], strategies: &[&str]| {
        let mut spec = spec("triage_jira", strategies, 4);
        spec.adaptation.cot = cot.to_vec();
        planned(&spec, &dataset(40))
            .map(|plan| plan.strategies.iter().map(|strategy| strategy.name).collect::<Vec<_>>())
    };
    assert_eq!(names(&[true], &["zero-shot", "few-shot-3"]).unwrap(), ["zero-shot-cot", "cot-few-shot"]);
    assert_eq!(names(&[false, true], &["few-shot-5"]).unwrap(), ["few-shot-5", "cot-few-shot-5"]);
    assert_eq!(names(&[false, true], &["zero-shot", "zero-shot-cot"]).unwrap(), ["zero-shot", "zero-shot-cot"]);
    assert_eq!(names(&[], &["one-shot"]).unwrap(), ["one-shot"]);
    assert!(matches!(names(&[true], &["rcoif"]), Err(PlanError::NoChainOfThought { .. })));
}

#[test]
fn reasoning_strategies_get_room_to_reason() {
    let plan = planned(&spec("triage_jira", &["zero-shot", "zero-shot-cot"], 1), &dataset(8)).unwrap();
    let room: Vec<u32> = plan.jobs.iter().map(|job| plan.requests(job)[0].max_tokens).collect();
    assert_eq!(room, [256, 1024]);
}

#[test]
fn compat_runs_strategies_as_upstream_does() {
    let mut spec = spec("triage_jira", &["few-shot-3", "self-consistency", "egi", "zero-shot-cot"], 2);
    spec.compat = Some(Compat::Puma4);
    spec.adaptation.cot = vec![true];
    let plan = planned(&spec, &dataset(40)).unwrap();
    assert_eq!(plan.parser, ParserMode::FirstMatch);
    assert_eq!(plan.example_source, None);
    for job in &plan.jobs {
        let requests = plan.requests(job);
        assert_eq!((requests.len(), requests[0].max_tokens, job.completions()), (1, 256, 1));
        assert_eq!(plan.follow_up_request(job, 0, "reply"), None);
        assert!(!job.prompt.contains("Example 1"));
    }
}

#[test]
fn what_is_wrong_is_found_before_anything_is_asked() {
    let good = spec("triage_jira", &["zero-shot"], 4);
    let mut unknown = good.clone();
    unknown.adaptation.strategy = vec!["few-shot-4".into()];
    let error = planned(&unknown, &dataset(8)).unwrap_err();
    assert_eq!(error.to_string(), "there is no strategy `few-shot-4`");
    assert!(error.hint().contains("few-shot-3"));

    let mut unknown = good.clone();
    unknown.perturbations = vec!["typos_6pct".into()];
    assert!(matches!(planned(&unknown, &dataset(8)), Err(PlanError::UnknownPerturbation(_))));
    unknown.perturbations = vec!["case_upper".into(), "case_upper".into()];
    assert!(matches!(planned(&unknown, &dataset(8)), Err(PlanError::PerturbationTwice { .. })));

    let mut few = good.clone();
    few.adaptation.strategy = vec!["few-shot-8".into()];
    let error = planned(&few, &dataset(8)).unwrap_err();
    assert!(matches!(error, PlanError::TooFewExamples { shots: 8, .. }), "{error}");

    let mut twice = good.clone();
    twice.models = vec!["m".into(), "m".into()];
    assert!(matches!(planned(&twice, &dataset(8)), Err(PlanError::SameModel { .. })));

    let mut seed = good.clone();
    seed.inference.seed = u64::MAX;
    assert!(matches!(planned(&seed, &dataset(8)), Err(PlanError::Scenario(_))));

    let mut rows = dataset(8);
    rows.rows[3].fields.insert("priority".into(), "Urgent".into());
    let error = planned(&good, &rows).unwrap_err();
    assert!(error.to_string().starts_with("line 5 of the dataset"), "{error}");
    rows.rows[3].fields.remove("priority");
    assert!(planned(&good, &rows).unwrap_err().to_string().contains("no `priority` in line 5"));

    let scenario = scenario::find("triage_jira").unwrap();
    let mut instances = scenario.instances(&dataset(8), 4, 42).unwrap();
    let go = |instances: &[puma_eval::Instance]| {
        plan(PlanInput {
            spec: &good,
            spec_hash: &puma_core::SpecHash::new("0"),
            scenario,
            dataset: &dataset(8),
            instances,
            templates: &Templates::built_in(),
            models: &[model("m1")],
            context_length: None,
        })
    };
    assert!(matches!(go(&[]), Err(PlanError::Nothing { .. })));
    instances[1].id = instances[0].id.clone();
    assert!(matches!(go(&instances), Err(PlanError::DuplicateInstance { .. })));
    instances[0].fields.remove("description");
    assert!(matches!(go(&instances), Err(PlanError::MissingField { field: "description", .. })));
}

#[test]
fn the_header_names_every_template_used() {
    let plan = planned(&spec("triage_jira", &["zero-shot", "egi"], 4), &dataset(8)).unwrap();
    let names: Vec<&str> = plan.templates.keys().map(String::as_str).collect();
    assert_eq!(names, ["triage_jira/egi", "triage_jira/egi_clarify", "triage_jira/zero_shot"]);
    let header = header(&plan);
    assert_eq!((header.jobs, header.strategies), (8, vec!["zero-shot".to_owned(), "egi".to_owned()]));
    assert_eq!(plan.instance_rows().len(), 4);
}

#[test]
fn the_embedded_samples_can_be_planned_with_every_strategy() {
    for scenario in scenario::SCENARIOS {
        let dataset = puma_eval::dataset::embedded(scenario.name()).expect("a sample for every scenario");
        let strategies = puma_eval::spec::STRATEGIES;
        for size in [10, 10_000] {
            let plan = planned(&spec(scenario.name(), &strategies, size), &dataset).unwrap();
            assert_eq!(plan.jobs.len(), plan.instances.len() * strategies.len());
            assert_eq!(ids(&plan).len(), plan.jobs.len());
        }
    }
}

#[test]
fn the_priorities_of_the_issues_in_pairs_are_kept_for_judging_orders() {
    let data = dataset(40);
    let pairs = planned(&spec("prioritization_jira", &["zero-shot"], 6), &data).unwrap();
    let shown: BTreeSet<&str> = pairs.instances.iter().flat_map(|pair| pair.id.as_str().split('|')).collect();
    let known: BTreeSet<&str> = pairs.dataset.priorities.keys().map(String::as_str).collect();
    assert_eq!(known, shown);
    for pair in &pairs.instances {
        let (a, b) = pair.id.as_str().split_once('|').expect("two issues");
        let a_is_higher = pairs.dataset.priorities[a] > pairs.dataset.priorities[b];
        assert_eq!(pair.gold, if a_is_higher { "A" } else { "B" }, "{}", pair.id);
    }
    assert!(planned(&spec("triage_jira", &["zero-shot"], 6), &data).unwrap().dataset.priorities.is_empty());
}
