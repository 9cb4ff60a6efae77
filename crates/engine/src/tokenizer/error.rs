//! What can be wrong with a vocabulary.

use crate::gguf::GgufError;

/// Why no tokenizer could be made of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// `tokenizer.ggml.model` names a kind of vocabulary that is not read here.
    #[error("the vocabulary is of the kind {name}{} (tokenizer.ggml.model), which is not supported", described(name))]
    UnknownModel { name: String },
    /// `tokenizer.ggml.pre` names rules that are not known.
    #[error("the pre-tokenizer {name} (tokenizer.ggml.pre) is unknown, so text would be split at the wrong places")]
    UnknownPreTokenizer { name: String },
    /// The vocabulary contradicts itself.
    #[error("the vocabulary is malformed ({key}): {message}")]
    Malformed { key: &'static str, message: String },
}

/// What lies behind the names that GGUF gives to kinds of vocabularies.
fn described(name: &str) -> &'static str {
    match name {
        "t5" => ", a unigram language model (UGM)",
        "bert" => ", WordPiece (WPM)",
        "rwkv" => ", RWKV's greedy trie",
        "plamo2" => ", PLaMo 2's table of suffixes",
        "gemma4" => ", Gemma 4's byte pairs",
        _ => "",
    }
}

impl TokenizerError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Gguf(error) => error.hint.clone(),
            Self::UnknownModel { .. } => Some("use a model with a vocabulary of the kind gpt2 or llama".to_owned()),
            Self::UnknownPreTokenizer { .. } => {
                let known = super::pre_tokenizer::known_names().collect::<Vec<_>>().join(", ");
                Some(format!("known are {known}"))
            }
            Self::Malformed { .. } => Some("fetch another conversion of the model".to_owned()),
        }
    }

    pub(super) fn malformed(key: &'static str, message: impl Into<String>) -> Self {
        Self::Malformed { key, message: message.into() }
    }
}
