//! The tests: what is asked of the engine, and what counts as done.

use super::subject::{Subject, engine_failure};
use crate::command::run::InlineArgs;
use crate::context::Context;
use crate::execute::{Data, find_scenario, read_dataset};
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::home;
use puma_core::ModelIdentity;
use puma_engine::{Engine, EngineError, GenerateRequest, Generation, Observer};
use puma_eval::plan::{PlanInput, plan};
use puma_eval::spec::spec_hash;
use puma_eval::stats::SplitMix64;
use serde::Serialize;
use std::time::Instant;

/// Tokens an answer of the triage test has at most: a label and what models say around it.
const TRIAGE_TOKENS: u32 = 24;
/// Seed of the random prompts.
const SEED: u64 = 42;

/// One kind of work, in the words of llama-bench where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// Everything from opening the file to an engine that can be asked.
    Load,
    /// The same, and a short question up to the first token of its answer.
    FirstToken,
    /// A prompt of so many random tokens, computed at once.
    Prompt(usize),
    /// So many tokens, one after the other, from an empty context.
    Generate(usize),
    /// The prompts of a triage run, all of them handed over at once.
    Triage,
}

impl Test {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Load => "load".to_owned(),
            Self::FirstToken => "first token".to_owned(),
            Self::Prompt(tokens) => format!("pp{tokens}"),
            Self::Generate(tokens) => format!("tg{tokens}"),
            Self::Triage => "triage".to_owned(),
        }
    }

    /// Whether it is told in milliseconds; the others in tokens a second.
    pub(crate) fn is_a_time(self) -> bool {
        matches!(self, Self::Load | Self::FirstToken)
    }
}

/// What a repetition took, and what was computed in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Done {
    pub seconds: f64,
    /// Tokens computed; 0 for the tests that are told as times.
    pub tokens: usize,
    pub triage: Option<TriageCounts>,
}

/// What a triage test consisted of; the same in every repetition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TriageCounts {
    pub issues: usize,
    pub prompt_tokens: usize,
    /// Prompt tokens that no earlier prompt of the same repetition had computed already.
    pub unique_prompt_tokens: usize,
    /// Stop tokens included.
    pub generated_tokens: usize,
}

/// Computes a prompt of `tokens` random tokens. Its last logits and the choice of a token are part of the work.
pub(super) fn prompt(engine: &mut Engine, tokens: usize) -> Result<Done, Failure> {
    timed(engine, random_tokens(engine, tokens), 1, tokens)
}

/// Generates `tokens` tokens after a prompt of one, and never stops early.
pub(super) fn generate(engine: &mut Engine, tokens: usize) -> Result<Done, Failure> {
    timed(engine, random_tokens(engine, 1), tokens, tokens)
}

fn timed(engine: &mut Engine, prompt: Vec<u32>, max_tokens: usize, tokens: usize) -> Result<Done, Failure> {
    let request = GenerateRequest { prompt, max_tokens, ..GenerateRequest::default() };
    engine.clear_prefixes();
    let started = Instant::now();
    let generation = engine.generate_one(&request).map_err(engine_failure)?;
    let seconds = started.elapsed().as_secs_f64();
    if generation.tokens.len() < max_tokens {
        let window = engine.context_length();
        return Err(Failure::invalid(format!("the test needs more context than the {window} tokens of this model"))
            .hint("take a shorter --prompt or --generate"));
    }
    Ok(Done { seconds, tokens, triage: None })
}

fn random_tokens(engine: &Engine, count: usize) -> Vec<u32> {
    let mut random = SplitMix64::new(SEED);
    let vocabulary = engine.model().vocabulary_len() as u64;
    (0..count).map(|_| u32::try_from(random.next_u64() % vocabulary).expect("ids are 32 bits")).collect()
}

/// The requests of a triage run over the sample issues.
pub(crate) struct Triage {
    requests: Vec<GenerateRequest>,
}

impl Triage {
    /// The first `issues` of the sample set, asked as `puma run` asks them by default, with shorter answers.
    ///
    /// # Errors
    /// The sample data or the templates of `--home` cannot be read, or the model's template refuses the prompts.
    pub(crate) fn new(issues: u32, name: &str, subject: &Subject, context: &Context) -> Result<Self, Failure> {
        let flags = InlineArgs {
            scenario: Some("triage_jira".to_owned()),
            model: vec![name.to_owned()],
            instances: Some(issues),
            max_tokens: Some(TRIAGE_TOKENS),
            ..InlineArgs::default()
        };
        let spec = flags.into_spec()?;
        let scenario = find_scenario(&spec.scenario)?;
        let dataset = read_dataset(&Data::Sample, &spec, context)?;
        let invalid = |message: String| Failure::invalid(message);
        let instances = scenario
            .instances(&dataset, issues as usize, spec.inference.seed)
            .map_err(|error| invalid(error.to_string()).hint(error.hint()))?;
        let plan = plan(PlanInput {
            spec: &spec,
            spec_hash: &spec_hash(&spec),
            scenario,
            dataset: &dataset,
            instances: &instances,
            templates: &home::templates(context.home.as_deref())?,
            models: &[ModelIdentity { name: name.to_owned(), ..ModelIdentity::default() }],
            context_length: None,
        })
        .map_err(|error| invalid(error.to_string()).hint(error.hint()))?;
        let stop_tokens: Vec<u32> = subject.tokenizer.stop_ids().collect();
        let requests = plan.jobs.iter().flat_map(|job| plan.requests(job)).map(|request| {
            Ok(GenerateRequest {
                prompt: subject.tokens(&request.messages)?,
                max_tokens: request.max_tokens as usize,
                temperature: request.temperature,
                seed: request.seed,
                stop_tokens: stop_tokens.clone(),
                logprobs: request.logprobs,
                top_logprobs: usize::from(request.top_logprobs),
            })
        });
        Ok(Self { requests: requests.collect::<Result<_, Failure>>()? })
    }

    /// Answers all of them; prompts share what they begin with, but nothing of an earlier repetition.
    pub(super) fn run(&self, engine: &mut Engine, context: &Context) -> Result<Done, Failure> {
        let mut tally = Tally::default();
        engine.clear_prefixes();
        let started = Instant::now();
        engine.generate(&self.requests, &|| context.cancel.is_cancelled(), &mut tally);
        let seconds = started.elapsed().as_secs_f64();
        if context.cancel.is_cancelled() {
            return Err(interrupted());
        }
        if let Some(error) = tally.error {
            return Err(engine_failure(error));
        }
        let counts = tally.counts;
        let tokens = counts.unique_prompt_tokens + counts.generated_tokens;
        Ok(Done { seconds, tokens, triage: Some(counts) })
    }
}

pub(super) fn interrupted() -> Failure {
    Failure::new(ExitKind::Interrupted, "interrupted; a measurement that is not whole says nothing")
}

#[derive(Default)]
struct Tally {
    counts: TriageCounts,
    error: Option<EngineError>,
}

impl Observer for Tally {
    fn finished(&mut self, _request: usize, result: Result<Generation, EngineError>) {
        match result {
            Ok(generation) => {
                self.counts.issues += 1;
                self.counts.prompt_tokens += generation.prompt_tokens;
                self.counts.unique_prompt_tokens += generation.prompt_tokens - generation.cached_tokens;
                self.counts.generated_tokens += generation.tokens.len() + usize::from(generation.stop_token.is_some());
            }
            Err(error) => self.error = Some(error),
        }
    }
}
