//! One place on this machine that holds a model's weights.

use crate::sources::digest::ModelDigest;
use serde::Serialize;
use std::path::PathBuf;

/// Whose folder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A path the user gave.
    Path,
    /// Pulled by PUMA.
    Puma,
    Ollama,
    HuggingFace,
    LmStudio,
}

impl StoreKind {
    /// As shown to people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Path => "file",
            Self::Puma => "PUMA",
            Self::Ollama => "Ollama",
            Self::HuggingFace => "Hugging Face cache",
            Self::LmStudio => "LM Studio",
        }
    }
}

/// A weights file that was found, with what is known about it without reading it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Location {
    pub store: StoreKind,
    /// The catalogue source it was pulled from (`pypi`), for PUMA's own files; else the store.
    pub source: String,
    /// Where the bytes came from, without personal parts: `pypi:…`, `registry.ollama.ai/…`, `hf:…`, a file name.
    pub origin: String,
    pub path: PathBuf,
    pub size_bytes: u64,
    pub quantization: Option<String>,
    /// The digest that the store states; only resolving checks it.
    pub digest: Option<ModelDigest>,
    /// What else Ollama keeps for the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<OllamaLayers>,
}

/// What an Ollama model holds beside its weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct OllamaLayers {
    /// SHA-256 of the manifest: Ollama's model id.
    pub manifest_digest: Option<ModelDigest>,
    /// Go template that Ollama applies instead of the one inside the GGUF.
    pub template: Option<String>,
    pub system: Option<String>,
    /// Default request options, such as stop words.
    pub params: Option<serde_json::Value>,
    /// Architecture family as the configuration names it (`llama`).
    pub family: Option<String>,
}
