//! From YAML text to a [`RunSpec`], or to a list of everything that is wrong with it.
//!
//! The keys, defaults and limits are upstream PUMA's (Pydantic model `RunSpec`, v4.0); unlike upstream, a key that
//! nobody knows is an error, because `temperatura: 0.7` would otherwise run at 0.0 without a word.

use super::error::{Place, Problem, SpecError};
use super::names::{SCENARIOS, STRATEGIES};
use super::nearest::nearest;
use super::schema::{Adaptation, AnswerMode, Compat, Inference, ParserMode, RunSpec, Sustainability};
use super::scoring::check_scoring;
use super::section::{Section, Text};
use super::tree::{self, Value};
use crate::metric::{self, resolve};
use crate::perturb::{self, PERTURBATIONS};
use crate::scenario;

pub(super) const TOP_KEYS: &[&str] = &[
    "id",
    "description",
    "scenario",
    "sample_size",
    "models",
    "adaptation",
    "inference",
    "perturbations",
    "metrics",
    "sustainability",
    "repeat",
    "profile_required",
    "parser",
    "compat",
];
pub(super) const ADAPTATION_KEYS: &[&str] = &["strategy", "cot"];
pub(super) const INFERENCE_KEYS: &[&str] =
    &["temperature", "seed", "max_tokens", "logprobs", "top_logprobs", "format", "answer"];
pub(super) const SUSTAINABILITY_KEYS: &[&str] = &["codecarbon", "country_iso"];

/// Reads a run spec. `file_name` only names the file in messages.
///
/// Errors: every unknown or repeated key, wrong type, value out of range and unknown name of the file at once, each
/// with line, column and a hint.
pub fn parse(yaml: &str, file_name: &str) -> Result<RunSpec, SpecError> {
    let mut problems = Vec::new();
    let spec = match tree::read(yaml.trim_start_matches('\u{feff}'), &mut problems) {
        Err(problem) => {
            problems.push(problem);
            None
        }
        Ok(root) => read_document(root, &mut problems),
    };
    match spec {
        Some(spec) if problems.is_empty() => Ok(spec),
        _ => {
            problems.sort_by_key(|problem| problem.place);
            Err(SpecError { source_name: file_name.to_owned(), problems })
        }
    }
}

fn read_document(root: Option<tree::Node>, problems: &mut Vec<Problem>) -> Option<RunSpec> {
    let start = Place { line: 1, column: 1 };
    let Some(root) = root.filter(|root| root.value != Value::Null) else {
        problems.push(
            Problem::new(start, "", "the file is empty")
                .hint("a run spec needs at least `id`, `scenario` and `models`"),
        );
        return None;
    };
    let Value::Map(entries) = root.value else {
        problems.push(
            Problem::new(root.place, "", "a run spec is a list of `key: value` lines, and this is none")
                .hint("a run spec needs at least `id`, `scenario` and `models`"),
        );
        return None;
    };
    let mut top = Section::new("", start, entries, TOP_KEYS, problems);
    let mut inner_problems = Vec::new();
    let (adaptation, strategies) = adaptation(top.section("adaptation", ADAPTATION_KEYS), &mut inner_problems);
    let (inference, answer_place) = inference(top.section("inference", INFERENCE_KEYS), &mut inner_problems);
    let sustainability = sustainability(top.section("sustainability", SUSTAINABILITY_KEYS), &mut inner_problems);
    let id = spec_id(&mut top);
    let scenario = scenario(&mut top);
    let spec = RunSpec {
        id,
        description: top.text("description").map_or_else(String::new, |text| text.value),
        sample_size: narrow(top.integer("sample_size", 100, 1..=10_000)),
        models: models(&mut top),
        perturbations: perturbations(&mut top, &scenario),
        scenario,
        metrics: metrics(&mut top),
        repeat: narrow(top.integer("repeat", 1, 1..=100)),
        profile_required: top.optional_text("profile_required").map(|text| text.value),
        parser: parser_mode(&mut top),
        compat: compat(&mut top),
        adaptation,
        inference,
        sustainability,
    };
    top.finish();
    problems.append(&mut inner_problems);
    check_votes(&strategies, spec.inference.temperature, problems);
    check_scoring(&spec, answer_place, problems);
    Some(spec)
}

fn adaptation(mut section: Section<'_>, problems: &mut Vec<Problem>) -> (Adaptation, Vec<Text>) {
    let strategies = strategies(&mut section);
    let strategy = strategies.iter().map(|name| name.value.clone()).collect();
    let adaptation = Adaptation { strategy, cot: section.booleans("cot", &[false]) };
    section.finish();
    problems.extend(section.into_problems());
    (adaptation, strategies)
}

/// The section, and where it says how answers come about.
fn inference(mut section: Section<'_>, problems: &mut Vec<Problem>) -> (Inference, Place) {
    let answer_place = section.place_of("answer");
    let inference = Inference {
        temperature: section.float("temperature", 0.0, 0.0..=2.0),
        // NumPy's seeding, which draws the sample, takes 32 bits.
        seed: u64::from(narrow(section.integer("seed", 42, 0..=i128::from(u32::MAX)))),
        max_tokens: narrow(section.integer("max_tokens", 256, 1..=i128::from(u32::MAX))),
        logprobs: section.boolean("logprobs", false),
        top_logprobs: u8::try_from(section.integer("top_logprobs", 0, 0..=20)).unwrap_or_default(),
        format: section.json("format"),
        answer: answer_mode(&mut section),
    };
    section.finish();
    problems.extend(section.into_problems());
    (inference, answer_place)
}

fn answer_mode(section: &mut Section<'_>) -> AnswerMode {
    const MODES: [AnswerMode; 2] = [AnswerMode::Generate, AnswerMode::ScoreLabels];
    let Some(name) = section.text("answer") else { return AnswerMode::default() };
    MODES.into_iter().find(|mode| mode.as_str() == name.value).unwrap_or_else(|| {
        let known = MODES.map(AnswerMode::as_str);
        section.problem(unknown_name(&name, "inference.answer", "way of answering", &known));
        AnswerMode::default()
    })
}

fn sustainability(mut section: Section<'_>, problems: &mut Vec<Problem>) -> Sustainability {
    let codecarbon = section.boolean("codecarbon", false);
    let country = section.text("country_iso").map(|text| text.value);
    let country_named = country.is_some();
    let country_iso = country.unwrap_or_else(|| "ESP".to_owned());
    let sustainability = Sustainability { codecarbon, country_iso, country_named };
    section.finish();
    problems.extend(section.into_problems());
    sustainability
}

/// The range checks keep these numbers far inside 32 bits.
fn narrow(value: i128) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn spec_id(top: &mut Section<'_>) -> String {
    let Some(id) = top.required_text("id", "name the experiment, for example `id: my_first_run`") else {
        return String::new();
    };
    if let Some(bad) = id.value.chars().find(|c| matches!(c, '/' | '\\') || c.is_control()) {
        top.problem(
            Problem::new(
                id.place,
                "id",
                format!("`id` becomes part of run ids and folder names and must not hold {bad:?}"),
            )
            .hint("use letters, digits, `_`, `-` and `.`"),
        );
    }
    id.value
}

fn scenario(top: &mut Section<'_>) -> String {
    let hint = format!("one of {}", SCENARIOS.join(", "));
    let Some(name) = top.required_text("scenario", &hint) else { return String::new() };
    if !SCENARIOS.contains(&name.value.as_str()) && name.value != "effort_tawos" {
        top.problem(unknown_name(&name, "scenario", "scenario", &SCENARIOS));
    }
    name.value
}

fn models(top: &mut Section<'_>) -> Vec<String> {
    let hint = "list at least one model, for example `models: [smollm2:135m]`";
    let Some(names) = top.texts("models") else {
        if !top.has("models") {
            top.missing("models", hint);
        }
        return Vec::new();
    };
    if names.is_empty() {
        let place = top.place_of("models");
        top.problem(Problem::new(place, "models", "`models` is empty").hint(hint));
    }
    for name in names.iter().filter(|name| name.value.trim().is_empty()) {
        top.problem(Problem::new(name.place, "models", "this model has no name").hint(hint));
    }
    reject_repeats(top, "models", &names);
    names.into_iter().map(|name| name.value).collect()
}

fn strategies(adaptation: &mut Section<'_>) -> Vec<Text> {
    let default = Text { value: "zero-shot".to_owned(), place: Place::default() };
    let Some(names) = adaptation.texts("strategy") else { return vec![default] };
    if names.is_empty() {
        let place = adaptation.place_of("strategy");
        adaptation.problem(
            Problem::new(place, "adaptation.strategy", "`strategy` is empty, so there would be nothing to run")
                .hint("name at least one, for example `strategy: [zero-shot]`"),
        );
    }
    for name in names.iter().filter(|name| !STRATEGIES.contains(&name.value.as_str())) {
        adaptation.problem(unknown_name(name, "adaptation.strategy", "strategy", &STRATEGIES));
    }
    reject_repeats(adaptation, "strategy", &names);
    names
}

/// Upstream's cross-field rule: votes that are all equal are no vote.
fn check_votes(strategies: &[Text], temperature: f64, problems: &mut Vec<Problem>) {
    if temperature != 0.0 {
        return;
    }
    if let Some(name) = strategies.iter().find(|name| name.value == "self-consistency") {
        problems.push(
            Problem::new(
                name.place,
                "adaptation.strategy",
                "`self-consistency` votes over several samples, and at temperature 0 they are all the same",
            )
            .hint("set `inference.temperature` above 0 (0.7 is usual), or drop `self-consistency`"),
        );
    }
}

/// Names that exist, once each, and that the scenario can take.
fn perturbations(top: &mut Section<'_>, scenario: &str) -> Vec<String> {
    const KEY: &str = "perturbations";
    let Some(names) = top.texts(KEY) else { return Vec::new() };
    for name in &names {
        let Ok(perturbation) = perturb::find(&name.value) else {
            top.problem(unknown_name(name, KEY, "perturbation", &PERTURBATIONS));
            continue;
        };
        if let Some(reason) = scenario::find(scenario).and_then(|scenario| perturbation.refusal(scenario)) {
            let message = format!("`{}` cannot be applied to `{scenario}`: {reason}", name.value);
            top.problem(Problem::new(name.place, KEY, message).hint("remove it from the list"));
        }
    }
    reject_repeats(top, KEY, &names);
    names.into_iter().map(|name| name.value).collect()
}

fn metrics(top: &mut Section<'_>) -> Vec<String> {
    let Some(names) = top.texts("metrics") else { return vec!["f1_macro".to_owned()] };
    for name in &names {
        if let Err(unknown) = resolve(&name.value) {
            let hint = unknown.nearest.map_or_else(
                || format!("known: {}", metric::metrics().map(|metric| metric.name).collect::<Vec<_>>().join(", ")),
                |close| format!("did you mean `{close}`?"),
            );
            top.problem(Problem::new(name.place, "metrics", format!("there is no metric `{}`", name.value)).hint(hint));
        }
    }
    names.into_iter().map(|name| name.value).collect()
}

fn parser_mode(top: &mut Section<'_>) -> ParserMode {
    const MODES: [&str; 2] = ["final-answer", "first-match"];
    match top.text("parser") {
        None => ParserMode::default(),
        Some(mode) if mode.value == MODES[0] => ParserMode::FinalAnswer,
        Some(mode) if mode.value == MODES[1] => ParserMode::FirstMatch,
        Some(mode) => {
            top.problem(unknown_name(&mode, "parser", "parser", &MODES));
            ParserMode::default()
        }
    }
}

fn compat(top: &mut Section<'_>) -> Option<Compat> {
    let name = top.optional_text("compat")?;
    if name.value != "puma-4" {
        top.problem(unknown_name(&name, "compat", "version to imitate", &["puma-4"]));
    }
    Some(Compat::Puma4)
}

fn reject_repeats(section: &mut Section<'_>, key: &str, names: &[Text]) {
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|earlier| earlier.value == name.value) {
            section.problem(
                Problem::new(name.place, key, format!("`{}` is listed twice in `{key}`", name.value))
                    .hint("list it once; `repeat` is for repetitions"),
            );
        }
    }
}

fn unknown_name(name: &Text, key: &str, what: &str, known: &[&str]) -> Problem {
    let hint = match nearest(&name.value, known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`? known: {}", known.join(", ")),
        None => format!("known: {}", known.join(", ")),
    };
    Problem::new(name.place, key, format!("there is no {what} `{}`", name.value)).hint(hint)
}
