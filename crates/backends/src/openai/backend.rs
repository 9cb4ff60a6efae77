//! The backend for OpenAI-compatible servers: options, state and the `Backend` door.

use super::presets::Preset;
use super::request::{Terms, body};
use super::{answer, identify};
use crate::endpoint::Endpoint;
use crate::http::{ApiKey, HttpClient, TimeLimits};
use crate::http_batch::run_batch;
use crate::http_errors::ServerHints;
use crate::http_request::jitter_seed;
use crate::retry::{self, AttemptError, RetryPolicy, Sleep};
use crate::sources::file_digest;
use puma_core::backend::OnDone;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Completion, Failure, Forgotten, Message,
    ModelIdentity, Request,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Everything the user can choose about an OpenAI-compatible server.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenAiOptions {
    pub preset: &'static Preset,
    /// With or without a trailing `/v1`.
    pub endpoint: Endpoint,
    pub api_key: Option<ApiKey>,
    /// Requests in flight at a time. More than one lets a server batch them, which may change its answers.
    pub concurrency: usize,
    /// Whether a model that can think may; sent where the preset has a switch for it.
    pub think: bool,
    /// Whether the server may reuse what it computed for an earlier prompt: faster, but answers may depend on order.
    pub reuse_prompts: bool,
    pub limits: TimeLimits,
    pub retry: RetryPolicy,
    /// Folder that remembers digests of weights files. With one, a file that lies on this machine is hashed, for no
    /// such server tells a digest; without one the digest stays unknown.
    pub digests: Option<PathBuf>,
}

impl OpenAiOptions {
    /// The preset's defaults, on loopback when `endpoint` is `None`.
    pub fn new(preset: &'static Preset, endpoint: Option<Endpoint>) -> Self {
        Self {
            preset,
            endpoint: endpoint.unwrap_or_else(|| Endpoint::loopback(preset.default_port)).without_v1(),
            api_key: None,
            concurrency: 1,
            think: false,
            reuse_prompts: false,
            limits: TimeLimits::default(),
            retry: RetryPolicy::default(),
            digests: None,
        }
    }
}

/// Asks an OpenAI-compatible server.
pub struct OpenAiBackend {
    options: OpenAiOptions,
    client: HttpClient,
    version: Mutex<Option<String>>,
    /// By model: whether logprobs came when they were asked for.
    logprobs: Mutex<BTreeMap<String, bool>>,
}

impl OpenAiBackend {
    pub fn new(options: OpenAiOptions) -> Self {
        let hints = ServerHints { server: options.preset.server, start: options.preset.start };
        let endpoint = options.endpoint.clone().without_v1();
        let client = HttpClient::new(endpoint, options.api_key.clone(), options.limits.connect, hints);
        Self { options, client, version: Mutex::default(), logprobs: Mutex::default() }
    }

    /// `sha256:…` of the weights file at `path` as the server names it, where server and file are on this machine. A
    /// file that cannot be read has none.
    fn digest(&self, path: Option<String>) -> Option<String> {
        let path = path.map(PathBuf::from)?;
        let here = self.options.endpoint.is_loopback() && path.is_absolute() && path.is_file();
        let digest = file_digest(self.options.digests.as_deref().filter(|_| here)?, &path).ok()?;
        Some(digest.to_string())
    }

    fn terms(&self, model: &str) -> Terms {
        let probed = self.logprobs.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied();
        Terms {
            preset: self.options.preset,
            think: self.options.think,
            reuse_prompts: self.options.reuse_prompts,
            logprobs: probed.unwrap_or(self.options.preset.logprobs),
        }
    }

    fn ask(
        &self,
        client: &HttpClient,
        request: &Request,
        limit: Duration,
        cancel: &Cancel,
    ) -> Result<Completion, Failure> {
        let body = body(request, &self.terms(&request.model))?;
        let attempt = |_| -> Result<Completion, AttemptError> {
            let start = Instant::now();
            answer::read(client.post("/v1/chat/completions", &body, limit)?, request, start)
        };
        let (mut completion, attempts) =
            retry::run(&self.options.retry, jitter_seed(request), &Sleep, cancel, attempt)?;
        completion.attempts = attempts;
        Ok(completion)
    }

    /// Waits until the server says it is ready: while it loads a model it answers 503.
    fn await_ready(&self) -> Result<(), BackendError> {
        let Some(path) = self.options.preset.health_path else { return Ok(()) };
        let start = Instant::now();
        let cap = Duration::from_secs(2);
        let patient =
            RetryPolicy { max_attempts: u32::MAX, base: Duration::from_millis(250), cap, retry_after_cap: cap };
        let tried = retry::run(&patient, 0, &Sleep, &Cancel::default(), |number| {
            let Err(failed) = self.client.get(path, self.options.limits.inquiry) else { return Ok(()) };
            let is_loading = failed.error.http_status == Some(503) && start.elapsed() < self.options.limits.load;
            let may_come = number < self.options.retry.max_attempts && failed.transient;
            match failed.error.http_status {
                // Not every version has this path; the model list decides then.
                Some(404) => Ok(()),
                _ => Err(AttemptError { transient: is_loading || may_come, ..failed }),
            }
        });
        tried.map(|_| ()).map_err(|failure| failure.error)
    }

    /// Asks for one token: loads the model and shows whether logprobs come. A server that refuses them is asked again
    /// without.
    fn probe(&self, model: &str) -> Result<bool, BackendError> {
        let request = |logprobs| Request {
            model: model.to_owned(),
            messages: vec![Message::user("Hello")],
            max_tokens: 1,
            temperature: 0.0,
            seed: 0,
            stop: Vec::new(),
            logprobs,
            top_logprobs: u8::from(logprobs),
            context_length: None,
            format: None,
            choices: None,
        };
        let ask = |logprobs| self.ask(&self.client, &request(logprobs), self.options.limits.load, &Cancel::default());
        if self.options.preset.logprobs {
            match ask(true) {
                Ok(completion) => return Ok(!completion.tokens.is_empty()),
                Err(failure) if failure.error.http_status.is_some() => {}
                Err(failure) => return Err(failure.error),
            }
        }
        ask(false).map(|_| false).map_err(|failure| failure.error)
    }
}

impl Backend for OpenAiBackend {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity {
            // The kind of server decides how it is asked and what it tells of itself, so a resumed run needs it.
            kind: self.options.preset.name.to_owned(),
            version: self.version.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            endpoint: Some(self.options.endpoint.to_string()),
            settings: BTreeMap::from([
                ("reuse_prompts".to_owned(), self.options.reuse_prompts.to_string()),
                ("think".to_owned(), self.options.think.to_string()),
            ]),
            ..BackendIdentity::default()
        }
    }

    /// Waits for the server, asks what it runs, and has it answer one token, which loads the model and shows whether
    /// logprobs come.
    ///
    /// Cost: up to seven requests and the loading of the model.
    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        self.await_ready()?;
        let OpenAiOptions { limits, preset, retry, .. } = &self.options;
        let ask = |_| identify::ask(&self.client, limits, preset, model);
        let (told, _) = retry::run(retry, 0, &Sleep, &Cancel::default(), ask).map_err(|failure| failure.error)?;
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = told.version;
        let logprobs = self.probe(model).map_err(|error| match error.kind {
            BackendErrorKind::ModelNotFound => error.with_hint("see the names that the server lists under /v1/models"),
            _ => error,
        })?;
        self.logprobs.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), logprobs);
        Ok(ModelIdentity { logprobs: Some(logprobs), digest: self.digest(told.model_path), ..told.identity })
    }

    /// A server that is told with every request to compute it anew has nothing to forget; the others cannot be told.
    fn forget(&self, _model: &str) -> Result<Forgotten, BackendError> {
        let computes_anew = !self.options.reuse_prompts && self.options.preset.can_compute_anew();
        Ok(if computes_anew { Forgotten::Nothing } else { Forgotten::Unable })
    }

    fn capacity(&self) -> usize {
        self.options.concurrency.max(1)
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        let client = self.client.separate();
        run_batch(requests, self.capacity(), cancel, done, &|| client.interrupt(), &|request| {
            self.ask(&client, request, self.options.limits.for_model(&request.model), cancel)
        });
    }
}
