//! The `llama` architecture: SmolLM2, Llama 2 and 3.x, Mistral, and Mixtral, whose feed-forward blocks are experts.

use crate::config::{Presence, Recipe, RopeLayout};

pub(super) const RECIPE: Recipe =
    Recipe { name: "llama", rope_layout: RopeLayout::Interleaved, experts: Presence::Optional, ..Recipe::PLAIN };
