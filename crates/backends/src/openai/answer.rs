//! Reads chat completions, whole or as server-sent events.

use crate::http::{Origin, Reply, reported_error};
use crate::logprobs::read_token;
use crate::retry::AttemptError;
use puma_core::{Completion, FinishReason, Millis, Phases, Request, TokenLogprob, Usage};
use serde_json::Value;
use std::time::Instant;

/// What has come so far.
#[derive(Default)]
struct Gathered {
    text: String,
    reasoning: String,
    tokens: Vec<TokenLogprob>,
    finish: Option<String>,
    usage: Option<Usage>,
    prompt_ms: Option<Millis>,
    generation_ms: Option<Millis>,
    first_token_ms: Option<Millis>,
    saw_choice: bool,
}

/// Reads the whole answer to `request`, which was sent at `start`.
///
/// # Errors
/// The answer breaks off, reports an error midway, or is not the protocol.
pub(super) fn read(reply: Reply, request: &Request, start: Instant) -> Result<Completion, AttemptError> {
    if reply.is_event_stream() {
        return read_events(reply, request, start);
    }
    let origin = reply.origin().clone();
    let body = reply.json()?;
    let mut gathered = Gathered::default();
    gathered.take(&body, "message", &origin)?;
    // One piece: nobody knows when its first token came.
    gathered.first_token_ms = None;
    gathered.finish(request, start, &origin)
}

fn read_events(mut reply: Reply, request: &Request, start: Instant) -> Result<Completion, AttemptError> {
    let origin = reply.origin().clone();
    let mut gathered = Gathered::default();
    let mut is_done = false;
    while let Some(line) = reply.next_line()? {
        // Comments, event names and ids carry nothing here; llama-server has sent errors under a field of that name.
        let Some(data) = line.strip_prefix(b"data:").or_else(|| line.strip_prefix(b"error:")) else { continue };
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            is_done = true;
            break;
        }
        let before = gathered.text.len() + gathered.reasoning.len();
        gathered.take(&reply.parse(data)?, "delta", &origin)?;
        if gathered.first_token_ms.is_none() && gathered.text.len() + gathered.reasoning.len() > before {
            gathered.first_token_ms = Some(Millis::from(start.elapsed()));
        }
    }
    // Not every server says [DONE] (transformers does not), but each ends with its counts.
    if !is_done && (gathered.finish.is_none() || gathered.usage.is_none()) {
        return Err(origin.cut());
    }
    gathered.finish(request, start, &origin)
}

impl Gathered {
    /// Takes over one body or chunk; the text lies under `part` of its first choice.
    fn take(&mut self, body: &Value, part: &str, origin: &Origin) -> Result<(), AttemptError> {
        if let Some(message) = reported_error(body) {
            return Err(origin.failed_midway(&message));
        }
        if let Some(choice) = body.pointer("/choices/0") {
            self.saw_choice = true;
            let text = |key: &str| choice.get(part).and_then(|part| part.get(key)).and_then(Value::as_str);
            self.text.push_str(text("content").unwrap_or(""));
            self.reasoning.push_str(text("reasoning_content").or_else(|| text("reasoning")).unwrap_or(""));
            for token in choice.pointer("/logprobs/content").and_then(Value::as_array).into_iter().flatten() {
                self.tokens.push(
                    read_token(token).ok_or_else(|| origin.lacking("token or logprob in an entry of `logprobs`"))?,
                );
            }
            if let Some(finish) = choice.get("finish_reason").and_then(Value::as_str) {
                self.finish = Some(finish.to_owned());
            }
        }
        if let Some(usage) = body.get("usage").filter(|usage| usage.is_object()) {
            self.usage = Some(read_usage(usage));
        }
        let timing = |key: &str| body.pointer(&format!("/timings/{key}")).and_then(Value::as_f64).map(Millis);
        self.prompt_ms = timing("prompt_ms").or(self.prompt_ms);
        self.generation_ms = timing("predicted_ms").or(self.generation_ms);
        Ok(())
    }

    fn finish(self, request: &Request, start: Instant, origin: &Origin) -> Result<Completion, AttemptError> {
        if !self.saw_choice {
            return Err(origin.lacking("`choices`"));
        }
        // A server that counts nothing still shows one entry a token where logprobs were asked for.
        let counted = Usage {
            generated_tokens: u32::try_from(self.tokens.len()).ok().filter(|count| *count > 0),
            ..Usage::default()
        };
        let usage = self.usage.unwrap_or(counted);
        let finish = match self.finish.as_deref() {
            Some("length" | "max_tokens") => FinishReason::Length,
            Some("stop" | "eos" | "eos_token" | "stop_sequence" | "tool_calls" | "function_call") => FinishReason::Stop,
            Some(other) => return Err(origin.failed_midway(&format!("generation ended with `{other}`"))),
            None if usage.generated_tokens.is_some_and(|count| count >= request.max_tokens) => FinishReason::Length,
            None => FinishReason::Stop,
        };
        Ok(Completion {
            text: self.text,
            reasoning: Some(self.reasoning).filter(|text| !text.is_empty()),
            finish,
            tokens: self.tokens,
            scores: Vec::new(),
            usage,
            phases: Phases {
                total_ms: Millis::from(start.elapsed()),
                load_ms: None,
                prompt_ms: self.prompt_ms,
                generation_ms: self.generation_ms,
                first_token_ms: self.first_token_ms,
            },
            attempts: Vec::new(),
            from_cache: false,
        })
    }
}

fn read_usage(usage: &Value) -> Usage {
    let count = |pointer: &str| {
        usage.pointer(pointer).and_then(Value::as_u64).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    };
    Usage {
        prompt_tokens: count("/prompt_tokens"),
        cached_tokens: count("/prompt_tokens_details/cached_tokens"),
        generated_tokens: count("/completion_tokens"),
    }
}
