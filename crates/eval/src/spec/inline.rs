//! A spec from command-line flags instead of a file.

use super::error::{Problem, SpecError};
use super::frozen::to_yaml;
use super::names::{SCENARIO_ALIASES, SCENARIOS, canonical_scenario, canonical_strategy};
use super::nearest::nearest;
use super::parse::parse;
use super::schema::{Adaptation, AnswerMode, Compat, Inference, ParserMode, RunSpec, Sustainability};

/// What flags can say. `None` and empty lists mean the default of a spec file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InlineSpec {
    /// `triage_jira`, `estimation_tawos`, `prioritization_jira`, or `triage`, `estimation`, `effort_tawos`, ….
    pub scenario: String,
    pub models: Vec<String>,
    /// As in a file, or with underscores (`few_shot_3`).
    pub strategies: Vec<String>,
    pub instances: Option<u32>,
    pub seed: Option<u64>,
    pub temperature: Option<f64>,
    pub max_tokens: Option<u32>,
    pub logprobs: bool,
    pub top_logprobs: Option<u8>,
    pub answer: AnswerMode,
    pub repeat: Option<u32>,
    /// Default: `inline_<scenario>`.
    pub id: Option<String>,
    pub perturbations: Vec<String>,
    /// Default: the scenario's headline metric.
    pub metrics: Vec<String>,
    pub parser: ParserMode,
    pub compat: Option<Compat>,
}

/// Advice for a value that is out of range.
const TO_GET_THE_DEFAULT: &str = "leave the flag away to get the default that the help states";

/// (key of a spec file, flag that sets it).
const FLAGS: [(&str, &str); 11] = [
    ("sample_size", "--instances"),
    ("models", "--model"),
    ("adaptation.strategy", "--strategy"),
    ("inference.temperature", "--temperature"),
    ("inference.seed", "--seed"),
    ("inference.max_tokens", "--max-tokens"),
    ("inference.top_logprobs", "--top-logprobs"),
    ("inference.answer", "--answer"),
    ("perturbations", "--perturbation"),
    ("metrics", "--metric"),
    ("repeat", "--repeat"),
];

impl InlineSpec {
    /// The spec these flags mean. It passes the same checks as a file; the id is the same for the same scenario, so
    /// equal flags give equal spec hashes.
    ///
    /// Errors: as [`parse`](super::parse()), without places, and with the flag's name where there is one.
    pub fn into_spec(self) -> Result<RunSpec, SpecError> {
        let mut problems = Vec::new();
        let scenario = match canonical_scenario(self.scenario.trim()) {
            Some(scenario) => scenario,
            None => {
                problems.push(unknown_scenario(&self.scenario));
                SCENARIOS[0]
            }
        };
        if let Some(temperature) = self.temperature.filter(|value| !value.is_finite()) {
            problems.push(Problem {
                place: None,
                key: "inference.temperature".to_owned(),
                message: format!("`--temperature` is {temperature}; it must be from 0 to 2"),
                hint: Some(TO_GET_THE_DEFAULT.to_owned()),
            });
        }
        let strategies =
            self.strategies.iter().map(|name| canonical_strategy(name).map_or_else(|| name.clone(), str::to_owned));
        let headline = match scenario {
            "estimation_tawos" => "mae",
            "prioritization_jira" => "accuracy",
            _ => "f1_macro",
        };
        let spec = RunSpec {
            id: self.id.unwrap_or_else(|| format!("inline_{scenario}")),
            description: String::new(),
            scenario: scenario.to_owned(),
            sample_size: self.instances.unwrap_or(100),
            models: self.models,
            adaptation: Adaptation { strategy: or_default(strategies.collect(), "zero-shot"), cot: vec![false] },
            inference: Inference {
                temperature: self.temperature.filter(|value| value.is_finite()).unwrap_or(0.0),
                seed: self.seed.unwrap_or(42),
                max_tokens: self.max_tokens.unwrap_or(256),
                logprobs: self.logprobs,
                top_logprobs: self.top_logprobs.unwrap_or(0),
                format: None,
                answer: self.answer,
            },
            perturbations: self.perturbations,
            metrics: or_default(self.metrics, headline),
            sustainability: Sustainability { codecarbon: false, country_iso: "ESP".to_owned(), country_named: false },
            repeat: self.repeat.unwrap_or(1),
            profile_required: None,
            parser: self.parser,
            compat: self.compat,
        };
        match parse(&to_yaml(&spec), "command line") {
            Ok(spec) if problems.is_empty() => return Ok(spec),
            Ok(_) => {}
            Err(error) => problems.extend(error.problems.into_iter().map(in_terms_of_flags)),
        }
        Err(SpecError { source_name: "command line".to_owned(), problems })
    }
}

impl RunSpec {
    /// This spec asked of `models` instead; the spec hash follows.
    ///
    /// Errors: a name is empty or given twice.
    pub fn with_models(self, models: Vec<String>) -> Result<Self, SpecError> {
        parse(&to_yaml(&Self { models, ..self }), "command line").map_err(|error| SpecError {
            problems: error.problems.into_iter().map(in_terms_of_flags).collect(),
            ..error
        })
    }
}

fn or_default(names: Vec<String>, default: &str) -> Vec<String> {
    if names.is_empty() { vec![default.to_owned()] } else { names }
}

fn unknown_scenario(name: &str) -> Problem {
    let names = SCENARIOS.into_iter().chain(SCENARIO_ALIASES.into_iter().map(|(alias, _)| alias));
    let close = nearest(name, names).and_then(canonical_scenario);
    let hint = match close {
        Some(close) => format!("did you mean `{close}`? known: {}", SCENARIOS.join(", ")),
        None => format!("known: {}", SCENARIOS.join(", ")),
    };
    Problem {
        place: None,
        key: "scenario".to_owned(),
        message: format!("there is no scenario `{name}`"),
        hint: Some(hint),
    }
}

/// A file's place and key mean nothing to somebody who typed flags.
fn in_terms_of_flags(mut problem: Problem) -> Problem {
    problem.place = None;
    let flag = FLAGS
        .into_iter()
        .find(|(key, _)| *key == problem.key || key.rsplit_once('.').is_some_and(|(_, last)| last == problem.key));
    if let Some((key, flag)) = flag {
        let short = key.rsplit('.').next().unwrap_or(key);
        for spelling in [key, short] {
            problem.message = problem.message.replace(&format!("`{spelling}`"), &format!("`{flag}`"));
        }
        if let Some(hint) = &mut problem.hint {
            // The defaults of flags are the program's, not those of a spec file.
            if hint.starts_with("the default is ") {
                TO_GET_THE_DEFAULT.clone_into(hint);
            }
            *hint = hint.replace("remove the line", "leave the flag away");
        }
        if problem.key == "models" && !problem.message.contains("listed twice") {
            problem.hint = Some(format!("name at least one, for example `{flag} smollm2:135m`"));
        }
    }
    if let Some(hint) = &mut problem.hint {
        for (key, flag) in FLAGS {
            *hint = hint.replace(&format!("`{key}`"), &format!("`{flag}`"));
        }
    }
    problem
}
