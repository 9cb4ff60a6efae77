//! How many experts a model has and how they are chosen.

use super::keys::Keys;
use super::recipe::Presence;
use crate::error::EngineError;

/// The experts of every layer: feed-forward blocks of which a router takes the best few for each token.
///
/// The router's logits choose, the lower index among equals; the weights of the chosen are the softmax over their logits
/// alone. Source: Fedus et al. 2021, "Switch Transformers"; Mistral AI 2024, "Mixtral of Experts", section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpertConfig {
    pub count: usize,
    /// Experts computed for one token.
    pub used: usize,
    /// Inner width of one expert.
    pub feed_forward_length: usize,
    /// Inner width of the block that every token takes too; 0 without one.
    pub shared_feed_forward_length: usize,
}

impl ExpertConfig {
    /// The experts, `None` for a model without.
    pub(super) fn read(
        keys: &Keys<'_>,
        presence: Presence,
        feed_forward_length: usize,
    ) -> Result<Option<Self>, EngineError> {
        let count = keys.ranged("expert_count", 0..=1024)?.unwrap_or(0);
        match (presence, count) {
            (Presence::Never | Presence::Optional, 0) => return Ok(None),
            (Presence::Required, 0) => return Err(keys.error("expert_count", "the model has no experts")),
            (Presence::Never, _) => {
                let message = format!("{count} experts are unknown in the architecture `{}`", keys.prefix);
                return Err(keys.error("expert_count", message));
            }
            (Presence::Optional | Presence::Required, _) => {}
        }
        // 1 is the softmax in ggml's numbering.
        if let Some(gating @ 2..) = keys.optional("expert_gating_func")? {
            return Err(
                keys.unsupported("expert_gating_func", format!("the router function {gating} is not supported"))
            );
        }
        Ok(Some(Self {
            count,
            used: keys.required("expert_used_count", 1..=count)?,
            feed_forward_length: keys.ranged("expert_feed_forward_length", 1..=1 << 20)?.unwrap_or(feed_forward_length),
            shared_feed_forward_length: keys.ranged("expert_shared_feed_forward_length", 0..=1 << 20)?.unwrap_or(0),
        }))
    }
}
