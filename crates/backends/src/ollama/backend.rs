//! The Ollama backend: options, state and the `Backend` door.

use super::request::{Api, Terms, body};
use super::{answer, identify, unload};
use crate::endpoint::Endpoint;
use crate::http::{HttpClient, TimeLimits};
use crate::http_batch::run_batch;
use crate::http_errors::ServerHints;
use crate::http_request::jitter_seed;
use crate::retry::{self, AttemptError, RetryPolicy, Sleep};
use puma_core::backend::OnDone;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Completion, Failure, Forgotten, ModelIdentity,
    Request,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

const HINTS: ServerHints = ServerHints {
    server: "Ollama",
    start: "start it with `puma up` (or `ollama serve`); its address is set by --endpoint or OLLAMA_HOST",
};

/// Everything the user can choose about Ollama.
#[derive(Clone, Debug, PartialEq)]
pub struct OllamaOptions {
    pub endpoint: Endpoint,
    pub api: Api,
    /// How long the server keeps a model loaded after a request: `5m`, seconds, `-1` for ever, `0` to unload at once.
    pub keep_alive: String,
    /// Requests in flight at a time. The server itself answers one at a time unless `OLLAMA_NUM_PARALLEL` says more.
    pub concurrency: usize,
    /// Whether a model that can think may; sent only to models that can.
    pub think: bool,
    /// Context window, in tokens, for requests that name none; `None` takes the model's own up to
    /// [`CONTEXT_CAP`](super::CONTEXT_CAP).
    pub context_length: Option<u32>,
    pub limits: TimeLimits,
    pub retry: RetryPolicy,
}

impl OllamaOptions {
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            api: Api::default(),
            keep_alive: "5m".to_owned(),
            concurrency: 1,
            think: false,
            context_length: None,
            limits: TimeLimits::default(),
            retry: RetryPolicy::default(),
        }
    }
}

/// What `prepare` learned about a model.
#[derive(Clone, Copy, Debug)]
struct Prepared {
    can_think: bool,
    logprobs: bool,
    window: u32,
    /// Longest window the model was trained for: the server never gives more, whatever is asked.
    longest_window: Option<u32>,
}

/// Asks an Ollama server.
pub struct OllamaBackend {
    options: OllamaOptions,
    client: HttpClient,
    version: Mutex<Option<String>>,
    prepared: Mutex<BTreeMap<String, Prepared>>,
}

impl OllamaBackend {
    pub fn new(options: OllamaOptions) -> Self {
        let client = HttpClient::new(options.endpoint.clone(), None, options.limits.connect, HINTS);
        Self { options, client, version: Mutex::default(), prepared: Mutex::default() }
    }

    /// The server's version.
    ///
    /// # Errors
    /// The server cannot be reached or is no Ollama.
    pub fn version(&self) -> Result<String, BackendError> {
        let version = self.persist(|| identify::version(&self.client, &self.options.limits))?;
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version.clone());
        Ok(version)
    }

    /// Every model the server has on disk.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn installed(&self) -> Result<Vec<super::InstalledModel>, BackendError> {
        self.persist(|| identify::installed(&self.client, &self.options.limits))
    }

    /// What the server tells of a model's inside.
    ///
    /// # Errors
    /// The server cannot be reached or does not have the model.
    pub fn facts(&self, model: &str) -> Result<super::ServedFacts, BackendError> {
        self.persist(|| super::facts::facts(&self.client, &self.options.limits, model))
    }

    fn known(&self, model: &str) -> Option<Prepared> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }

    fn terms(&self, model: &str) -> Terms {
        let prepared = self.known(model);
        Terms {
            api: self.options.api,
            keep_alive: self.options.keep_alive.clone(),
            think: prepared.filter(|known| known.can_think).map(|_| self.options.think),
            // Without `prepare` nothing is known: asking does no harm, for servers without logprobs ignore it.
            logprobs: prepared.is_none_or(|known| known.logprobs),
            context_length: prepared
                .map_or_else(|| self.options.context_length.unwrap_or(identify::CONTEXT_CAP), |known| known.window),
        }
    }

    fn ask(&self, client: &HttpClient, request: &Request, cancel: &Cancel) -> Result<Completion, Failure> {
        let terms = self.terms(&request.model);
        let body = body(request, &terms)?;
        let longest = self.known(&request.model).and_then(|known| known.longest_window).unwrap_or(u32::MAX);
        let window = request.context_length.unwrap_or(terms.context_length).min(longest);
        let limit = self.options.limits.for_model(&request.model);
        let attempt = |_| -> Result<Completion, AttemptError> {
            let start = Instant::now();
            let reply = client.post(terms.api.path(), &body, limit)?;
            answer::read(reply, request, window, start)
        };
        let (mut completion, attempts) = retry::run(&self.options.retry, jitter_seed(request), &Sleep, cancel, attempt)
            .map_err(|mut failure| {
                if failure.error.kind == BackendErrorKind::ModelNotFound {
                    failure.error.hint = identify::model_not_found(&request.model, "").hint;
                }
                failure
            })?;
        completion.attempts = attempts;
        Ok(completion)
    }

    /// Repeats one question to the server as requests are repeated.
    fn persist<T>(&self, ask: impl Fn() -> Result<T, AttemptError>) -> Result<T, BackendError> {
        let tried = retry::run(&self.options.retry, 0, &Sleep, &Cancel::default(), |_| ask());
        tried.map(|(value, _)| value).map_err(|failure| failure.error)
    }
}

impl Backend for OllamaBackend {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity {
            kind: "ollama".to_owned(),
            version: self.version.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            endpoint: Some(self.options.endpoint.to_string()),
            settings: BTreeMap::from([
                ("api".to_owned(), self.options.api.name().to_owned()),
                ("think".to_owned(), self.options.think.to_string()),
            ]),
            ..BackendIdentity::default()
        }
    }

    /// Asks for version, digest and template, loads the model with its window, and probes for logprobs.
    ///
    /// Cost: up to seven requests and the loading of the model.
    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        let limits = &self.options.limits;
        self.version()?;
        let found = identify::find(&self.installed()?, model)?;
        let shown = self.persist(|| identify::show(&self.client, limits, model))?;
        let own = shown.context_length.unwrap_or(identify::CONTEXT_CAP).min(identify::CONTEXT_CAP);
        let window = self.options.context_length.unwrap_or(own);
        let keep_alive = &self.options.keep_alive;
        self.persist(|| identify::load(&self.client, limits, model, keep_alive, window))?;
        let logprobs = identify::probe_logprobs(&self.client, limits, model, keep_alive, window);
        let placement = identify::placement(&self.client, limits, model);
        let known = Prepared {
            can_think: shown.can_think,
            logprobs: logprobs.unwrap_or(true),
            window,
            longest_window: shown.context_length,
        };
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), known);
        Ok(identify::identity(model, found, &shown, &placement, window, logprobs))
    }

    fn forget(&self, model: &str) -> Result<Forgotten, BackendError> {
        let limits = &self.options.limits;
        self.persist(|| unload::unload(&self.client, limits, model))?;
        unload::await_gone(&self.client, limits, model)?;
        Ok(Forgotten::Model)
    }

    fn capacity(&self) -> usize {
        self.options.concurrency.max(1)
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        let client = self.client.separate();
        run_batch(requests, self.capacity(), cancel, done, &|| client.interrupt(), &|request| {
            self.ask(&client, request, cancel)
        });
    }
}
