//! The `gemma3` architecture (text): as Gemma 2, with normalised heads instead of soft caps, and windows in five of six
//! layers, which have rotary frequencies of their own. Source: Gemma Team 2025, "Gemma 3 Technical Report", section 2.

use super::gemma;
use crate::config::{Config, Keys, Recipe, RopeScaling};
use crate::error::EngineError;

pub(super) const RECIPE: Recipe = Recipe { name: "gemma3", head_norm: true, refine, ..gemma::RECIPE };

fn refine(keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    gemma::scales(config, 62);
    config.final_logit_softcapping = keys.positive("final_logit_softcapping")?;
    match keys.ranged("attention.sliding_window", 0..=1 << 24)? {
        None | Some(0) => Ok(()),
        Some(window) => gemma::windows(keys, config, window, 6, (10_000.0, RopeScaling::None)),
    }
}
