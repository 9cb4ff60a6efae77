//! What can go wrong between a model file and its tokens.

use crate::gguf::GgufError;
use std::path::PathBuf;

/// A failure of the engine, as a sentence; [`hint`](Self::hint) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The file cannot be read as GGUF, or a metadata key is missing or of another type.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The file is GGUF, but not a model this engine can run.
    #[error("{}: {message}", file.display())]
    Model { file: PathBuf, message: String, hint: Option<String> },
    /// A request without a prompt.
    #[error("the prompt is empty; a language model needs at least one token to go on from")]
    EmptyPrompt,
    /// A token id the vocabulary does not have.
    #[error("token id {token} is outside the vocabulary of {vocabulary} tokens")]
    TokenOutOfRange { token: u32, vocabulary: usize },
    /// The prompt leaves no room for an answer.
    #[error("the prompt has {prompt_tokens} tokens, but the context window holds {context_length} with the answer")]
    ContextExceeded { prompt_tokens: usize, context_length: usize },
    /// The keys and values of one request alone do not fit the memory they may take.
    #[error(
        "the keys and values of {tokens} tokens need {} MB, but they may take {} MB",
        needed_bytes.div_ceil(1_000_000), limit_bytes / 1_000_000
    )]
    KvMemory { tokens: usize, needed_bytes: usize, limit_bytes: usize },
    /// The weights or activations produced infinities or NaN.
    #[error(
        "the model computed a number that is not finite at position {position}; its weights are damaged or overflow"
    )]
    NotFinite { position: usize },
    /// An option that makes no sense.
    #[error("engine option {option}: {message}")]
    Option { option: &'static str, message: String },
    /// The caller cancelled before the request was finished.
    #[error("cancelled")]
    Cancelled,
}

impl EngineError {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Gguf(error) => error.hint.clone(),
            Self::Model { hint, .. } => hint.clone(),
            Self::ContextExceeded { .. } => Some("shorten the prompt or raise the context length".to_owned()),
            Self::KvMemory { needed_bytes, .. } => Some(format!(
                "allow {} MB with `--max-kv-mb`, keep them in f16, or shorten the prompt or the answer",
                needed_bytes.div_ceil(1_000_000)
            )),
            Self::NotFinite { .. } => Some("check the file's SHA-256, or try another quantisation".to_owned()),
            Self::EmptyPrompt | Self::TokenOutOfRange { .. } | Self::Option { .. } | Self::Cancelled => None,
        }
    }
}
