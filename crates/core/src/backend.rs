//! The door to a language model.

use crate::completion::{Attempt, Completion};
use crate::request::Request;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that asks long work to stop soon. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What answered: stored with every run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BackendIdentity {
    /// `embedded`, `ollama`, `scripted`, `replay`, or the kind of OpenAI-compatible server: `llama-server`, `lmstudio`,
    /// `mlx`, `transformers`, `vllm`, `openai` for every other.
    pub kind: String,
    pub version: Option<String>,
    pub endpoint: Option<String>,
    /// Instruction set in use (`scalar`, `avx2`, …), embedded engine only.
    pub simd: Option<String>,
    pub threads: Option<u32>,
    /// Numerics contract (`N1`), embedded engine only.
    pub numerics: Option<String>,
    /// The user's settings that can change an answer, by name: how a server is asked. Empty for the embedded engine.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

/// Which weights answered: stored with every run. `None` means the backend does not tell, never a guess.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// The name the user gave.
    pub name: String,
    /// `sha256:…` of the weights file (embedded), or of the manifest (Ollama).
    pub digest: Option<String>,
    pub quantization: Option<String>,
    pub architecture: Option<String>,
    pub parameters: Option<u64>,
    pub size_bytes: Option<u64>,
    /// Context window in use, in tokens.
    pub context_length: Option<u32>,
    /// SHA-256 of the chat template text.
    pub template_hash: Option<String>,
    /// Where the embedded engine has the template from: `file`, or `chatml` or `plain` where the file has none.
    #[serde(default)]
    pub template_source: Option<String>,
    /// Where the weights came from: a path without personal parts, a registry, a server.
    pub source: Option<String>,
    /// Share of the model on a GPU, 0 to 1.
    pub gpu_share: Option<f64>,
    /// Whether the backend returns logprobs for this model.
    pub logprobs: Option<bool>,
}

/// What kind of trouble a backend met; decides retry and hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendErrorKind {
    /// No connection could be made.
    Unreachable,
    /// No answer within the time limit.
    Timeout,
    /// The server answered with an HTTP error status.
    Http,
    /// The server answered something that is not its protocol.
    Protocol,
    ModelNotFound,
    /// The prompt does not fit the context window.
    ContextExceeded,
    /// A request option the backend does not support.
    Unsupported,
    Cancelled,
    /// The embedded engine failed (broken file, not enough memory).
    Engine,
}

/// A backend's failure: what happened, in a sentence, and what the user can do.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct BackendError {
    pub kind: BackendErrorKind,
    pub message: String,
    pub hint: Option<String>,
    pub http_status: Option<u16>,
}

impl BackendError {
    pub fn new(kind: BackendErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, http_status: None }
    }
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    pub fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }
}

/// A request that failed for good, with every attempt made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub error: BackendError,
    pub attempts: Vec<Attempt>,
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self { error, attempts: Vec::new() }
    }
}

/// Receives each finished request of a batch: its index in the batch and what became of it.
pub type OnDone<'a> = &'a mut dyn FnMut(usize, Result<Completion, Failure>);

/// What a backend forgot when it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgotten {
    /// The model was unloaded, and with it everything computed for earlier prompts.
    Model,
    /// There is nothing to forget: every prompt is computed anew.
    Nothing,
    /// It may still know earlier prompts, and cannot be told to forget them.
    Unable,
}

/// Something that completes requests. Retrying is the backend's own business, in one layer.
pub trait Backend: Send + Sync {
    /// What this backend is. Cheap; no request is made.
    fn identity(&self) -> BackendIdentity;

    /// Makes `model` ready and tells what it is. Called once a model before its first request.
    ///
    /// # Errors
    /// The model cannot be found or loaded, or the server cannot be reached.
    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError>;

    /// How many requests are useful in one [`complete`](Self::complete) call: batch size or connection limit.
    fn capacity(&self) -> usize;

    /// Forgets what was computed for earlier prompts of `model`, so that the next request meets a fresh model. A model
    /// that was unloaded is loaded again by that request.
    ///
    /// # Errors
    /// The server cannot be reached, or keeps the model although it was told to let go.
    fn forget(&self, model: &str) -> Result<Forgotten, BackendError>;

    /// Completes every request and reports each through `done` as soon as it is finished, in any order, once each.
    /// After `cancel` the rest is reported with [`BackendErrorKind::Cancelled`].
    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>);
}
