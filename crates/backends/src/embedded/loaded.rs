//! A model file made ready: engine, tokenizer, chat template and what is known of them.

use crate::sources::ResolvedModel;
use puma_core::{BackendError, BackendErrorKind, Message, ModelIdentity, Role};
use puma_engine::chat::{AnswerPaths, ChatError, ChatMessage, ChatTemplate};
use puma_engine::tokenizer::Tokenizer;
use puma_engine::{Engine, EngineError, EngineOptions, Model};
use std::path::Path;
use std::sync::Arc;

/// Context window taken when nobody asks for another, in tokens: enough for every scenario, small enough for every
/// machine.
pub const CONTEXT_CAP: usize = 8192;

/// Advice about a file that is no usable model, where the engine has none.
const FETCH_AGAIN: &str =
    "the file is damaged or its converter made a mistake; fetch it again, or take another conversion";

pub(super) struct Loaded {
    pub engine: Engine,
    pub tokenizer: Tokenizer,
    pub template: ChatTemplate,
    pub identity: ModelIdentity,
    pub stop_tokens: Vec<u32>,
}

impl Loaded {
    /// Opens the file behind `resolved`.
    pub(super) fn open(resolved: &ResolvedModel, mut options: EngineOptions) -> Result<Self, BackendError> {
        let model = Arc::new(Model::open(&resolved.path).map_err(|error| engine_error(&error))?);
        let window = options.context_length.unwrap_or(CONTEXT_CAP).min(model.config().context_length);
        options.context_length = Some(window);
        // Reading the vocabulary takes as long as making the weights ready, and neither needs the other.
        let (words, engine) = std::thread::scope(|scope| {
            let words = scope.spawn(|| words(resolved, &model));
            let engine = Engine::new(Arc::clone(&model), options);
            (words.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), engine)
        });
        let (tokenizer, template) = words?;
        let engine = engine.map_err(|error| engine_error(&error))?;
        let identity = identity(resolved, &model, &template, window);
        let stop_tokens = tokenizer.stop_ids().collect();
        Ok(Self { engine, tokenizer, template, identity, stop_tokens })
    }

    /// Token ids of a conversation, up to where the model's answer begins.
    pub(super) fn prompt_tokens(&self, messages: &[Message]) -> Result<Vec<u32>, BackendError> {
        let encoded = self.template.encode(&self.tokenizer, &chat(messages));
        encoded.map_err(|error| self.template_failed(&error))
    }

    /// Token ids of a conversation and of each of `answers` to it.
    pub(super) fn answer_paths(&self, messages: &[Message], answers: &[&str]) -> Result<AnswerPaths, BackendError> {
        let encoded = self.template.encode_answers(&self.tokenizer, &chat(messages), answers);
        encoded.map_err(|error| self.template_failed(&error))
    }

    fn template_failed(&self, error: &ChatError) -> BackendError {
        failed(format!("the chat template of {}: {error}", self.identity.name), None)
    }
}

/// The vocabulary of `model` and how it is spoken to.
fn words(resolved: &ResolvedModel, model: &Model) -> Result<(Tokenizer, ChatTemplate), BackendError> {
    let tokenizer = Tokenizer::from_gguf(model.gguf())
        .map_err(|error| failed(in_file(&resolved.path, &error.to_string()), error.hint()))?;
    let template = ChatTemplate::from_gguf(model.gguf(), &tokenizer)
        .map_err(|error| failed(in_file(&resolved.path, &error.to_string()), None))?;
    Ok((tokenizer, template))
}

fn identity(resolved: &ResolvedModel, model: &Model, template: &ChatTemplate, window: usize) -> ModelIdentity {
    ModelIdentity {
        name: resolved.name.clone(),
        digest: Some(resolved.digest.to_string()),
        quantization: Some(resolved.quantization.clone().unwrap_or_else(|| model.quantization().to_owned())),
        architecture: Some(model.config().architecture.name().to_owned()),
        parameters: Some(model.parameter_count()),
        size_bytes: Some(resolved.size_bytes),
        context_length: u32::try_from(window).ok(),
        template_hash: Some(template.template_hash().to_owned()),
        template_source: Some(template.source().name().to_owned()),
        source: Some(resolved.origin.clone()),
        gpu_share: Some(0.0),
        logprobs: Some(true),
    }
}

fn chat(messages: &[Message]) -> Vec<ChatMessage> {
    messages.iter().map(|message| ChatMessage::new(role(message.role), message.content.clone())).collect()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// `message` with the file it is about, which some messages name already.
fn in_file(file: &Path, message: &str) -> String {
    let file = file.display().to_string();
    if message.starts_with(&file) { message.to_owned() } else { format!("{file}: {message}") }
}

fn failed(message: String, hint: Option<String>) -> BackendError {
    let hint = hint.or_else(|| Some(FETCH_AGAIN.to_owned()));
    BackendError { kind: BackendErrorKind::Engine, message, hint, http_status: None }
}

/// What a failure of the engine means to a run.
pub(super) fn engine_error(error: &EngineError) -> BackendError {
    let kind = match error {
        EngineError::ContextExceeded { .. } => BackendErrorKind::ContextExceeded,
        EngineError::EmptyPrompt | EngineError::TokenOutOfRange { .. } => BackendErrorKind::Protocol,
        EngineError::Cancelled => BackendErrorKind::Cancelled,
        _ => BackendErrorKind::Engine,
    };
    let about_the_file = matches!(error, EngineError::Gguf(_) | EngineError::Model { .. });
    let hint = error.hint().or_else(|| about_the_file.then(|| FETCH_AGAIN.to_owned()));
    BackendError { kind, message: error.to_string(), hint, http_status: None }
}
