//! The `gemma2` architecture: norms around both blocks, GeGLU, windows in every other layer, and soft caps of attention
//! scores and logits. Source: Gemma Team 2024, "Gemma 2: Improving Open Language Models at a Practical Size", section 2.

use super::gemma;
use crate::config::rope::freq_base;
use crate::config::{Config, Keys, Recipe, Rope};
use crate::error::EngineError;

pub(super) const RECIPE: Recipe = Recipe { name: "gemma2", refine, ..gemma::RECIPE };

fn refine(keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    gemma::scales(config, 46);
    config.attn_logit_softcapping = Some(keys.positive("attn_logit_softcapping")?.unwrap_or(50.0));
    config.final_logit_softcapping = Some(keys.positive("final_logit_softcapping")?.unwrap_or(30.0));
    let window = keys.ranged("attention.sliding_window", 1..=1 << 24)?.unwrap_or(4096);
    let global = config.ropes[0];
    let freq_base = freq_base(keys, "rope.freq_base_swa")?.unwrap_or(global.freq_base);
    gemma::windows(keys, config, window, 2, Rope { freq_base, ..global })
}
