//! Reads Ollama's streamed answers: one JSON object a line, the last one with `done: true` and the figures.

use crate::http::{Origin, Reply, reported_error};
use crate::logprobs::read_token;
use crate::retry::AttemptError;
use puma_core::{BackendError, BackendErrorKind, Completion, FinishReason, Millis, Phases, Request, Usage};
use serde_json::Value;
use std::time::Instant;

/// Reads the whole answer to `request`, which was sent at `start` with a window of `context_length` tokens.
///
/// # Errors
/// The stream breaks off before `done`, holds an error line or something that is not the protocol, or the server cut
/// the prompt to fit its window.
pub(super) fn read(
    mut reply: Reply,
    request: &Request,
    context_length: u32,
    start: Instant,
) -> Result<Completion, AttemptError> {
    let (mut text, mut reasoning, mut tokens) = (String::new(), String::new(), Vec::new());
    let origin = reply.origin().clone();
    let mut first_token_ms = None;
    let last = loop {
        let Some(line) = reply.next_line()? else { return Err(origin.cut()) };
        let chunk = reply.parse(&line)?;
        if let Some(message) = reported_error(&chunk) {
            return Err(origin.failed_midway(&message));
        }
        // `/api/generate` puts its text at the top, `/api/chat` into `message`.
        let message = chunk.get("message").unwrap_or(&chunk);
        let piece =
            ["content", "response"].iter().find_map(|key| message.get(key)).and_then(Value::as_str).unwrap_or("");
        let thought = message.get("thinking").and_then(Value::as_str).unwrap_or("");
        if first_token_ms.is_none() && !(piece.is_empty() && thought.is_empty()) {
            first_token_ms = Some(Millis::from(start.elapsed()));
        }
        text.push_str(piece);
        reasoning.push_str(thought);
        for token in chunk.get("logprobs").and_then(Value::as_array).into_iter().flatten() {
            tokens.push(read_token(token).ok_or_else(|| origin.lacking("token or logprob in an entry of `logprobs`"))?);
        }
        match chunk.get("done").and_then(Value::as_bool) {
            Some(true) => break chunk,
            Some(false) => {}
            None => return Err(origin.lacking("`done` field")),
        }
    };
    let usage = usage(&last);
    refuse_cut_prompt(usage.prompt_tokens.unwrap_or(0), context_length)?;
    Ok(Completion {
        text,
        reasoning: Some(reasoning).filter(|text| !text.is_empty()),
        finish: finish(&last, request, usage, &origin)?,
        tokens,
        scores: Vec::new(),
        usage,
        phases: Phases {
            total_ms: Millis::from(start.elapsed()),
            load_ms: duration_ms(&last, "load_duration"),
            prompt_ms: duration_ms(&last, "prompt_eval_duration"),
            generation_ms: duration_ms(&last, "eval_duration"),
            first_token_ms,
        },
        attempts: Vec::new(),
        from_cache: false,
    })
}

fn usage(last: &Value) -> Usage {
    let count = |key: &str| last.get(key).and_then(Value::as_u64).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    // Ollama does not tell how much of a prompt it had cached.
    Usage { prompt_tokens: count("prompt_eval_count"), cached_tokens: None, generated_tokens: count("eval_count") }
}

/// Ollama gives nanoseconds.
fn duration_ms(last: &Value, key: &str) -> Option<Millis> {
    last.get(key).and_then(Value::as_f64).map(|nanoseconds| Millis(nanoseconds / 1e6))
}

fn finish(last: &Value, request: &Request, usage: Usage, origin: &Origin) -> Result<FinishReason, AttemptError> {
    match last.get("done_reason").and_then(Value::as_str) {
        Some("stop") => Ok(FinishReason::Stop),
        Some("length") => Ok(FinishReason::Length),
        // `load` and `unload` come when a request held nothing to answer.
        Some(other) => Err(origin.lacking(&format!("answer, only `done_reason: {other}`"))),
        // Servers before 0.1.33 give no reason.
        None if usage.generated_tokens.is_some_and(|count| count >= request.max_tokens) => Ok(FinishReason::Length),
        None => Ok(FinishReason::Stop),
    }
}

/// A server without `truncate: false` cuts a prompt to exactly its window and answers as if nothing had happened: the
/// answer would be to another question.
fn refuse_cut_prompt(prompt_tokens: u32, context_length: u32) -> Result<(), AttemptError> {
    if prompt_tokens < context_length {
        return Ok(());
    }
    let error = BackendError::new(
        BackendErrorKind::ContextExceeded,
        format!(
            "the prompt fills the whole context window of {context_length} tokens, so Ollama cut its beginning off"
        ),
    );
    Err(AttemptError::lasting(error.with_hint("raise the context length or shorten the prompt")))
}
