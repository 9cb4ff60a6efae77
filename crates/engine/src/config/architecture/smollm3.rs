//! The `smollm3` architecture: as Llama, but every fourth layer does not rotate.
//! Source: Bakouch et al. 2025, "SmolLM3", section on architecture; Yang et al. 2025, "RoPE to NoPE and Back Again".

use crate::config::{Config, Keys, Recipe, RopeLayout};
use crate::error::EngineError;

pub(super) const RECIPE: Recipe =
    Recipe { name: "smollm3", rope_layout: RopeLayout::Interleaved, refine, ..Recipe::PLAIN };

fn refine(_keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    for layer in config.layers.iter_mut().skip(3).step_by(4) {
        layer.rope = None;
    }
    Ok(())
}
