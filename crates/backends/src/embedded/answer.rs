//! From generated tokens to a completion, stop strings included.

use super::loaded::engine_error;
use puma_core::{
    Completion, Failure, FinishReason, Millis, Phases, Request, TokenLogprob, TopLogprob, Usage, backend::OnDone,
};
use puma_engine::tokenizer::{StreamDecoder, Tokenizer};
use puma_engine::{EngineError, Finish, GeneratedToken, Generation, Observer};
use std::ops::ControlFlow;

/// Watches a batch: ends answers at stop strings and reports each finished one.
pub(super) struct Answers<'a, 'd> {
    pub tokenizer: &'a Tokenizer,
    /// The request behind each index of the engine's batch, with its index in the caller's batch.
    pub requests: Vec<(usize, &'a Request)>,
    pub texts: Vec<Text<'a>>,
    /// Time spent loading the model, given to the first completion.
    pub load_ms: Option<f64>,
    pub done: OnDone<'d>,
}

/// The text of an answer so far.
pub(super) struct Text<'a> {
    decoder: StreamDecoder<'a>,
    text: String,
    stopped_at: Option<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        Self { decoder: tokenizer.stream(), text: String::new(), stopped_at: None }
    }

    /// Adds a token; true once a stop string is complete.
    fn push(&mut self, id: u32, stops: &[String]) -> bool {
        self.text.push_str(&self.decoder.push(id));
        self.stopped_at = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| self.text.find(stop)).min();
        self.stopped_at.is_some()
    }

    fn finish(self) -> String {
        let mut text = self.text;
        match self.stopped_at {
            Some(end) => text.truncate(end),
            None => text.push_str(&self.decoder.finish()),
        }
        text
    }
}

impl Observer for Answers<'_, '_> {
    fn token(&mut self, request: usize, token: &GeneratedToken) -> ControlFlow<()> {
        let (_, asked) = self.requests[request];
        if self.texts[request].push(token.id, &asked.stop) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn finished(&mut self, request: usize, result: Result<Generation, EngineError>) {
        let (index, asked) = self.requests[request];
        let text = std::mem::replace(&mut self.texts[request], Text::new(self.tokenizer)).finish();
        let result = match result {
            Ok(generation) => {
                let load_ms = self.load_ms.take();
                Ok(completion(text, generation, asked, self.tokenizer, load_ms))
            }
            Err(error) => Err(Failure::from(engine_error(&error))),
        };
        (self.done)(index, result);
    }
}

fn completion(
    text: String,
    generation: Generation,
    asked: &Request,
    tokenizer: &Tokenizer,
    load_ms: Option<f64>,
) -> Completion {
    let finish = match generation.finish {
        Finish::StopToken | Finish::Stopped => FinishReason::Stop,
        Finish::MaxTokens | Finish::ContextFull => FinishReason::Length,
        Finish::Cancelled => FinishReason::Cancelled,
    };
    let tokens = if asked.logprobs {
        generation.tokens.iter().filter_map(|token| token_logprob(token, tokenizer)).collect()
    } else {
        Vec::new()
    };
    let timing = generation.timing;
    Completion {
        text,
        reasoning: None,
        finish,
        tokens,
        scores: Vec::new(),
        usage: Usage {
            prompt_tokens: Some(count(generation.prompt_tokens)),
            cached_tokens: Some(count(generation.cached_tokens)),
            // The stop token was computed like every other.
            generated_tokens: Some(count(generation.tokens.len() + usize::from(generation.stop_token.is_some()))),
        },
        phases: Phases {
            total_ms: Millis(timing.prompt_ms + timing.generation_ms),
            load_ms: load_ms.map(Millis),
            prompt_ms: Some(Millis(timing.prompt_ms)),
            generation_ms: Some(Millis(timing.generation_ms)),
            first_token_ms: timing.first_token_ms.map(Millis),
        },
        attempts: Vec::new(),
        from_cache: false,
    }
}

/// The text of a token; bytes that are no text by themselves are replaced.
pub(super) fn spelled(tokenizer: &Tokenizer, id: u32) -> String {
    String::from_utf8_lossy(tokenizer.bytes(id)).into_owned()
}

fn token_logprob(token: &GeneratedToken, tokenizer: &Tokenizer) -> Option<TokenLogprob> {
    Some(TokenLogprob {
        id: Some(token.id),
        token: spelled(tokenizer, token.id),
        logprob: token.logprob?,
        top: token
            .top
            .iter()
            .map(|top| TopLogprob { id: Some(top.id), token: spelled(tokenizer, top.id), logprob: top.logprob })
            .collect(),
    })
}

pub(super) fn count(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
