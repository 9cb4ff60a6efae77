//! The architectures a tiny model can have, and what is particular to each.

use super::tiny_model::{Experts, RopeScaling, TinyModel};
use super::vocabulary::Vocabulary;
use super::writer::MetadataValue;

const GRANITE_SCALE: f32 = 12.0;

/// Which architecture the file names and follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    Llama,
    Qwen2,
    Qwen3,
    Qwen3Moe,
    Gemma2,
    Gemma3,
    Phi3,
    Smollm3,
    Granite,
    Mistral3,
}

impl Architecture {
    /// Every architecture, in the order in which they were added.
    pub const ALL: [Self; 10] = [
        Self::Llama,
        Self::Qwen2,
        Self::Qwen3,
        Self::Qwen3Moe,
        Self::Gemma2,
        Self::Gemma3,
        Self::Phi3,
        Self::Smollm3,
        Self::Granite,
        Self::Mistral3,
    ];

    /// The value of `general.architecture`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Qwen3Moe => "qwen3moe",
            Self::Gemma2 => "gemma2",
            Self::Gemma3 => "gemma3",
            Self::Phi3 => "phi3",
            Self::Smollm3 => "smollm3",
            Self::Granite => "granite",
            Self::Mistral3 => "mistral3",
        }
    }

    /// The kind of vocabulary its published models have.
    pub(super) fn vocabulary(self) -> Vocabulary {
        let byte_pairs = |pre: &str| Vocabulary::BytePairs { pre: pre.to_owned() };
        match self {
            Self::Llama => byte_pairs("smollm"),
            Self::Qwen2 | Self::Qwen3 | Self::Qwen3Moe => byte_pairs("qwen2"),
            Self::Gemma2 | Self::Gemma3 => Vocabulary::Gemma,
            Self::Phi3 => Vocabulary::Phi3,
            Self::Smollm3 => byte_pairs("llama-bpe"),
            Self::Granite => byte_pairs("refact"),
            Self::Mistral3 => byte_pairs("tekken"),
        }
    }

    /// Whether its converter writes how many numbers of a head turn; readers take the head's length otherwise.
    pub(super) fn names_rope_length(self) -> bool {
        !matches!(self, Self::Gemma2 | Self::Gemma3)
    }

    /// What embeddings are multiplied with before the first layer.
    pub(super) fn embedding_scale(self, width: u32) -> f32 {
        match self {
            Self::Gemma2 | Self::Gemma3 => (width as f32).sqrt(),
            Self::Granite => GRANITE_SCALE,
            _ => 1.0,
        }
    }

    /// Changes `model` to what its converter writes beyond a llama. Every number differs from the default that readers
    /// take where the key is missing, so that a reader which does not look is found out.
    pub(super) fn adapt(self, model: &mut TinyModel) {
        let mut set = |key: &'static str, value: MetadataValue| model.settings.push((key, value));
        let (float, integer) = (MetadataValue::F32, MetadataValue::U32);
        match self {
            Self::Llama => {}
            Self::Qwen2 => model.qkv_bias = true,
            // Heads wider together than the residual stream, as in the 0.6B model.
            Self::Qwen3 => {
                model.rope_freq_base = 1_000_000.0;
                model.head_length = Some(128);
            }
            Self::Qwen3Moe => {
                model.rope_freq_base = 1_000_000.0;
                model.head_length = Some(128);
                model.experts = Some(Experts { count: 8, used: 2, ffn: 256 });
            }
            // Layers 0 and 2 slide, 1 and 3 see everything.
            Self::Gemma2 => {
                set("attention.sliding_window", integer(16));
                set("attn_logit_softcapping", float(3.0));
                set("final_logit_softcapping", float(8.0));
                model.head_length = Some(128);
                model.layers = 4;
            }
            // Layers 0 to 4 slide, 5 sees everything and turns by another base.
            Self::Gemma3 => {
                set("attention.sliding_window", integer(16));
                model.rope_freq_base = 1_000_000.0;
                model.head_length = Some(128);
                model.kv_heads = 1;
                model.layers = 6;
            }
            Self::Phi3 => {
                // Converters write 0 for the models that do not slide.
                set("attention.sliding_window", integer(0));
                set("rope.scaling.original_context_length", integer(512));
                model.tied = false;
            }
            // Every fourth layer has no positions.
            Self::Smollm3 => {
                model.rope_freq_base = 5_000_000.0;
                model.layers = 5;
            }
            Self::Granite => {
                set("attention.scale", float(0.05));
                set("embedding_scale", float(GRANITE_SCALE));
                set("residual_scale", float(0.7));
                set("logit_scale", float(1.5));
            }
            // Positions are stretched, and queries beyond the first 64 positions are made longer.
            Self::Mistral3 => {
                set("attention.temperature_scale", float(0.1));
                set("rope.scaling.yarn_beta_fast", float(24.0));
                set("rope.scaling.yarn_beta_slow", float(2.0));
                set("rope.scaling.yarn_log_multiplier", float(1.0));
                model.head_length = Some(128);
                model.rope_scaling = RopeScaling::Yarn { factor: 8.0, original_context: 64 };
                model.tied = false;
            }
        }
    }
}
