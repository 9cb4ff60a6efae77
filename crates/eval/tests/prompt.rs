//! Prompts against Python's Jinja2 (`scripts/golden/prompts.py`), byte for byte.

use puma_eval::prompt::{BUILT_IN, PromptContext, PromptError, Templates, prompt_hash};
use puma_eval::scenario::SCENARIOS;
use puma_eval::strategy::STRATEGIES;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Golden {
    extra: BTreeMap<String, String>,
    /// Solved examples of each scenario; a case shows the first few.
    examples: BTreeMap<String, Vec<BTreeMap<String, String>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    instance: BTreeMap<String, String>,
    examples: usize,
    labels: Vec<String>,
    /// Each answer with its name in the prompt.
    answers: Vec<(String, String)>,
    prompt: String,
    hash: String,
}

static NO_FIELDS: BTreeMap<String, String> = BTreeMap::new();

const NOTHING: PromptContext<'static> =
    PromptContext { scenario: "triage_jira", labels: &[], answers: &[], instance: &NO_FIELDS, examples: &[] };

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/prompts.json")).expect("the golden file is JSON")
}

#[test]
fn every_template_renders_as_jinja2_renders_it() {
    let golden = golden();
    let templates = Templates::with_overrides(&golden.extra).unwrap();
    for case in &golden.cases {
        let (scenario, name) = case.template.split_once('/').expect("`scenario/name`");
        let labels: Vec<&str> = case.labels.iter().map(String::as_str).collect();
        let examples = golden.examples.get(scenario).unwrap_or(&golden.examples["triage_jira"]);
        let examples = &examples[..case.examples];
        let answers: Vec<(&str, &str)> =
            case.answers.iter().map(|(answer, name)| (answer.as_str(), name.as_str())).collect();
        let context =
            PromptContext { scenario, labels: &labels, answers: &answers, instance: &case.instance, examples };
        let prompt = templates.render(name, &context).unwrap();
        assert_eq!(prompt, case.prompt, "{}", case.template);
        assert_eq!(prompt_hash(&prompt), case.hash);
    }
    let covered: BTreeSet<&str> = golden.cases.iter().map(|case| case.template.as_str()).collect();
    for (name, _) in BUILT_IN {
        assert!(covered.contains(name), "{name} has no golden case; run scripts/golden/prompts.py");
    }
}

#[test]
fn every_strategy_has_its_templates_in_every_scenario() {
    let templates = Templates::built_in();
    for scenario in SCENARIOS {
        for strategy in STRATEGIES {
            for name in std::iter::once(strategy.template).chain(strategy.follow_up) {
                assert!(templates.text(scenario.name(), name).is_some(), "{}/{name}", scenario.name());
            }
        }
    }
}

#[test]
fn prompts_of_one_strategy_share_all_text_before_the_instance() {
    let templates = Templates::built_in();
    for scenario in SCENARIOS {
        for strategy in STRATEGIES {
            let render = |text: &str| {
                let instance = scenario.prompt_fields().iter().map(|field| ((*field).to_owned(), text.to_owned()));
                let answers: Vec<(&str, &str)> = scenario.answer_texts().iter().map(|text| (*text, *text)).collect();
                let context = PromptContext {
                    scenario: scenario.name(),
                    labels: scenario.labels(),
                    answers: &answers,
                    instance: &instance.collect(),
                    examples: &[],
                };
                templates.render(strategy.template, &context).unwrap()
            };
            let (one, two) = (render("\u{1}"), render("\u{2}"));
            let shared = one.bytes().zip(two.bytes()).take_while(|(left, right)| left == right).count();
            let after = one.len() - one.rfind('\u{1}').expect("the instance is shown");
            // What follows the instance is no more than the cue or question for the answer.
            assert!(
                shared > 100 && after < 70,
                "{}/{}: {shared} before, {after} after",
                scenario.name(),
                strategy.name
            );
        }
    }
}

#[test]
fn an_override_replaces_one_template_and_a_broken_one_is_named() {
    let overrides =
        BTreeMap::from([("triage_jira/zero_shot.jinja".to_owned(), "Just {{ instance.title }}!\n".to_owned())]);
    let templates = Templates::with_overrides(&overrides).unwrap();
    let instance = BTreeMap::from([("title".to_owned(), "this".to_owned())]);
    let context = PromptContext { instance: &instance, ..NOTHING };
    assert_eq!(templates.render("zero_shot", &context).unwrap(), "Just this!");
    assert_ne!(
        templates.sha256("triage_jira", "zero_shot").unwrap(),
        Templates::built_in().sha256("triage_jira", "zero_shot").unwrap()
    );
    let broken = BTreeMap::from([("triage_jira/rcoif".to_owned(), "{% for %}".to_owned())]);
    let error = Templates::with_overrides(&broken).unwrap_err();
    assert!(matches!(&error, PromptError::Syntax { name, .. } if name == "triage_jira/rcoif"), "{error}");
    assert!(matches!(templates.render("none", &context), Err(PromptError::Missing { .. })));
}

#[test]
fn an_attribute_of_something_undefined_is_an_error_as_in_jinja2() {
    let overrides = BTreeMap::from([("triage_jira/rcoif".to_owned(), "{{ instance.a.b }}".to_owned())]);
    let templates = Templates::with_overrides(&overrides).unwrap();
    assert!(matches!(templates.render("rcoif", &NOTHING), Err(PromptError::Render { .. })));
}
