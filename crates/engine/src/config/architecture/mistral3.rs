//! The `mistral3` architecture: Ministral 3. As Llama, with queries that grow with the position.

use crate::config::{AttentionTemperature, Config, Keys, Presence, Recipe, RopeLayout};
use crate::error::EngineError;

pub(super) const RECIPE: Recipe = Recipe {
    name: "mistral3",
    rope_layout: RopeLayout::Interleaved,
    experts: Presence::Optional,
    refine,
    ..Recipe::PLAIN
};

fn refine(keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    let floor = config.ropes[0].original_context;
    config.attention_temperature =
        keys.positive("attention.temperature_scale")?.map(|scale| AttentionTemperature { scale, floor });
    Ok(())
}
