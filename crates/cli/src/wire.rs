//! From arguments to a backend and the places it needs.

use crate::environment;
use crate::failure::Failure;
use crate::home;
use crate::options::{BackendArgs, BackendKind, EngineOptions as EngineArgs, OllamaApi};
use crate::paths;
use puma_backends::embedded::{CONTEXT_CAP, EmbeddedBackend, EmbeddedOptions};
use puma_backends::endpoint::{Endpoint, ResolvedEndpoint, resolve_ollama};
use puma_backends::http::{ApiKey, TimeLimits};
use puma_backends::ollama::service::{ServiceError, ServiceErrorKind, ServiceFolder};
use puma_backends::ollama::{Api, OllamaBackend, OllamaOptions};
use puma_backends::openai::{OpenAiBackend, OpenAiOptions, preset};
use puma_backends::sources::{Catalogue, Library, PullOptions, SourceError, SourceErrorKind, Stores};
use puma_core::Backend;
use puma_engine::{EngineOptions, UnknownLevel};
use puma_host::Machine;
use std::path::Path;
use std::time::Duration;

/// The catalogue and the model folders of this machine.
pub(crate) fn library(home: Option<&Path>) -> Result<Library, Failure> {
    let variable = |name: &str| environment::get(name).map(std::ffi::OsString::from);
    let mut stores = Stores::from_environment(variable, std::env::consts::OS);
    stores.own = paths::models();
    let mut library = Library::new(stores);
    if let Some(file) = home::file(home, &["catalog/models.yaml"]) {
        library.catalogue = Catalogue::parse(&home::read(&file)?, &file.display().to_string())?;
    }
    Ok(library)
}

/// How to pull, with the environment's hub and token.
pub(crate) fn pull_options() -> PullOptions {
    PullOptions::from_environment(|name| environment::get(name).map(std::ffi::OsString::from))
}

/// What `puma up` keeps in the data folder.
pub(crate) fn service() -> ServiceFolder {
    ServiceFolder::new(paths::data_dir())
}

/// Where Ollama is asked: the flag, the environment, what `puma up` wrote down, or Ollama's own default.
pub(crate) fn ollama_endpoint(flag: Option<&str>) -> Result<ResolvedEndpoint, Failure> {
    resolve_ollama(flag, environment::get, || Ok(service().record()?.map(|record| record.endpoint)))
}

/// The backend the arguments ask for; the embedded engine as suits any machine.
pub(crate) fn backend(args: &BackendArgs, home: Option<&Path>) -> Result<Box<dyn Backend>, Failure> {
    backend_on(&Machine::default(), args, home)
}

/// The backend the arguments ask for; the embedded engine as suits `machine`.
pub(crate) fn backend_on(
    machine: &Machine,
    args: &BackendArgs,
    home: Option<&Path>,
) -> Result<Box<dyn Backend>, Failure> {
    let BackendArgs { backend, endpoint, concurrency, timeout, keep_alive, context, api, think, reuse_prompts, engine } =
        args;
    let kind = backend.unwrap_or(BackendKind::Embedded);
    let concurrency = concurrency.map_or(1, |count| count as usize);
    refuse_misplaced(args, kind)?;
    match kind {
        BackendKind::Embedded => {
            let context_length = context.map(|tokens| tokens as usize).unwrap_or(CONTEXT_CAP);
            let engine = engine_options_on(machine, engine, context_length)?;
            Ok(Box::new(EmbeddedBackend::new(library(home)?, EmbeddedOptions { engine })))
        }
        BackendKind::Ollama => {
            let mut options = OllamaOptions::new(ollama_endpoint(endpoint.as_deref())?.endpoint);
            options.concurrency = concurrency;
            if let Some(keep_alive) = keep_alive {
                options.keep_alive.clone_from(keep_alive);
            }
            options.context_length = *context;
            options.think = *think;
            options.api = match api {
                Some(OllamaApi::Generate) => Api::Generate,
                Some(OllamaApi::Chat) | None => Api::Chat,
            };
            options.limits = limits(*timeout, home)?;
            Ok(Box::new(OllamaBackend::new(options)))
        }
        kind => {
            let preset = preset(kind.preset_name()).expect("every kind of server has a preset");
            let endpoint = endpoint.as_deref().map(|text| Endpoint::parse(text, preset.default_port)).transpose()?;
            let mut options = OpenAiOptions::new(preset, endpoint);
            options.concurrency = concurrency;
            options.think = *think;
            options.reuse_prompts = *reuse_prompts;
            options.api_key = environment::get("PUMA_API_KEY").map(ApiKey::new);
            options.limits = limits(*timeout, home)?;
            options.digests = Some(paths::models());
            Ok(Box::new(OpenAiBackend::new(options)))
        }
    }
}

/// Options that would do nothing with the chosen backend are errors.
fn refuse_misplaced(args: &BackendArgs, kind: BackendKind) -> Result<(), Failure> {
    let EngineArgs { threads, simd, batch, kv_type, max_kv_mb } = &args.engine;
    let embedded = kind == BackendKind::Embedded;
    let ollama = kind == BackendKind::Ollama;
    let table = [
        ("--endpoint", args.endpoint.is_some(), !embedded),
        ("--timeout", args.timeout.is_some(), !embedded),
        ("--concurrency", args.concurrency.is_some(), !embedded),
        ("--keep-alive", args.keep_alive.is_some(), ollama),
        ("--context", args.context.is_some(), embedded || ollama),
        ("--api", args.api.is_some(), ollama),
        ("--think", args.think, !embedded),
        ("--reuse-prompts", args.reuse_prompts, !embedded && !ollama),
        ("--threads", threads.is_some(), embedded),
        ("--simd", simd.is_some(), embedded),
        ("--batch", batch.is_some(), embedded),
        ("--kv-type", kv_type.is_some(), embedded),
        ("--max-kv-mb", max_kv_mb.is_some(), embedded),
    ];
    match table.into_iter().find(|(_, given, useful)| *given && !useful) {
        None => Ok(()),
        Some((flag, _, _)) => Err(Failure::invalid(format!("{flag} does nothing with this backend"))
            .hint("remove it, or choose another backend with `--backend`")),
    }
}

/// The embedded engine's options on `machine`: what was asked for, else one thread for each fast core, and its free
/// memory to plan with. A recorded machine is not the one that computes.
pub(crate) fn engine_options_on(
    machine: &Machine,
    args: &EngineArgs,
    context_length: usize,
) -> Result<EngineOptions, Failure> {
    let mut options = engine_options(args, context_length)?;
    if !machine.recorded {
        options.available_bytes = machine.free_memory_bytes();
        if let (None, Some(threads)) = (args.threads, machine.arithmetic_threads()) {
            options.threads = threads;
        }
    }
    Ok(options)
}

/// The embedded engine's options: what was asked for, else what suits any machine.
pub(crate) fn engine_options(args: &EngineArgs, context_length: usize) -> Result<EngineOptions, Failure> {
    let EngineArgs { threads, simd, batch, kv_type, max_kv_mb } = args;
    let mut options = EngineOptions { context_length: Some(context_length), ..EngineOptions::default() };
    if let Some(threads) = threads {
        options.threads = *threads as usize;
    }
    if let Some(batch) = batch {
        options.max_batch = *batch as usize;
    }
    if let Some(kind) = kv_type {
        options.kv_type = *kind;
    }
    if let Some(megabytes) = max_kv_mb {
        options.kv_bytes = *megabytes as usize * 1_000_000;
    }
    if let Some(name) = simd {
        options.level = name.parse().map_err(|error: UnknownLevel| Failure::invalid(error.to_string()))?;
    }
    Ok(options)
}

/// Time limits: the flag for all models, else each model's own from the catalogue.
fn limits(timeout_s: Option<u64>, home: Option<&Path>) -> Result<TimeLimits, Failure> {
    let mut limits = TimeLimits::default();
    match timeout_s {
        Some(seconds) => limits.request = Duration::from_secs(seconds),
        None => {
            let models = library(home)?.catalogue.models;
            limits.per_model =
                models.into_iter().map(|m| (m.tag, Duration::from_secs(u64::from(m.timeout_s)))).collect();
        }
    }
    Ok(limits)
}

impl BackendKind {
    /// The name of the preset in `backends::openai`.
    pub(crate) fn preset_name(self) -> &'static str {
        match self {
            Self::LlamaServer => "llama-server",
            Self::Lmstudio => "lmstudio",
            Self::Mlx => "mlx",
            Self::Transformers => "transformers",
            Self::Vllm => "vllm",
            Self::Embedded | Self::Ollama | Self::Openai => "openai",
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let kind = match error.kind {
            ServiceErrorKind::Invalid => crate::exit::ExitKind::InvalidInput,
            ServiceErrorKind::Failed => crate::exit::ExitKind::OperationFailed,
            ServiceErrorKind::Cancelled => crate::exit::ExitKind::Interrupted,
        };
        Self::new(kind, error.message).hint_opt(error.hint)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let failure = match error.kind {
            SourceErrorKind::InvalidName | SourceErrorKind::InvalidCatalogue => Self::invalid(error.message),
            SourceErrorKind::Cancelled => Self::new(crate::exit::ExitKind::Interrupted, error.message),
            SourceErrorKind::NotFound
            | SourceErrorKind::UnusableFile
            | SourceErrorKind::DigestMismatch
            | SourceErrorKind::NoSpace
            | SourceErrorKind::Io
            | SourceErrorKind::Network
            | SourceErrorKind::Server
            | SourceErrorKind::MissingTool => Self::operation(error.message),
        };
        let again = (error.kind == SourceErrorKind::Cancelled)
            .then(|| "type the same command again; it goes on where it stopped where the source allows".to_owned());
        failure.hint_opt(error.hint.or(again))
    }
}
