//! From nothing to the first token: what a program that is started for one question waits for.

use super::subject::{Subject, engine_failure};
use crate::failure::Failure;
use puma_core::Message;
use puma_engine::{EngineOptions, GenerateRequest};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

/// Short, so that loading is what is measured.
const QUESTION: &str = "How urgent is a login page that is down for all users?";

/// How long the beginning took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct FirstToken {
    /// From opening the file to an engine that can be asked.
    pub load_ms: f64,
    /// From opening the file to the first token of the answer.
    pub first_token_ms: f64,
    /// Tokens of the question, the model's chat template included.
    pub prompt_tokens: usize,
}

/// Opens the model at `path` and makes it ready: milliseconds.
///
/// # Errors
/// It is no usable model.
pub(crate) fn load_ms(path: &Path, options: EngineOptions) -> Result<f64, Failure> {
    let started = Instant::now();
    let subject = Subject::open(path)?;
    let engine = subject.engine(options)?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    drop((engine, subject));
    Ok(load_ms)
}

/// Opens the model at `path` and asks it a short question.
///
/// # Errors
/// It is no usable model.
pub(crate) fn first_token(path: &Path, options: EngineOptions) -> Result<FirstToken, Failure> {
    let started = Instant::now();
    let subject = Subject::open(path)?;
    let mut engine = subject.engine(options)?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let prompt = subject.tokens(&[Message::user(QUESTION)])?;
    let prompt_tokens = prompt.len();
    let request = GenerateRequest { prompt, max_tokens: 1, ..GenerateRequest::default() };
    engine.generate_one(&request).map_err(engine_failure)?;
    Ok(FirstToken { load_ms, first_token_ms: started.elapsed().as_secs_f64() * 1e3, prompt_tokens })
}
