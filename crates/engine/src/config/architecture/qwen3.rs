//! The `qwen3` architecture: every head of queries and keys is normalised before it is rotated.
//! Source: Qwen Team 2025, "Qwen3 Technical Report", section 2.

use crate::config::Recipe;

pub(super) const RECIPE: Recipe = Recipe { name: "qwen3", head_norm: true, ..Recipe::PLAIN };
