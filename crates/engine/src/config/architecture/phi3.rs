//! The `phi3` architecture: Phi-3, Phi-3.5 and Phi-4. Queries, keys and values are one tensor, gate and up another; long
//! contexts have divisors of the rotary frequencies. As in llama.cpp, the window some files name is not applied.
//! Source: Abdin et al. 2024, "Phi-3 Technical Report", section 2.

use crate::config::Recipe;

pub(super) const RECIPE: Recipe = Recipe { name: "phi3", gate_up_fused: true, ..Recipe::PLAIN };
