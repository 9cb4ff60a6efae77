//! The `qwen2` architecture: Qwen2, Qwen2.5 and models distilled into them. Queries, keys and values have biases.

use crate::config::{Presence, Recipe};

pub(super) const RECIPE: Recipe = Recipe { name: "qwen2", qkv_bias: Presence::Required, ..Recipe::PLAIN };
