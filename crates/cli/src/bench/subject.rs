//! The model that is measured, and everything needed to ask it.

use crate::context::Context;
use crate::failure::Failure;
use crate::wire;
use puma_backends::sources::ResolvedModel;
use puma_core::{Message, Role};
use puma_engine::chat::{ChatMessage, ChatTemplate};
use puma_engine::tokenizer::Tokenizer;
use puma_engine::{Engine, EngineError, EngineOptions, Model};
use std::path::Path;
use std::sync::Arc;

/// A model with its tokenizer and its way to be asked.
pub(crate) struct Subject {
    pub model: Arc<Model>,
    pub tokenizer: Tokenizer,
    template: ChatTemplate,
}

/// Finds the file behind a model's name.
///
/// # Errors
/// Nothing here has it.
pub(crate) fn find(name: &str, context: &Context) -> Result<ResolvedModel, Failure> {
    Ok(wire::library(context.home.as_deref())?.resolve(name)?)
}

impl Subject {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It is no usable model.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let model = Arc::new(Model::open(path).map_err(engine_failure)?);
        let in_file = |error: &dyn std::fmt::Display| Failure::operation(format!("{}: {error}", path.display()));
        let tokenizer = Tokenizer::from_gguf(model.gguf()).map_err(|error| in_file(&error).hint_opt(error.hint()))?;
        let template = ChatTemplate::from_gguf(model.gguf(), &tokenizer).map_err(|error| in_file(&error))?;
        Ok(Self { model, tokenizer, template })
    }

    /// An engine for it.
    ///
    /// # Errors
    /// Threads cannot be started.
    pub(crate) fn engine(&self, options: EngineOptions) -> Result<Engine, Failure> {
        Engine::new(Arc::clone(&self.model), options).map_err(engine_failure)
    }

    /// Token ids of a conversation, by the model's own template.
    ///
    /// # Errors
    /// The template refuses it.
    pub(crate) fn tokens(&self, messages: &[Message]) -> Result<Vec<u32>, Failure> {
        let messages: Vec<ChatMessage> =
            messages.iter().map(|message| ChatMessage::new(role(message.role), message.content.clone())).collect();
        self.template.encode(&self.tokenizer, &messages).map_err(|error| Failure::operation(error.to_string()))
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

pub(super) fn engine_failure(error: EngineError) -> Failure {
    Failure::operation(error.to_string()).hint_opt(error.hint())
}
