//! Jobs from a spec: a pure function. Everything that can be wrong is found here, before a model is asked anything.
//!
//! Start at [`plan`]; it gives a [`Plan`], which knows every [`Job`] and the parts of the run's header.

use crate::dataset::Dataset;
use crate::instance::Instance;
use crate::perturb::{self, UnknownPerturbation};
use crate::prompt::{PromptContext, PromptError, Templates, prompt_hash};
use crate::scenario::{ExampleSource, Examples, Scenario, ScenarioError};
use crate::spec::{Compat, ParserMode, RunSpec};
use crate::strategy::{self, STRATEGIES, Strategy};
use puma_core::canon::{python_json, sha256_hex};
use puma_core::event::DatasetIdentity;
use puma_core::{
    BackendIdentity, InstanceRow, JobId, Message, ModelIdentity, Request, RunHeader, RunId, SpecHash, Timestamp,
};
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

/// One model asked about one instance in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: JobId,
    /// Position in [`Plan::instances`].
    pub instance: usize,
    /// Position in [`Plan::models`].
    pub model: usize,
    pub strategy: Strategy,
    pub perturbation: Option<String>,
    pub repeat: u32,
    /// Seed of the first vote; vote `v` uses `seed + v`.
    pub seed: u64,
    /// The first user message.
    pub prompt: String,
    pub prompt_hash: String,
    /// The second user message, for conversations.
    pub follow_up: Option<String>,
}

/// Everything a run is going to do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub spec: RunSpec,
    pub spec_hash: SpecHash,
    pub scenario: &'static dyn Scenario,
    pub models: Vec<ModelIdentity>,
    pub strategies: Vec<Strategy>,
    pub instances: Vec<Instance>,
    /// Model by model, strategy by strategy, instance by instance, unperturbed first.
    pub jobs: Vec<Job>,
    /// SHA-256 of each template used, by `scenario/name`.
    pub templates: BTreeMap<String, String>,
    /// Where few-shot examples come from, if there are any.
    pub example_source: Option<ExampleSource>,
    pub parser: ParserMode,
    pub dataset: DatasetIdentity,
    context_length: Option<u32>,
}

/// Why nothing can be asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    #[error("there is no strategy `{name}`")]
    UnknownStrategy { name: String },
    #[error("the strategy `{name}` has no chain-of-thought variant, which `adaptation.cot: true` asks for")]
    NoChainOfThought { name: String },
    #[error("there is no perturbation `{}`", .0.name)]
    UnknownPerturbation(UnknownPerturbation),
    #[error("the instance `{instance}` has no `{field}`, which the prompts of `{scenario}` show")]
    MissingField { instance: String, field: &'static str, scenario: &'static str },
    #[error("the models `{first}` and `{second}` are the same weights, so their answers could not be told apart")]
    SameModel { first: String, second: String },
    #[error("the perturbation `{name}` is listed twice")]
    PerturbationTwice { name: String },
    #[error("two instances have the id `{id}`")]
    DuplicateInstance { id: String },
    #[error(
        "the strategy `{strategy}` shows {shots} solved examples, but for `{instance}` the dataset `{dataset}` has not \
         that many besides the instance itself"
    )]
    TooFewExamples { strategy: &'static str, shots: u32, instance: String, dataset: String },
    #[error("the run has nothing to do: {what}")]
    Nothing { what: &'static str },
    #[error("the spec names {in_spec} models, but {identified} were identified")]
    Models { in_spec: usize, identified: usize },
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

impl PlanError {
    /// What the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownStrategy { .. } => {
                format!("strategies are {}", STRATEGIES.map(|strategy| strategy.name).join(", "))
            }
            Self::NoChainOfThought { name } => {
                format!("remove `true` from `adaptation.cot`, or remove the strategy `{name}`")
            }
            Self::UnknownPerturbation(unknown) => match unknown.nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("perturbations are {}", perturb::PERTURBATIONS.join(", ")),
            },
            Self::MissingField { field, .. } => format!("name the column with `--columns {field}=COLUMN`"),
            Self::SameModel { second, .. } => format!("remove `{second}` from `models`"),
            Self::PerturbationTwice { .. } => "remove one of them".to_owned(),
            Self::DuplicateInstance { .. } => "give every row its own key".to_owned(),
            Self::TooFewExamples { .. } => "use a larger dataset, a smaller k, or zero-shot".to_owned(),
            Self::Nothing { .. } => "a run needs a model, a strategy and an instance".to_owned(),
            Self::Models { .. } => "prepare every model before planning".to_owned(),
            Self::Prompt(error) => error.hint(),
            Self::Scenario(error) => error.hint(),
        }
    }
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

/// The dataset with what baselines may learn from it.
fn dataset_identity(input: &PlanInput<'_>) -> Result<DatasetIdentity, PlanError> {
    let mut identity = input.dataset.identity.clone();
    for answer in input.scenario.train_gold(input.dataset)? {
        *identity.train_answers.entry(answer).or_default() += 1;
    }
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
        perturb::apply_to_fields(name, 0, &mut BTreeMap::new()).map_err(PlanError::UnknownPerturbation)?;
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

/// One prompt of one strategy.
struct Rendered {
    instance: usize,
    perturbation: Option<String>,
    prompt: String,
    follow_up: Option<String>,
}

fn render_all(input: &PlanInput<'_>, strategy: Strategy, plan: &mut Plan) -> Result<Vec<Rendered>, PlanError> {
    let examples = if strategy.shots > 0 {
        let seed = input.spec.inference.seed;
        let examples = input.scenario.examples(input.dataset, input.instances, strategy.shots, seed)?;
        // The least independent source is the one a reader must know about.
        plan.example_source = plan.example_source.max(Some(examples.source()));
        Some(examples)
    } else {
        None
    };
    let mut rendered = Vec::with_capacity(input.instances.len() * (1 + input.spec.perturbations.len()));
    for (position, instance) in input.instances.iter().enumerate() {
        let shown = match &examples {
            Some(examples) => shown_examples(input, strategy, examples, instance)?,
            None => Vec::new(),
        };
        let perturbations = input.spec.perturbations.iter().map(Some);
        for perturbation in std::iter::once(None).chain(perturbations) {
            let mut fields = instance.fields.clone();
            if let Some(name) = perturbation {
                perturb::apply_to_fields(name, input.spec.inference.seed, &mut fields)
                    .map_err(PlanError::UnknownPerturbation)?;
            }
            let context = PromptContext {
                scenario: input.scenario.name(),
                labels: input.scenario.labels(),
                instance: &fields,
                examples: &shown,
            };
            let prompt = input.templates.render(strategy.template, &context)?;
            let follow_up = strategy.follow_up.map(|name| input.templates.render(name, &context)).transpose()?;
            rendered.push(Rendered { instance: position, perturbation: perturbation.cloned(), prompt, follow_up });
        }
    }
    Ok(rendered)
}

fn shown_examples(
    input: &PlanInput<'_>,
    strategy: Strategy,
    examples: &Examples,
    instance: &Instance,
) -> Result<Vec<BTreeMap<String, String>>, PlanError> {
    let shown = examples.for_instance(instance).ok_or_else(|| PlanError::TooFewExamples {
        strategy: strategy.name,
        shots: strategy.shots,
        instance: instance.id.to_string(),
        dataset: input.dataset.identity.name.clone(),
    })?;
    Ok(shown.into_iter().map(|example| example.fields.clone()).collect())
}

/// What tells models apart: the weights where they are known, else the name.
pub(crate) fn model_key(model: &ModelIdentity) -> &str {
    model.digest.as_deref().unwrap_or(&model.name)
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
        repeat,
        // Votes of different repetitions must not share seeds, or the repetitions would not be independent.
        seed: input.spec.inference.seed.wrapping_add(u64::from(repeat) * u64::from(strategy.votes)),
        prompt: prompt.prompt.clone(),
        prompt_hash,
        follow_up: prompt.follow_up.clone(),
    }
}

impl Job {
    /// How many completions make the job.
    pub fn completions(&self) -> usize {
        (self.strategy.votes * self.strategy.turns) as usize
    }
}

/// Facts about a run that the plan cannot know.
#[derive(Clone, Debug)]
pub struct RunFacts {
    pub run_id: RunId,
    /// The full spec with defaults filled in, as it is to be stored.
    pub spec: serde_json::Value,
    pub backend: BackendIdentity,
    pub profile: Option<String>,
    pub machine: serde_json::Value,
    pub puma_version: String,
    pub started_at: Timestamp,
}

impl Plan {
    /// The first request of each vote of `job`.
    pub fn requests(&self, job: &Job) -> Vec<Request> {
        (0..u64::from(job.strategy.votes))
            .map(|vote| self.request(job, vote, vec![Message::user(&job.prompt)]))
            .collect()
    }

    /// The request that answers the model's `reply` to the first turn; `None` for single-turn strategies.
    pub fn follow_up_request(&self, job: &Job, vote: u64, reply: &str) -> Option<Request> {
        let follow_up = job.follow_up.as_ref()?;
        let conversation =
            vec![Message::user(&job.prompt), Message::assistant(reply), Message::user(follow_up.as_str())];
        Some(self.request(job, vote, conversation))
    }

    fn request(&self, job: &Job, vote: u64, messages: Vec<Message>) -> Request {
        let inference = &self.spec.inference;
        Request {
            model: self.models[job.model].name.clone(),
            messages,
            max_tokens: job.strategy.max_tokens(inference.max_tokens),
            temperature: inference.temperature,
            seed: job.seed.wrapping_add(vote),
            stop: Vec::new(),
            logprobs: inference.logprobs,
            top_logprobs: if inference.logprobs { inference.top_logprobs } else { 0 },
            context_length: self.context_length,
            format: inference.format.clone(),
        }
    }

    /// The header of a run of this plan.
    pub fn header(&self, facts: RunFacts) -> RunHeader {
        RunHeader {
            run_id: facts.run_id,
            spec_hash: self.spec_hash.clone(),
            spec: facts.spec,
            scenario: self.scenario.name().to_owned(),
            models: self.models.clone(),
            strategies: self.strategies.iter().map(|strategy| strategy.name.to_owned()).collect(),
            backend: facts.backend,
            dataset: self.dataset.clone(),
            templates: self.templates.clone(),
            profile: facts.profile,
            machine: facts.machine,
            puma_version: facts.puma_version,
            started_at: facts.started_at,
            jobs: self.jobs.len(),
        }
    }

    /// The instances as they are stored.
    pub fn instance_rows(&self) -> Vec<InstanceRow> {
        self.instances
            .iter()
            .map(|instance| InstanceRow {
                instance_id: instance.id.clone(),
                scenario: self.scenario.name().to_owned(),
                source_id: self.dataset.name.clone(),
                fields: json!(instance.fields),
                gold: instance.gold.clone(),
                group: instance.group.clone(),
            })
            .collect()
    }
}
