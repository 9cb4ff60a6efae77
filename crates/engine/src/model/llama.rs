//! The `llama` architecture: SmolLM2, Llama 2 and 3.x, Mistral. Biases are rare but allowed.

use super::loaded::{Layer, Linear};
use super::tensors::Tensors;
use crate::config::Config;
use crate::error::EngineError;

/// Layer `index`: RMS norm, attention with rotary positions, RMS norm, SwiGLU.
pub(super) fn layer(tensors: &Tensors<'_>, config: &Config, index: usize) -> Result<Layer, EngineError> {
    let (width, ffn) = (config.embedding_length, config.feed_forward_length);
    let (queries, kv) = (config.query_width(), config.kv_width());
    let name = |part: &str| format!("blk.{index}.{part}");
    let linear = |part: &str, len: usize, rows: usize| -> Result<Linear, EngineError> {
        Ok(Linear {
            weight: tensors.matrix(&name(&format!("{part}.weight")), len, Some(rows))?,
            bias: tensors.optional_vector(&name(&format!("{part}.bias")), rows)?,
        })
    };
    Ok(Layer {
        attn_norm: tensors.vector(&name("attn_norm.weight"), width)?,
        attn_q: linear("attn_q", width, queries)?,
        attn_k: linear("attn_k", width, kv)?,
        attn_v: linear("attn_v", width, kv)?,
        attn_output: linear("attn_output", queries, width)?,
        ffn_norm: tensors.vector(&name("ffn_norm.weight"), width)?,
        ffn_gate: tensors.matrix(&name("ffn_gate.weight"), width, Some(ffn))?,
        ffn_up: tensors.matrix(&name("ffn_up.weight"), width, Some(ffn))?,
        ffn_down: tensors.matrix(&name("ffn_down.weight"), ffn, Some(width))?,
    })
}
