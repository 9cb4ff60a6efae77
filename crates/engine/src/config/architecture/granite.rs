//! The `granite` architecture: Granite 3 and 4, dense. As Llama, with factors of embeddings, residuals, attention and
//! logits. Source: Granite Team 2024, "Granite 3.0 Language Models", section 3.

use crate::config::{Config, Keys, Presence, Recipe, RopeLayout};
use crate::error::EngineError;

pub(super) const RECIPE: Recipe = Recipe {
    name: "granite",
    rope_layout: RopeLayout::Interleaved,
    experts: Presence::Optional,
    refine,
    ..Recipe::PLAIN
};

fn refine(keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    let divisor = keys.positive("logit_scale")?;
    let divisor = divisor.ok_or_else(|| keys.error("logit_scale", "the scale of logits is missing"))?;
    config.logit_scale = 1.0 / divisor;
    config.residual_scale = keys.positive("residual_scale")?.unwrap_or(1.0);
    config.embedding_scale = keys.positive("embedding_scale")?.unwrap_or(1.0);
    // The key says whether positions are used at all (Granite 4 without).
    if keys.bool("rope.scaling.finetuned")? == Some(false) {
        config.layers.iter_mut().for_each(|layer| layer.rope = None);
    }
    Ok(())
}
