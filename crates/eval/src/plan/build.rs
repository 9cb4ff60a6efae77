//! Planning itself: checks first, then every prompt, then every job.

use super::definition::{Job, Plan, model_key};
use super::error::PlanError;
use super::options::check_format;
use super::render::{Rendered, render_all};
use crate::baseline::learned_answers;
use crate::dataset::Dataset;
use crate::instance::Instance;
use crate::perturb;
use crate::prompt::{Templates, prompt_hash};
use crate::scenario::Scenario;
use crate::spec::{Compat, ParserMode, RunSpec};
use crate::strategy::{self, Strategy};
use puma_core::canon::{python_json, sha256_hex};
use puma_core::event::DatasetIdentity;
use puma_core::{JobId, ModelIdentity, SpecHash};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    pub spec: &'a RunSpec,
    pub spec_hash: &'a SpecHash,
    pub scenario: &'static dyn Scenario,
    pub dataset: &'a Dataset,
    /// What to judge, usually from [`Scenario::instances`].
    pub instances: &'a [Instance],
    pub templates: &'a Templates,
    /// One for each of the spec's models, in its order.
    pub models: &'a [ModelIdentity],
    /// Context window to ask for, in tokens; `None` leaves it to the backend.
    pub context_length: Option<u32>,
}

/// Plans every job of a run.
///
/// # Errors
/// [`PlanError`]: an unknown name, a field or an example that is missing, a template that cannot be rendered.
pub fn plan(input: PlanInput<'_>) -> Result<Plan, PlanError> {
    let strategies = strategies_of(input.spec)?;
    check(&input, &strategies)?;
    let mut plan = Plan {
        spec: input.spec.clone(),
        spec_hash: input.spec_hash.clone(),
        scenario: input.scenario,
        models: input.models.to_vec(),
        strategies: strategies.clone(),
        instances: input.instances.to_vec(),
        jobs: Vec::new(),
        templates: BTreeMap::new(),
        example_source: None,
        unchanged: Vec::new(),
        parser: parser_mode(input.spec),
        dataset: dataset_identity(&input)?,
        context_length: input.context_length,
    };
    for strategy in &strategies {
        for name in std::iter::once(strategy.template).chain(strategy.follow_up) {
            let sha256 = input.templates.sha256(input.scenario.name(), name)?;
            plan.templates.insert(format!("{}/{name}", input.scenario.name()), sha256);
        }
    }
    // Prompts do not depend on the model, so each strategy is rendered once.
    let rendered: Vec<Vec<Rendered>> =
        strategies.iter().map(|strategy| render_all(&input, *strategy, &mut plan)).collect::<Result<_, _>>()?;
    plan.dataset.examples = plan.example_source.map(|source| source.as_str().to_owned());
    for model in 0..input.models.len() {
        for (strategy, prompts) in strategies.iter().zip(&rendered) {
            for prompt in prompts {
                for repeat in 0..input.spec.repeat {
                    plan.jobs.push(job(&input, model, *strategy, prompt, repeat));
                }
            }
        }
    }
    Ok(plan)
}

/// The dataset with what baselines may learn from it, and what orders of issues are judged by.
fn dataset_identity(input: &PlanInput<'_>) -> Result<DatasetIdentity, PlanError> {
    let mut identity = input.dataset.identity.clone();
    for answer in input.scenario.train_gold(input.dataset)? {
        *identity.train_answers.entry(answer).or_default() += 1;
    }
    identity.priorities = input.scenario.priorities(input.dataset, input.instances)?;
    identity.baseline_answers = learned_answers(input.scenario, input.dataset, input.instances);
    Ok(identity)
}

/// The strategies a spec runs: for every entry of `adaptation.cot` the list as it is or in its reasoning variants,
/// without repetitions. `compat: puma-4` runs them as upstream does.
///
/// # Errors
/// An unknown strategy, or one without a reasoning variant where one is asked for.
pub fn strategies_of(spec: &RunSpec) -> Result<Vec<Strategy>, PlanError> {
    let mut strategies: Vec<Strategy> = Vec::new();
    // Upstream ignores `cot`, and an empty list says nothing about reasoning.
    let flags: &[bool] =
        if spec.compat.is_some() || spec.adaptation.cot.is_empty() { &[false] } else { &spec.adaptation.cot };
    for &reasoning in flags {
        for name in &spec.adaptation.strategy {
            let found = strategy::find(name).ok_or_else(|| PlanError::UnknownStrategy { name: name.clone() })?;
            let strategy = match (reasoning, spec.compat) {
                (true, _) => {
                    found.chain_of_thought().ok_or_else(|| PlanError::NoChainOfThought { name: name.clone() })?
                }
                (false, Some(Compat::Puma4)) => found.as_upstream_runs_it(),
                (false, None) => found,
            };
            if !strategies.iter().any(|other| other.name == strategy.name) {
                strategies.push(strategy);
            }
        }
    }
    Ok(strategies)
}

/// How answers are read: `compat: puma-4` reads them as upstream does.
pub fn parser_mode(spec: &RunSpec) -> ParserMode {
    match spec.compat {
        Some(Compat::Puma4) => ParserMode::FirstMatch,
        None => spec.parser,
    }
}

fn check(input: &PlanInput<'_>, strategies: &[Strategy]) -> Result<(), PlanError> {
    for (empty, what) in [
        (input.models.is_empty(), "the spec names no model"),
        (strategies.is_empty(), "the spec names no strategy"),
        (input.instances.is_empty(), "no instance was sampled"),
        (input.spec.repeat == 0, "`repeat` is 0"),
    ] {
        if empty {
            return Err(PlanError::Nothing { what });
        }
    }
    if input.models.len() != input.spec.models.len() {
        return Err(PlanError::Models { in_spec: input.spec.models.len(), identified: input.models.len() });
    }
    for (position, second) in input.models.iter().enumerate() {
        if let Some(first) = input.models[..position].iter().find(|first| model_key(first) == model_key(second)) {
            return Err(PlanError::SameModel { first: first.name.clone(), second: second.name.clone() });
        }
    }
    for (position, name) in input.spec.perturbations.iter().enumerate() {
        if input.spec.perturbations[..position].contains(name) {
            return Err(PlanError::PerturbationTwice { name: name.clone() });
        }
        let perturbation = perturb::find(name).map_err(PlanError::UnknownPerturbation)?;
        if let Some(reason) = perturbation.refusal(input.scenario) {
            let scenario = input.scenario.name();
            return Err(PlanError::PerturbationRefused { name: perturbation.name, scenario, reason });
        }
        check_format(input, perturbation)?;
    }
    let mut ids = BTreeSet::new();
    for instance in input.instances {
        if !ids.insert(&instance.id) {
            return Err(PlanError::DuplicateInstance { id: instance.id.to_string() });
        }
        for &field in input.scenario.prompt_fields() {
            if !instance.fields.contains_key(field) {
                return Err(PlanError::MissingField {
                    instance: instance.id.to_string(),
                    field,
                    scenario: input.scenario.name(),
                });
            }
        }
    }
    Ok(())
}

fn job(input: &PlanInput<'_>, model: usize, strategy: Strategy, prompt: &Rendered, repeat: u32) -> Job {
    let prompt_hash = prompt_hash(&prompt.prompt);
    let instance = &input.instances[prompt.instance].id;
    let id = json!({
        "spec_hash": input.spec_hash,
        "model": model_key(&input.models[model]),
        "instance": instance,
        "strategy": strategy.name,
        "perturbation": prompt.perturbation,
        "repeat": repeat,
        "prompt_hash": prompt_hash,
    });
    Job {
        id: JobId::new(sha256_hex(python_json(&id).as_bytes())),
        instance: prompt.instance,
        model,
        strategy,
        perturbation: prompt.perturbation.clone(),
        names: prompt.names,
        gold: prompt.gold.clone(),
        repeat,
        // Votes of different repetitions must not share seeds, or the repetitions would not be independent.
        seed: input.spec.inference.seed.wrapping_add(u64::from(repeat) * u64::from(strategy.votes)),
        prompt: prompt.prompt.clone(),
        prompt_hash,
        follow_up: prompt.follow_up.clone(),
    }
}
