//! The engine's door: a model made ready, and batches of requests to it.

use crate::error::EngineError;
use crate::forward::{self, Buffers, Forward, Rotations};
use crate::gguf::Reading;
use crate::kv::KvType;
use crate::kv_prefix::{KvMemory, PrefixStore};
use crate::memory::{MemoryPlan, memory_plan};
use crate::model::Model;
use crate::pool::Pool;
use crate::sample::GeneratedToken;
use crate::scheduler;
use puma_kernels::{Kernels, Level};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How an engine runs. Only `kv_type` changes bits, and with them the name of the contract ([`Engine::contract`]);
/// `context_length` may end an answer, and chooses among a model's rotary divisors (LongRoPE).
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Threads that compute, the caller's included; at least 1.
    pub threads: usize,
    /// Instruction set.
    pub level: Level,
    /// Sequences computed together; at least 1.
    pub max_batch: usize,
    /// Tokens computed in one step, prompts of several sequences mixed; at least 1.
    pub chunk_tokens: usize,
    /// Context window in tokens, prompt and answer together; `None` takes the model's own. Never above the model's.
    pub context_length: Option<usize>,
    /// What keys and values are kept as.
    pub kv_type: KvType,
    /// Memory for keys and values, in bytes: running sequences and kept prefixes together never take more, except that
    /// continuations to score ([`Engine::score`]) that share a beginning may. A request that alone needs more is refused.
    pub kv_bytes: usize,
    /// Whether prompts take over computed beginnings from each other and from earlier calls.
    pub reuse_prefixes: bool,
    /// Memory the system could give when the model is opened, in bytes, its cache of files counted as free; `None` if
    /// nobody knows. See [`memory_plan`].
    pub available_bytes: Option<u64>,
}

impl Default for EngineOptions {
    /// One thread per core, the best instruction set, 32 sequences in steps of up to 256 tokens, 512 MB of keys
    /// and values in f32, with reuse.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            level: Level::best(),
            max_batch: 32,
            chunk_tokens: 256,
            context_length: None,
            kv_type: KvType::F32,
            kv_bytes: 512_000_000,
            reuse_prefixes: true,
            available_bytes: None,
        }
    }
}

impl EngineOptions {
    /// The context window of `model`, in tokens.
    fn window(&self, model: &Model) -> usize {
        let trained = model.config().context_length;
        self.context_length.map_or(trained, |wanted| wanted.min(trained))
    }
}

/// One prompt to continue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenerateRequest {
    /// Token ids, special tokens included.
    pub prompt: Vec<u32>,
    /// Tokens to generate at most.
    pub max_tokens: usize,
    /// 0 is greedy; above, tokens are drawn with `seed`.
    pub temperature: f64,
    pub seed: u64,
    /// Ids that end the answer; they are not part of it.
    pub stop_tokens: Vec<u32>,
    /// Whether to report log probabilities.
    pub logprobs: bool,
    /// Alternatives to report per token; only with `logprobs`.
    pub top_logprobs: usize,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// One of the request's stop tokens was chosen.
    StopToken,
    /// The observer asked for it (stop strings).
    Stopped,
    /// `max_tokens` were generated.
    MaxTokens,
    /// The context window is full.
    ContextFull,
    /// The caller cancelled.
    Cancelled,
}

/// Time spent on a request. Waiting for a place in the batch is not counted.
///
/// A step that computes several sequences is divided among them by the tokens each had in it, so that the shares of all
/// requests add up to the wall time. A prefix shared by several requests is charged to the one that computed it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Share of steps that computed the prompt, in milliseconds.
    pub prompt_ms: f64,
    /// Share of steps that computed generated tokens, in milliseconds.
    pub generation_ms: f64,
    /// Wall time from joining the batch to the first token, in milliseconds; `None` if none was generated.
    pub first_token_ms: Option<f64>,
    /// Wall time from joining the batch to the end, in milliseconds.
    pub total_ms: f64,
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// The answer's tokens, without the stop token.
    pub tokens: Vec<GeneratedToken>,
    /// The stop token that ended it, with its log probability.
    pub stop_token: Option<GeneratedToken>,
    pub finish: Finish,
    /// Tokens in the prompt.
    pub prompt_tokens: usize,
    /// Prompt tokens whose computation was reused.
    pub cached_tokens: usize,
    pub timing: Timing,
}

/// Hears what happens to the requests of a batch. Requests are named by their index.
pub trait Observer {
    /// A token was chosen (not for stop tokens). `Break` ends this request with [`Finish::Stopped`]; the token stays
    /// part of the answer.
    fn token(&mut self, request: usize, token: &GeneratedToken) -> ControlFlow<()> {
        let _ = (request, token);
        ControlFlow::Continue(())
    }

    /// The logits a token was chosen from, one for each id.
    fn logits(&mut self, request: usize, logits: &[f32]) {
        let _ = (request, logits);
    }

    /// The request ended. Called once for each.
    fn finished(&mut self, request: usize, result: Result<Generation, EngineError>);
}

/// The plan for `model` under `options`: its whole file, and all the keys and values that may be kept.
fn plan(model: &Model, options: &EngineOptions) -> MemoryPlan {
    memory_plan(model.gguf().size_bytes(), options.kv_bytes as u64, options.available_bytes)
}

/// A model with threads, caches and kernels.
pub struct Engine {
    pub(crate) model: Arc<Model>,
    pub(crate) options: EngineOptions,
    pub(crate) kernels: Kernels,
    pub(crate) pool: Pool,
    pub(crate) rotations: Rotations,
    pub(crate) buffers: Buffers,
    pub(crate) prefixes: PrefixStore,
}

impl Engine {
    /// Makes `model` ready: threads start, and where memory allows it the weights are packed, once for all engines of it.
    ///
    /// # Errors
    /// An option is out of range, or threads cannot be started.
    pub fn new(model: Arc<Model>, options: EngineOptions) -> Result<Self, EngineError> {
        let positive = [
            ("threads", options.threads),
            ("max_batch", options.max_batch),
            ("chunk_tokens", options.chunk_tokens),
            ("context_length", options.context_length.unwrap_or(1)),
        ];
        for (option, value) in positive {
            if !(1..=1 << 24).contains(&value) {
                return Err(EngineError::Option { option, message: format!("{value} is not usable; take 1 or more") });
            }
        }
        let plan = plan(&model, &options);
        model.gguf().advise(match options.available_bytes {
            Some(available) if plan.will_page => {
                Reading::Streamed { resident_bytes: available.saturating_sub(options.kv_bytes as u64) }
            }
            _ => Reading::Whole,
        });
        let pool = Pool::new(options.threads).map_err(|error| EngineError::Option {
            option: "threads",
            message: format!("cannot start {} threads: {error}", options.threads),
        })?;
        if plan.packed && model.pack(&pool) {
            model.gguf().advise(Reading::Seldom);
        }
        Ok(Self {
            kernels: Kernels::new(options.level),
            pool,
            rotations: Rotations::of(&model, options.window(&model)),
            buffers: Buffers::default(),
            prefixes: PrefixStore::new(
                forward::kv_shape(&model),
                options.kv_type,
                options.kv_bytes,
                options.reuse_prefixes,
            ),
            model,
            options,
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The options in use.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// How the weights are held, given the memory that was named in the options.
    pub fn memory_plan(&self) -> MemoryPlan {
        plan(&self.model, &self.options)
    }

    /// The numerics contract: `N1`, or `N1+kv-f16`.
    pub fn contract(&self) -> &'static str {
        self.options.kv_type.contract()
    }

    /// The context window in use, in tokens.
    pub fn context_length(&self) -> usize {
        self.options.window(&self.model)
    }

    /// The memory that keys and values take.
    pub fn kv_memory(&self) -> KvMemory {
        self.prefixes.memory()
    }

    /// Forgets prefixes kept from earlier requests.
    pub fn clear_prefixes(&mut self) {
        self.prefixes.clear();
    }

    /// Continues every prompt, several together, and reports tokens and results as they come.
    ///
    /// New requests join as others end; common beginnings of prompts are computed once. `cancelled` is asked before
    /// every step; once true, the rest ends with [`Finish::Cancelled`]. A request that cannot run (see [`EngineError`])
    /// ends alone, with an error.
    pub fn generate(
        &mut self,
        requests: &[GenerateRequest],
        cancelled: &dyn Fn() -> bool,
        observer: &mut dyn Observer,
    ) {
        scheduler::run(self, requests, cancelled, observer);
    }

    /// Continues one prompt without watching it.
    ///
    /// # Errors
    /// The request cannot run, see [`EngineError`].
    pub fn generate_one(&mut self, request: &GenerateRequest) -> Result<Generation, EngineError> {
        struct Last(Option<Result<Generation, EngineError>>);
        impl Observer for Last {
            fn finished(&mut self, _request: usize, result: Result<Generation, EngineError>) {
                self.0 = Some(result);
            }
        }
        let mut last = Last(None);
        self.generate(std::slice::from_ref(request), &|| false, &mut last);
        last.0.expect("every request is reported once")
    }

    /// What a forward pass borrows, apart from the buffers.
    pub(crate) fn parts(&mut self) -> (Forward<'_>, &mut Buffers) {
        let Self { model, kernels, pool, rotations, buffers, .. } = self;
        (Forward { model, kernels, pool, rotations }, buffers)
    }
}
