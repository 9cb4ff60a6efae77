//! What the generations of Gemma have in common.

use crate::config::layers::windowed;
use crate::config::{Config, Gate, Keys, LayerConfig, Recipe, Rope};
use crate::error::EngineError;

/// GeGLU, and norms after the blocks as before them.
pub(super) const RECIPE: Recipe = Recipe { post_norm: true, gate: Gate::Gelu, ..Recipe::PLAIN };

/// Embeddings are scaled by the root of their length; attention is scaled by the head's, and in the model of
/// `layers_of_27b` layers by that of a head's share of the embedding.
pub(super) fn scales(config: &mut Config, layers_of_27b: usize) {
    config.embedding_scale = (config.embedding_length as f32).sqrt();
    let length = match config.block_count {
        layers if layers == layers_of_27b => config.embedding_length / config.head_count,
        _ => config.key_length,
    };
    config.attention_scale = 1.0 / (length as f32).sqrt();
}

/// Gives a window and the rotary embedding `local` to all but the last of `pattern` layers.
pub(super) fn windows(
    keys: &Keys<'_>,
    config: &mut Config,
    window: usize,
    pattern: usize,
    local: Rope,
) -> Result<(), EngineError> {
    config.ropes.push(local);
    for (layer, windowed) in config.layers.iter_mut().zip(windowed(keys, config.block_count, pattern)?) {
        if windowed {
            *layer = LayerConfig { window: Some(window), rope: Some(1) };
        }
    }
    Ok(())
}
