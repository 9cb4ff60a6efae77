//! The backend itself: one model in memory at a time, whole batches to the engine.

use super::answer::{Answers, Text};
use super::loaded::Loaded;
use super::scored::{self, Asked};
use crate::sources::{Library, ResolvedModel};
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Clock as _, Failure, Forgotten, ModelIdentity,
    Request, SystemClock, backend::OnDone,
};
use puma_engine::{EngineOptions, GenerateRequest};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Requests given to the engine at once, as a multiple of what it computes together: a finished answer makes room for
/// the next request without waiting for the slowest of its batch.
const REQUESTS_PER_SEQUENCE: usize = 16;

/// How the embedded engine runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbeddedOptions {
    pub engine: EngineOptions,
}

/// Answers with PUMA's own engine.
pub struct EmbeddedBackend {
    options: EmbeddedOptions,
    library: Library,
    clock: SystemClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Files behind the names that were prepared.
    resolved: BTreeMap<String, ResolvedModel>,
    loaded: Option<Loaded>,
    /// Load time not yet reported with a completion.
    load_ms: Option<f64>,
}

impl EmbeddedBackend {
    /// Models are looked up in `library`.
    pub fn new(library: Library, options: EmbeddedOptions) -> Self {
        Self { options, library, clock: SystemClock::default(), state: Mutex::default() }
    }

    /// Makes `model` the loaded one.
    fn load(&self, state: &mut State, model: &str) -> Result<(), BackendError> {
        if state.loaded.as_ref().is_some_and(|loaded| loaded.identity.name == model) {
            return Ok(());
        }
        // Two models never share the memory.
        state.loaded = None;
        let start = self.clock.monotonic();
        if !state.resolved.contains_key(model) {
            let resolved = self.library.resolve(model)?;
            state.resolved.insert(model.to_owned(), resolved);
        }
        state.loaded = Some(Loaded::open(&state.resolved[model], self.options.engine)?);
        let spent = (self.clock.monotonic() - start).as_secs_f64() * 1000.0;
        state.load_ms = Some(state.load_ms.unwrap_or(0.0) + spent);
        Ok(())
    }

    fn complete_all(&self, state: &mut State, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        let mut start = 0;
        for group in requests.chunk_by(|left, right| left.model == right.model) {
            let result = self.load(state, &group[0].model);
            let (load_ms, loaded) = (state.load_ms.take(), state.loaded.as_mut());
            match (result, loaded) {
                (Ok(()), Some(loaded)) => answer(loaded, start, group, load_ms, cancel, done),
                (Ok(()), None) => unreachable!("loading succeeded"),
                (Err(error), _) => {
                    for index in 0..group.len() {
                        done(start + index, Err(Failure::from(error.clone())));
                    }
                }
            }
            start += group.len();
        }
    }
}

impl Backend for EmbeddedBackend {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity {
            kind: "embedded".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            endpoint: None,
            simd: Some(self.options.engine.level.name().to_owned()),
            threads: u32::try_from(self.options.engine.threads).ok(),
            numerics: Some(self.options.engine.kv_type.contract().to_owned()),
            // What changes bits is in the contract's name.
            settings: BTreeMap::new(),
        }
    }

    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.load(&mut state, model)?;
        let loaded = state.loaded.as_ref().expect("loading succeeded");
        Ok(loaded.identity.clone())
    }

    /// Unloads the model, for the prompts it shares live with it. No bit depends on that.
    fn forget(&self, model: &str) -> Result<Forgotten, BackendError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.loaded.take_if(|loaded| loaded.identity.name == model);
        Ok(Forgotten::Model)
    }

    fn capacity(&self) -> usize {
        self.options.engine.max_batch * REQUESTS_PER_SEQUENCE
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.complete_all(&mut state, requests, cancel, done);
    }
}

/// Answers `group`, whose first request has index `start` in the caller's batch.
fn answer(
    loaded: &mut Loaded,
    start: usize,
    group: &[Request],
    load_ms: Option<f64>,
    cancel: &Cancel,
    done: OnDone<'_>,
) {
    let mut to_score = Vec::new();
    let mut asked = Vec::with_capacity(group.len());
    let mut batch = Vec::with_capacity(group.len());
    for (index, request) in group.iter().enumerate() {
        if let Some(choices) = &request.choices {
            to_score.push(Asked { index: start + index, request, choices });
            continue;
        }
        match engine_request(loaded, request) {
            Ok(engine_request) => {
                asked.push((start + index, request));
                batch.push(engine_request);
            }
            Err(error) => done(start + index, Err(Failure::from(error))),
        }
    }
    let mut load_ms = load_ms;
    if !to_score.is_empty() {
        scored::score(loaded, &to_score, load_ms.take(), &|| cancel.is_cancelled(), done);
    }
    let Loaded { engine, tokenizer, .. } = loaded;
    let texts = asked.iter().map(|_| Text::new(tokenizer)).collect();
    let mut answers = Answers { tokenizer, requests: asked, texts, load_ms, done };
    engine.generate(&batch, &|| cancel.is_cancelled(), &mut answers);
}

fn engine_request(loaded: &Loaded, request: &Request) -> Result<GenerateRequest, BackendError> {
    if request.format.is_some() {
        return Err(BackendError::new(
            BackendErrorKind::Unsupported,
            "the embedded engine cannot constrain its output to a format",
        )
        .with_hint("remove `inference.format` from the spec, or use a server that supports it"));
    }
    check_window(loaded, request)?;
    Ok(GenerateRequest {
        prompt: loaded.prompt_tokens(&request.messages)?,
        max_tokens: request.max_tokens as usize,
        temperature: request.temperature,
        seed: request.seed,
        stop_tokens: loaded.stop_tokens.clone(),
        logprobs: request.logprobs,
        top_logprobs: usize::from(request.top_logprobs),
    })
}

/// The window is the engine's; a request cannot have another.
pub(super) fn check_window(loaded: &Loaded, request: &Request) -> Result<(), BackendError> {
    let window = loaded.identity.context_length;
    match request.context_length.filter(|wanted| Some(*wanted) != window) {
        None => Ok(()),
        Some(wanted) => Err(BackendError::new(
            BackendErrorKind::Unsupported,
            format!("the request asks for a context of {wanted} tokens, but the engine was started with {window:?}"),
        )),
    }
}
