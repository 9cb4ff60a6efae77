//! The `qwen3moe` architecture: Qwen3 whose feed-forward blocks are experts.
//! Source: Qwen Team 2025, "Qwen3 Technical Report", section 2.

use crate::config::{Config, Keys, Presence, Recipe};
use crate::error::EngineError;

pub(super) const RECIPE: Recipe =
    Recipe { name: "qwen3moe", head_norm: true, experts: Presence::Required, refine, ..Recipe::PLAIN };

/// Without a width of its own, the experts a token takes share the feed-forward width.
fn refine(keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    if let Some(experts) = config.experts.as_mut().filter(|_| keys.get("expert_feed_forward_length").is_none()) {
        experts.feed_forward_length = config.feed_forward_length / experts.used;
    }
    Ok(())
}
