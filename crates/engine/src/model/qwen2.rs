//! The `qwen2` architecture: Qwen2, Qwen2.5 and models distilled into them. Queries, keys and values have biases.

use super::loaded::{Layer, Linear};
use super::tensors::Tensors;
use crate::config::Config;
use crate::error::EngineError;

/// Layer `index`: as in `llama`, with required biases on queries, keys and values.
pub(super) fn layer(tensors: &Tensors<'_>, config: &Config, index: usize) -> Result<Layer, EngineError> {
    let (width, ffn) = (config.embedding_length, config.feed_forward_length);
    let (queries, kv) = (config.query_width(), config.kv_width());
    let name = |part: &str| format!("blk.{index}.{part}");
    let biased = |part: &str, rows: usize| -> Result<Linear, EngineError> {
        Ok(Linear {
            weight: tensors.matrix(&name(&format!("{part}.weight")), width, Some(rows))?,
            bias: Some(tensors.vector(&name(&format!("{part}.bias")), rows)?),
        })
    };
    Ok(Layer {
        attn_norm: tensors.vector(&name("attn_norm.weight"), width)?,
        attn_q: biased("attn_q", queries)?,
        attn_k: biased("attn_k", kv)?,
        attn_v: biased("attn_v", kv)?,
        attn_output: Linear {
            weight: tensors.matrix(&name("attn_output.weight"), queries, Some(width))?,
            bias: tensors.optional_vector(&name("attn_output.bias"), width)?,
        },
        ffn_norm: tensors.vector(&name("ffn_norm.weight"), width)?,
        ffn_gate: tensors.matrix(&name("ffn_gate.weight"), width, Some(ffn))?,
        ffn_up: tensors.matrix(&name("ffn_up.weight"), width, Some(ffn))?,
        ffn_down: tensors.matrix(&name("ffn_down.weight"), ffn, Some(width))?,
    })
}
