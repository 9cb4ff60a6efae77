//! A backend that answers from a script, so that a whole run takes milliseconds and its numbers are known beforehand.

use puma_core::backend::OnDone;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Completion, Failure, FinishReason, Forgotten,
    Millis, ModelIdentity, Phases, Request, TokenLogprob, Usage,
};
use std::sync::{Mutex, PoisonError};

/// What the script says to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// An answer.
    Say(Box<Completion>),
    /// A failure for good.
    Fail(Failure),
}

impl Line {
    /// `text`, ended by the model itself, with made-up but fixed counts and times.
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(Box::new(said(&text.into())))
    }

    /// `text`, ended by the token limit.
    pub fn cut(text: impl Into<String>) -> Self {
        Self::Say(Box::new(Completion { finish: FinishReason::Length, ..said(&text.into()) }))
    }

    /// A failure of `kind`.
    pub fn fail(kind: BackendErrorKind, message: impl Into<String>) -> Self {
        Self::Fail(BackendError::new(kind, message).into())
    }

    /// The same line with token logprobs; a failure stays as it is.
    pub fn with_tokens(mut self, tokens: Vec<TokenLogprob>) -> Self {
        if let Self::Say(completion) = &mut self {
            completion.tokens = tokens;
        }
        self
    }

    /// The same line with a latency of `total_ms`; a failure stays as it is.
    pub fn with_latency_ms(mut self, total_ms: f64) -> Self {
        if let Self::Say(completion) = &mut self {
            completion.phases.total_ms = Millis(total_ms);
        }
        self
    }
}

fn said(text: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        reasoning: None,
        finish: FinishReason::Stop,
        tokens: Vec::new(),
        scores: Vec::new(),
        usage: Usage { prompt_tokens: Some(10), cached_tokens: Some(0), generated_tokens: Some(2) },
        phases: Phases {
            total_ms: Millis(5.0),
            prompt_ms: Some(Millis(3.0)),
            generation_ms: Some(Millis(2.0)),
            ..Phases::default()
        },
        attempts: Vec::new(),
        from_cache: false,
    }
}

type Script = Box<dyn Fn(&Request) -> Line + Send + Sync>;

/// Answers from a script and remembers what it was asked.
pub struct ScriptedBackend {
    script: Script,
    asked: Mutex<Vec<Request>>,
    capacity: usize,
}

impl ScriptedBackend {
    /// Answers with what `script` returns.
    pub fn from_fn(script: impl Fn(&Request) -> Line + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), asked: Mutex::default(), capacity: 1 }
    }

    /// Answers with the first row whose text occurs in the last message; any other request fails.
    pub fn table<K: Into<String>>(rows: impl IntoIterator<Item = (K, Line)>) -> Self {
        let rows: Vec<(String, Line)> = rows.into_iter().map(|(key, line)| (key.into(), line)).collect();
        Self::from_fn(move |request| {
            let text = request.messages.last().map_or("", |message| message.content.as_str());
            rows.iter().find(|(key, _)| text.contains(key)).map_or_else(
                || Line::fail(BackendErrorKind::Unsupported, format!("the script has no line for `{text}`")),
                |(_, line)| line.clone(),
            )
        })
    }

    /// Always says `text`.
    pub fn always(text: &str) -> Self {
        let line = Line::say(text);
        Self::from_fn(move |_| line.clone())
    }

    /// The same backend taking batches of `capacity`.
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity: capacity.max(1), ..self }
    }

    /// Every request so far, in order.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Backend for ScriptedBackend {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity { kind: "scripted".to_owned(), ..BackendIdentity::default() }
    }

    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        Ok(ModelIdentity { name: model.to_owned(), ..ModelIdentity::default() })
    }

    fn forget(&self, _model: &str) -> Result<Forgotten, BackendError> {
        Ok(Forgotten::Nothing)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        for (index, request) in requests.iter().enumerate() {
            if cancel.is_cancelled() {
                done(index, Err(BackendError::new(BackendErrorKind::Cancelled, "the request was cancelled").into()));
                continue;
            }
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
            done(
                index,
                match (self.script)(request) {
                    Line::Say(completion) => Ok(*completion),
                    Line::Fail(failure) => Err(failure),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::question;

    #[test]
    fn the_first_fitting_row_answers_and_the_rest_fails() {
        let backend = ScriptedBackend::table([("crash", Line::say("Critical")), ("a", Line::cut("Min"))]);
        let asked = [question("a crash"), question("a typo"), question("?")];
        let mut results = Vec::new();
        backend.complete(&asked, &Cancel::default(), &mut |index, result| results.push((index, result)));
        let text = |index: usize| results[index].1.as_ref().map(|done| (done.text.as_str(), done.finish));
        assert_eq!(text(0), Ok(("Critical", FinishReason::Stop)));
        assert_eq!(text(1), Ok(("Min", FinishReason::Length)));
        assert_eq!(text(2).expect_err("no row fits").error.kind, BackendErrorKind::Unsupported);
        assert_eq!(backend.asked(), asked);
    }
}
