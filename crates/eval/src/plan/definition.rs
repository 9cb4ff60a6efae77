//! A plan, its jobs, and the requests they make.

use crate::instance::Instance;
use crate::scenario::{ExampleSource, LabelNames, Scenario};
use crate::spec::{AnswerMode, ParserMode, RunSpec};
use crate::strategy::Strategy;
use puma_core::event::DatasetIdentity;
use puma_core::{
    BackendIdentity, Choices, InstanceRow, JobId, Message, ModelIdentity, Request, RunHeader, RunId, SpecHash,
    Timestamp,
};
use serde_json::json;
use std::collections::BTreeMap;

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
    /// Under which names the prompt shows the labels.
    pub names: LabelNames,
    /// The right answer to what the prompt shows.
    pub gold: String,
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
    /// Where a perturbation left prompts as they were.
    pub unchanged: Vec<Unchanged>,
    pub parser: ParserMode,
    pub dataset: DatasetIdentity,
    pub(super) context_length: Option<u32>,
}

/// Prompts that a perturbation left byte for byte as they were: their answers say nothing about robustness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    pub strategy: &'static str,
    pub perturbation: String,
    /// How many instances this holds for.
    pub instances: usize,
}

/// What tells models apart: the weights where they are known, else the name.
pub(crate) fn model_key(model: &ModelIdentity) -> &str {
    model.digest.as_deref().unwrap_or(&model.name)
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
        if inference.answer == AnswerMode::ScoreLabels {
            return self.scoring_request(job, vote, messages);
        }
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
            choices: None,
        }
    }

    /// The answers go in as the prompt calls them and in the scenario's order, not the prompt's, so that no order of
    /// options decides between equal ones.
    fn scoring_request(&self, job: &Job, vote: u64, messages: Vec<Message>) -> Request {
        let answers = self.scenario.answer_texts().iter();
        Request {
            model: self.models[job.model].name.clone(),
            messages,
            max_tokens: 0,
            temperature: 0.0,
            seed: job.seed.wrapping_add(vote),
            stop: Vec::new(),
            logprobs: false,
            top_logprobs: 0,
            context_length: self.context_length,
            format: None,
            choices: Some(Choices {
                answers: answers.map(|answer| self.scenario.name_of(answer, job.names).to_owned()).collect(),
                closed: self.scenario.scores_the_end(),
            }),
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
