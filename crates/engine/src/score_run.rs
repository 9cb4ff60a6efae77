//! Computes the tree of tokens of score requests: which chains run, what each step computes, and what is read from it.

use crate::error::EngineError;
use crate::forward::Slot;
use crate::kv::KvCache;
use crate::sample;
use crate::score::{ContinuationScore, ScoreRequest, Scoring};
use crate::score_tree::{Chain, Read, Target, Tree};
use crate::session::{Engine, Timing};
use puma_kernels::math::exp::exp_f64;
use puma_kernels::math::ln::ln;
use std::time::Instant;

/// Receives the scores of each request, or why there are none.
type OnScored<'a> = &'a mut dyn FnMut(usize, Result<Scoring, EngineError>);

/// A chain under way.
struct Running {
    chain: usize,
    cache: KvCache,
    /// Tokens of it in the current step.
    in_step: usize,
}

/// What is known of a request so far.
struct State {
    scores: Vec<ContinuationScore>,
    /// Reads still to come.
    missing: usize,
    computed_tokens: usize,
    continuation_tokens: usize,
    timing: Timing,
    begun: Option<Instant>,
    error: Option<EngineError>,
}

/// The work of one call.
struct Work<'r> {
    requests: &'r [ScoreRequest],
    endings: Vec<Vec<u32>>,
    chains: Vec<Chain>,
    /// Chains whose beginning is computed, with its cache; the next to run is last, so that requests under way come
    /// before new ones.
    ready: Vec<(usize, Option<KvCache>)>,
    running: Vec<Running>,
    states: Vec<Option<State>>,
}

/// Runs all `requests`; see [`Engine::score`].
pub(crate) fn run(engine: &mut Engine, requests: &[ScoreRequest], cancelled: &dyn Fn() -> bool, done: OnScored<'_>) {
    let mut wanted = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        match check(engine, request) {
            Ok(()) => wanted.push(index),
            Err(error) => done(index, Err(error)),
        }
    }
    let mut work = Work::new(requests, &wanted);
    // Requests without a continuation have nothing to wait for.
    work.report(done);
    while !(work.running.is_empty() && work.ready.is_empty()) {
        if cancelled() {
            for (index, _) in work.states.iter().enumerate().filter(|(_, state)| state.is_some()) {
                done(index, Err(EngineError::Cancelled));
            }
            return;
        }
        work.admit(engine);
        work.step(engine);
        work.retire(engine);
        work.report(done);
    }
}

fn check(engine: &Engine, request: &ScoreRequest) -> Result<(), EngineError> {
    if request.prompt.is_empty() {
        return Err(EngineError::EmptyPrompt);
    }
    let vocabulary = engine.model.vocabulary_len();
    let mut ids = request.prompt.iter().chain(request.continuations.iter().flatten()).chain(&request.endings);
    if let Some(&token) = ids.find(|&&token| token as usize >= vocabulary) {
        return Err(EngineError::TokenOutOfRange { token, vocabulary });
    }
    let longest = request.continuations.iter().map(Vec::len).max().unwrap_or(0);
    let (tokens, context_length) = (request.prompt.len() + longest, engine.context_length());
    if tokens > context_length {
        return Err(EngineError::ContextExceeded { prompt_tokens: tokens, context_length });
    }
    let (needed_bytes, limit_bytes) = (engine.prefixes.bytes_of(tokens), engine.options.kv_bytes);
    if needed_bytes > limit_bytes {
        return Err(EngineError::KvMemory { tokens, needed_bytes, limit_bytes });
    }
    Ok(())
}

impl<'r> Work<'r> {
    fn new(requests: &'r [ScoreRequest], wanted: &[usize]) -> Self {
        let chains = Tree::new(requests, wanted).into_chains();
        let mut states: Vec<Option<State>> = requests.iter().map(|_| None).collect();
        for &index in wanted {
            states[index] = Some(State::new(&requests[index]));
        }
        let mut roots: Vec<(usize, Option<KvCache>)> =
            (0..chains.len()).filter(|&chain| chains[chain].parent.is_none()).map(|chain| (chain, None)).collect();
        roots.reverse();
        let sorted = |request: &ScoreRequest| {
            let mut endings = request.endings.clone();
            endings.sort_unstable();
            endings.dedup();
            endings
        };
        Self {
            requests,
            endings: requests.iter().map(sorted).collect(),
            chains,
            ready: roots,
            running: Vec::new(),
            states,
        }
    }

    /// Starts chains while there is room: at most `max_batch` in prompts, and in the memory that is left. One chain
    /// always runs.
    fn admit(&mut self, engine: &mut Engine) {
        let mut prompts = self.running.iter().filter(|running| self.chains[running.chain].is_prompt()).count();
        while let Some((chain, cache)) = self.ready.pop() {
            let is_prompt = self.chains[chain].is_prompt();
            if is_prompt && prompts >= engine.options.max_batch {
                self.ready.push((chain, cache));
                return;
            }
            let mut cache = self.longest_known(engine, chain, cache);
            if !engine.prefixes.reserve(&mut cache, self.chains[chain].end()) && !self.running.is_empty() {
                let known = (self.chains[chain].start > 0).then_some(cache);
                self.ready.push((chain, known));
                return;
            }
            prompts += usize::from(is_prompt);
            for link in &self.chains[chain].links {
                if let Some(state) = &mut self.states[link.owner] {
                    state.begun.get_or_insert_with(Instant::now);
                }
            }
            self.running.push(Running { chain, cache, in_step: 0 });
        }
    }

    /// The cache of the chain's beginning, or a longer one from an earlier call.
    fn longest_known(&self, engine: &mut Engine, chain: usize, cache: Option<KvCache>) -> KvCache {
        let mut reusable = self.path(chain);
        reusable.truncate(self.chains[chain].first_read());
        match cache {
            Some(cache) if engine.prefixes.covered(&reusable) <= cache.length() => cache,
            _ => engine.prefixes.open(&reusable),
        }
    }

    /// The tokens from the first position to the chain's end.
    fn path(&self, chain: usize) -> Vec<u32> {
        let mut tokens = vec![0; self.chains[chain].end()];
        let mut at = Some(chain);
        while let Some(chain) = at.map(|chain| &self.chains[chain]) {
            for (token, link) in tokens[chain.start..].iter_mut().zip(&chain.links) {
                *token = link.token;
            }
            at = chain.parent;
        }
        tokens
    }

    /// Computes one step: continuations first, then as much of the prompts as fits.
    fn step(&mut self, engine: &mut Engine) {
        let started = Instant::now();
        let batch = self.plan(engine.options.chunk_tokens);
        let kernels = engine.kernels;
        let (forward, buffers) = engine.parts();
        let mut caches: Vec<&mut KvCache> = self.running.iter_mut().map(|running| &mut running.cache).collect();
        let logits = forward.run(&batch, &mut caches, buffers);
        for (slot, logits) in batch.iter().filter(|slot| slot.wants_logits).zip(logits) {
            let chain = &self.chains[self.running[slot.sequence].chain];
            let normaliser = sample::all_finite(logits).then(|| (kernels.log_normaliser)(logits));
            for read in &chain.links[slot.position - chain.start].reads {
                let Some(state) = &mut self.states[read.request] else { continue };
                state.missing -= 1;
                match normaliser {
                    Some(normaliser) => state.take(*read, logits, normaliser, &self.endings[read.request]),
                    None => state.error = Some(EngineError::NotFinite { position: slot.position }),
                }
            }
        }
        self.share_time(started.elapsed().as_secs_f64() * 1e3, &batch);
    }

    fn plan(&mut self, chunk_tokens: usize) -> Vec<Slot> {
        let mut room = chunk_tokens;
        let mut batch = Vec::new();
        for in_prompt in [false, true] {
            for (sequence, running) in self.running.iter_mut().enumerate() {
                let chain = &self.chains[running.chain];
                if chain.is_prompt() != in_prompt {
                    continue;
                }
                let start = running.cache.length();
                running.in_step = (chain.end() - start).min(room);
                room -= running.in_step;
                running.cache.extend(running.in_step);
                batch.extend((start..start + running.in_step).map(|position| {
                    let link = &chain.links[position - chain.start];
                    Slot { token: link.token, sequence, position, wants_logits: !link.reads.is_empty() }
                }));
            }
        }
        batch
    }

    /// Divides a step's time by tokens among the requests that pay for them.
    fn share_time(&mut self, step_ms: f64, batch: &[Slot]) {
        let share_ms = step_ms / batch.len() as f64;
        for slot in batch {
            let chain = &self.chains[self.running[slot.sequence].chain];
            let link = &chain.links[slot.position - chain.start];
            let Some(state) = &mut self.states[link.owner] else { continue };
            if link.in_prompt {
                state.computed_tokens += 1;
                state.timing.prompt_ms += share_ms;
            } else {
                state.continuation_tokens += 1;
                state.timing.generation_ms += share_ms;
            }
        }
    }

    /// Lets go of finished chains: what goes on after them becomes ready, what prompts share is kept for later calls.
    fn retire(&mut self, engine: &mut Engine) {
        let mut at = 0;
        while at < self.running.len() {
            let running = &self.running[at];
            let number = running.chain;
            let chain = &self.chains[number];
            if running.cache.length() < chain.end() {
                at += 1;
                continue;
            }
            let Running { mut cache, .. } = self.running.remove(at);
            if let Some(last) = chain.links.iter().rposition(|link| link.in_prompt) {
                let mut tokens = self.path(number);
                tokens.truncate(chain.start + last + 1);
                engine.prefixes.insert(&tokens, &mut cache, false);
            }
            self.ready.extend(chain.children.iter().rev().map(|&child| (child, Some(cache.clone()))));
        }
    }

    /// Hands in every request of which nothing is missing.
    fn report(&mut self, done: OnScored<'_>) {
        for (index, slot) in self.states.iter_mut().enumerate() {
            let Some(state) = slot.take_if(|state| state.missing == 0) else { continue };
            let prompt_tokens = self.requests[index].prompt.len();
            done(index, state.into_scoring(prompt_tokens));
        }
    }
}

impl State {
    fn new(request: &ScoreRequest) -> Self {
        let ends = usize::from(!request.endings.is_empty());
        let blank = |tokens: &Vec<u32>| ContinuationScore {
            logprobs: vec![0.0; tokens.len()],
            ending: (ends == 1).then_some(0.0),
        };
        Self {
            scores: request.continuations.iter().map(blank).collect(),
            missing: request.continuations.iter().map(|tokens| tokens.len() + ends).sum(),
            computed_tokens: 0,
            continuation_tokens: 0,
            timing: Timing::default(),
            begun: None,
            error: None,
        }
    }

    /// Notes what `read` asks of these logits.
    fn take(&mut self, read: Read, logits: &[f32], normaliser: f64, endings: &[u32]) {
        let score = &mut self.scores[read.continuation];
        match read.target {
            Target::Token { number, id } => score.logprobs[number] = (after(logits, id) - normaliser) as f32,
            Target::Ending => score.ending = Some(any_of(logits, normaliser, endings)),
        }
    }

    fn into_scoring(mut self, prompt_tokens: usize) -> Result<Scoring, EngineError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.timing.total_ms = self.begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64() * 1e3);
        Ok(Scoring {
            scores: self.scores,
            prompt_tokens,
            cached_tokens: prompt_tokens - self.computed_tokens,
            continuation_tokens: self.continuation_tokens,
            timing: self.timing,
        })
    }
}

fn after(logits: &[f32], id: u32) -> f64 {
    f64::from(logits[id as usize])
}

/// Logprob of any of `ids`, which ascend: of one the same as a token's, of several their probabilities' sum.
fn any_of(logits: &[f32], normaliser: f64, ids: &[u32]) -> f32 {
    match ids {
        [id] => (after(logits, *id) - normaliser) as f32,
        ids => ln(ids.iter().fold(0.0, |sum, &id| sum + exp_f64(after(logits, id) - normaliser))) as f32,
    }
}
