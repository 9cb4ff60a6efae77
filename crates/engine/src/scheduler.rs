//! Continuous batching: which sequences run, what each step computes, and when an answer ends.

use crate::error::EngineError;
use crate::forward::Slot;
use crate::kv::KvCache;
use crate::kv_prefix::{WORTHWHILE, common_prefix};
use crate::sample::{self, Choice, GeneratedToken, Generator};
use crate::session::{Engine, Finish, GenerateRequest, Generation, Observer, Timing};
use puma_kernels::Kernels;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

/// How many waiting requests are looked at in a step, to let them join or to find a beginning worth sharing.
const LOOK_AHEAD: usize = 64;

/// A request that is being computed.
struct Sequence<'r> {
    index: usize,
    request: &'r GenerateRequest,
    /// Prompt and what was generated so far.
    tokens: Vec<u32>,
    cache: KvCache,
    /// Length of the beginning that waiting requests share; stored as soon as it is computed.
    share: Option<usize>,
    generator: Generator,
    generated: Vec<GeneratedToken>,
    stop_token: Option<GeneratedToken>,
    cached_tokens: usize,
    joined: Instant,
    timing: Timing,
    /// Tokens of this sequence in the current step.
    in_step: usize,
    finish: Option<Result<Finish, EngineError>>,
}

impl Sequence<'_> {
    fn is_generating(&self) -> bool {
        self.tokens.len() > self.request.prompt.len()
    }

    fn left(&self) -> usize {
        self.tokens.len() - self.cache.length()
    }

    fn into_generation(mut self, finish: Finish) -> Generation {
        self.timing.total_ms = milliseconds(self.joined);
        Generation {
            tokens: self.generated,
            stop_token: self.stop_token,
            finish,
            prompt_tokens: self.request.prompt.len(),
            cached_tokens: self.cached_tokens,
            timing: self.timing,
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Runs all `requests`; see [`Engine::generate`].
pub(crate) fn run(
    engine: &mut Engine,
    requests: &[GenerateRequest],
    cancelled: &dyn Fn() -> bool,
    observer: &mut dyn Observer,
) {
    let mut waiting: VecDeque<usize> = VecDeque::new();
    for (index, request) in requests.iter().enumerate() {
        match check(engine, request) {
            Ok(()) => waiting.push_back(index),
            Err(error) => observer.finished(index, Err(error)),
        }
    }
    let mut running: Vec<Sequence<'_>> = Vec::new();
    while !(running.is_empty() && waiting.is_empty()) {
        if cancelled() {
            for sequence in running.drain(..) {
                observer.finished(sequence.index, Ok(sequence.into_generation(Finish::Cancelled)));
            }
            for index in waiting.drain(..) {
                observer.finished(index, Ok(never_started(&requests[index], Finish::Cancelled)));
            }
            return;
        }
        admit(engine, requests, &mut waiting, &mut running);
        step(engine, &mut running, observer);
        retire(engine, &mut running, observer);
    }
}

fn check(engine: &Engine, request: &GenerateRequest) -> Result<(), EngineError> {
    let vocabulary = engine.model.vocabulary_len();
    if request.prompt.is_empty() {
        return Err(EngineError::EmptyPrompt);
    }
    if let Some(&token) = request.prompt.iter().find(|&&token| token as usize >= vocabulary) {
        return Err(EngineError::TokenOutOfRange { token, vocabulary });
    }
    let context_length = engine.context_length();
    if request.prompt.len() >= context_length {
        return Err(EngineError::ContextExceeded { prompt_tokens: request.prompt.len(), context_length });
    }
    let tokens = positions(engine, request);
    let (needed_bytes, limit_bytes) = (engine.prefixes.bytes_of(tokens), engine.options.kv_bytes);
    if needed_bytes > limit_bytes {
        return Err(EngineError::KvMemory { tokens, needed_bytes, limit_bytes });
    }
    if !(request.temperature >= 0.0 && request.temperature.is_finite()) {
        let message = format!("{} is not a finite number of 0 or more", request.temperature);
        return Err(EngineError::Option { option: "temperature", message });
    }
    Ok(())
}

fn never_started(request: &GenerateRequest, finish: Finish) -> Generation {
    Generation {
        tokens: Vec::new(),
        stop_token: None,
        finish,
        prompt_tokens: request.prompt.len(),
        cached_tokens: 0,
        timing: Timing::default(),
    }
}

/// Lets waiting requests join while there is room. One that shares a beginning with a running prompt, further than the
/// store already covers, waits until that beginning is computed.
fn admit<'r>(
    engine: &mut Engine,
    requests: &'r [GenerateRequest],
    waiting: &mut VecDeque<usize>,
    running: &mut Vec<Sequence<'r>>,
) {
    let mut at = 0;
    while running.len() < engine.options.max_batch && at < waiting.len().min(LOOK_AHEAD) {
        let request = &requests[waiting[at]];
        if will_be_shared(engine, request, running) {
            at += 1;
            continue;
        }
        let Some(cache) = open(engine, request, running.is_empty()) else { break };
        let index = waiting.remove(at).expect("`at` is inside the queue");
        let others = waiting.iter().take(LOOK_AHEAD).map(|&other| &requests[other]);
        let sequence = join(engine, index, request, cache, others);
        running.push(sequence);
    }
}

/// Whether a running prompt is about to compute a beginning that `request` can take over.
fn will_be_shared(engine: &Engine, request: &GenerateRequest, running: &[Sequence<'_>]) -> bool {
    let soon = running.iter().filter_map(|sequence| {
        let share = sequence.share?;
        Some(common_prefix(&sequence.tokens[..share], &request.prompt))
    });
    let useful = soon.max().unwrap_or(0).min(request.prompt.len() - 1);
    useful >= WORTHWHILE && useful > engine.prefixes.covered(&request.prompt) + WORTHWHILE
}

/// Positions that the request's prompt and answer take at most.
fn positions(engine: &Engine, request: &GenerateRequest) -> usize {
    request.prompt.len().saturating_add(request.max_tokens).min(engine.context_length())
}

/// A cache with the memory that the request takes at most, begun with what is known of its prompt; `None` if there is no
/// room now. [`check`] made sure that it fits once nothing else runs.
fn open(engine: &mut Engine, request: &GenerateRequest, alone: bool) -> Option<KvCache> {
    let positions = positions(engine, request);
    // The last prompt token is always computed, for its logits.
    let reusable = &request.prompt[..request.prompt.len() - 1];
    let mut cache = engine.prefixes.open(reusable);
    if engine.prefixes.reserve(&mut cache, positions) {
        return Some(cache);
    }
    if !alone {
        return None;
    }
    // Only the copy of a block that is shared in part can be too much.
    cache = engine.prefixes.open(&[]);
    engine.prefixes.reserve(&mut cache, positions).then_some(cache)
}

fn join<'r>(
    engine: &Engine,
    index: usize,
    request: &'r GenerateRequest,
    cache: KvCache,
    others: impl Iterator<Item = &'r GenerateRequest>,
) -> Sequence<'r> {
    let cached_tokens = cache.length();
    let share = others
        .map(|other| common_prefix(&request.prompt, &other.prompt))
        .max()
        .filter(|&share| engine.prefixes.is_enabled() && share >= cached_tokens + WORTHWHILE);
    Sequence {
        index,
        request,
        tokens: request.prompt.clone(),
        cache,
        share,
        generator: Generator::new(request.seed),
        generated: Vec::new(),
        stop_token: None,
        cached_tokens,
        joined: Instant::now(),
        timing: Timing::default(),
        in_step: 0,
        finish: (request.max_tokens == 0).then_some(Ok(Finish::MaxTokens)),
    }
}

/// Computes one step: a token of every sequence that generates, and as much of the prompts as fits the chunk.
fn step(engine: &mut Engine, running: &mut [Sequence<'_>], observer: &mut dyn Observer) {
    let started = Instant::now();
    let batch = plan(engine.options.chunk_tokens, running);
    if batch.is_empty() {
        return;
    }
    let generating: Vec<bool> = running.iter().map(Sequence::is_generating).collect();
    let context_length = engine.context_length();
    let (forward, buffers) = engine.parts();
    let mut caches: Vec<&mut KvCache> = running.iter_mut().map(|sequence| &mut sequence.cache).collect();
    let logits = forward.run(&batch, &mut caches, buffers);
    let mut draws: Vec<Draw<'_>> = batch
        .iter()
        .filter(|slot| slot.wants_logits)
        .zip(logits)
        .map(|(slot, logits)| Draw::new(slot, logits, &running[slot.sequence]))
        .collect();
    // A vocabulary's probabilities take as long as some layers, so every thread takes some sequences.
    forward.pool.for_each_chunk(&mut draws, 1, &|_, draws| draws.iter_mut().for_each(|draw| draw.run(forward.kernels)));
    for draw in draws {
        let sequence = &mut running[draw.sequence];
        observer.logits(sequence.index, draw.logits);
        match draw.token {
            Some(token) => {
                sequence.generator = draw.generator;
                take(token, context_length, sequence, observer);
            }
            None => sequence.finish = Some(Err(EngineError::NotFinite { position: draw.position })),
        }
    }
    share_time(milliseconds(started), batch.len(), running, &generating);
}

/// The choice of one sequence's next token.
struct Draw<'l> {
    sequence: usize,
    position: usize,
    logits: &'l [f32],
    choice: Choice,
    generator: Generator,
    /// `None` where the logits are no finite numbers.
    token: Option<GeneratedToken>,
}

impl<'l> Draw<'l> {
    fn new(slot: &Slot, logits: &'l [f32], sequence: &Sequence<'_>) -> Self {
        let GenerateRequest { temperature, logprobs, top_logprobs, .. } = *sequence.request;
        Self {
            sequence: slot.sequence,
            position: slot.position,
            logits,
            choice: Choice { temperature, logprobs, top_logprobs },
            generator: sequence.generator.clone(),
            token: None,
        }
    }

    fn run(&mut self, kernels: &Kernels) {
        self.token = sample::all_finite(self.logits)
            .then(|| sample::choose(kernels, self.logits, self.choice, &mut self.generator));
    }
}

/// The step's tokens. Each generating sequence has one; prompts follow in the order in which they joined.
fn plan(chunk_tokens: usize, running: &mut [Sequence<'_>]) -> Vec<Slot> {
    let generating = running.iter().filter(|sequence| sequence.is_generating()).count();
    let mut room = chunk_tokens.saturating_sub(generating).max(1);
    let mut batch = Vec::new();
    for (number, sequence) in running.iter_mut().enumerate() {
        let count = match (&sequence.finish, sequence.is_generating()) {
            (Some(_), _) => 0,
            (None, true) => sequence.left(),
            (None, false) => sequence.left().min(room),
        };
        if !sequence.is_generating() {
            room -= count;
        }
        sequence.in_step = count;
        let start = sequence.cache.length();
        sequence.cache.extend(count);
        batch.extend((start..start + count).map(|position| Slot {
            token: sequence.tokens[position],
            sequence: number,
            position,
            wants_logits: position + 1 == sequence.tokens.len(),
        }));
    }
    batch
}

/// Adds the sequence's next token and finds out whether it was the last.
fn take(token: GeneratedToken, context_length: usize, sequence: &mut Sequence<'_>, observer: &mut dyn Observer) {
    let request = sequence.request;
    if sequence.timing.first_token_ms.is_none() {
        sequence.timing.first_token_ms = Some(milliseconds(sequence.joined));
    }
    if request.stop_tokens.contains(&token.id) {
        sequence.stop_token = Some(token);
        sequence.finish = Some(Ok(Finish::StopToken));
        return;
    }
    let flow = observer.token(sequence.index, &token);
    sequence.tokens.push(token.id);
    sequence.generated.push(token);
    if flow == ControlFlow::Break(()) {
        sequence.finish = Some(Ok(Finish::Stopped));
    } else if sequence.generated.len() >= request.max_tokens {
        sequence.finish = Some(Ok(Finish::MaxTokens));
    } else if sequence.tokens.len() >= context_length {
        sequence.finish = Some(Ok(Finish::ContextFull));
    }
}

/// Divides a step's time by tokens; `generating` tells what each sequence did in it.
fn share_time(step_ms: f64, tokens: usize, running: &mut [Sequence<'_>], generating: &[bool]) {
    for (sequence, generating) in running.iter_mut().zip(generating) {
        let share_ms = step_ms * sequence.in_step as f64 / tokens as f64;
        if *generating {
            sequence.timing.generation_ms += share_ms;
        } else {
            sequence.timing.prompt_ms += share_ms;
        }
    }
}

/// Stores beginnings that others wait for, and reports what is finished.
fn retire(engine: &mut Engine, running: &mut Vec<Sequence<'_>>, observer: &mut dyn Observer) {
    let mut at = 0;
    while at < running.len() {
        let sequence = &mut running[at];
        if let Some(share) = sequence.share.filter(|&share| sequence.cache.length() >= share) {
            engine.prefixes.insert(&sequence.tokens[..share], &mut sequence.cache, true);
            sequence.share = None;
        }
        let Some(finish) = sequence.finish.take() else {
            at += 1;
            continue;
        };
        let mut sequence = running.remove(at);
        let index = sequence.index;
        let result = finish.map(|finish| {
            engine.prefixes.insert(&sequence.tokens, &mut sequence.cache, false);
            sequence.into_generation(finish)
        });
        observer.finished(index, result);
    }
}
