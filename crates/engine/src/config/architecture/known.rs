//! The list of architectures the engine runs.

use super::{gemma2, gemma3, granite, llama, mistral3, phi3, qwen2, qwen3, qwen3moe, smollm3};
use crate::config::Recipe;
use crate::error::EngineError;
use crate::gguf::Metadata;

/// The architectures the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// SmolLM2, Llama 2 and 3.x, Mistral, Mixtral.
    Llama,
    /// Qwen2, Qwen2.5 and models distilled into them.
    Qwen2,
    /// Qwen3, dense.
    Qwen3,
    /// Qwen3 with experts.
    Qwen3Moe,
    Gemma2,
    /// Gemma 3, text.
    Gemma3,
    /// Phi-3, Phi-3.5 and Phi-4.
    Phi3,
    SmolLm3,
    /// Granite 3 and 4, dense.
    Granite,
    /// Ministral 3.
    Mistral3,
}

impl Architecture {
    /// All of them, for messages.
    pub const ALL: [Self; 10] = [
        Self::Llama,
        Self::Mistral3,
        Self::Qwen2,
        Self::Qwen3,
        Self::Qwen3Moe,
        Self::Gemma2,
        Self::Gemma3,
        Self::Phi3,
        Self::SmolLm3,
        Self::Granite,
    ];

    /// The value of `general.architecture`, and the prefix of the model's keys.
    pub fn name(self) -> &'static str {
        self.recipe().name
    }

    /// What its layers are made of.
    pub fn recipe(self) -> &'static Recipe {
        match self {
            Self::Llama => &llama::RECIPE,
            Self::Qwen2 => &qwen2::RECIPE,
            Self::Qwen3 => &qwen3::RECIPE,
            Self::Qwen3Moe => &qwen3moe::RECIPE,
            Self::Gemma2 => &gemma2::RECIPE,
            Self::Gemma3 => &gemma3::RECIPE,
            Self::Phi3 => &phi3::RECIPE,
            Self::SmolLm3 => &smollm3::RECIPE,
            Self::Granite => &granite::RECIPE,
            Self::Mistral3 => &mistral3::RECIPE,
        }
    }

    /// The architecture a file names.
    ///
    /// # Errors
    /// It names none, or none that the engine runs.
    pub(crate) fn of(metadata: &Metadata) -> Result<Self, EngineError> {
        let name = metadata.required_string("general.architecture")?;
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| EngineError::Model {
            file: metadata.file().to_owned(),
            message: format!("the architecture `{name}` is not one the embedded engine runs"),
            hint: Some(format!(
                "take a model of: {}; or run it on a server (ollama, llama-server)",
                Self::ALL.map(Self::name).join(", ")
            )),
        })
    }
}
