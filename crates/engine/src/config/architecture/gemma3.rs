//! The `gemma3` architecture (text): as Gemma 2, with normalised heads instead of soft caps, and windows in five of six
//! layers, which have rotary frequencies of their own. Source: Gemma Team 2025, "Gemma 3 Technical Report", section 2.
//!
//! Ollama's converter spells the rotary bases its own way and leaves out the epsilon and the scaling of long contexts;
//! what it leaves out is filled in as Ollama itself does when it hands such a file to llama.cpp.

use super::gemma;
use crate::config::rope::freq_base;
use crate::config::{Config, Keys, Recipe, Rope, RopeScaling};
use crate::error::EngineError;

/// Bases of layers that see everything, and of those with a window.
const GLOBAL_BASE: f32 = 1_000_000.0;
const LOCAL_BASE: f32 = 10_000.0;
/// Context, in tokens, from which positions are divided by 8.
const LONG_CONTEXT: usize = 131_072;

pub(super) const RECIPE: Recipe =
    Recipe { name: "gemma3", head_norm: true, default_epsilon: Some(1e-6), refine, ..gemma::RECIPE };

fn refine(keys: &Keys<'_>, config: &mut Config) -> Result<(), EngineError> {
    gemma::scales(config, 62);
    config.final_logit_softcapping = keys.positive("final_logit_softcapping")?;
    let either = |key, ollamas, default| -> Result<f32, EngineError> {
        Ok(freq_base(keys, key)?.or(freq_base(keys, ollamas)?).unwrap_or(default))
    };
    let global = &mut config.ropes[0];
    global.freq_base = either("rope.freq_base", "rope.global.freq_base", GLOBAL_BASE)?;
    let by_ollama = keys.get("attention.layer_norm_rms_epsilon").is_none();
    let silent = keys.get("rope.scaling.type").is_none() && keys.get("rope.scaling.factor").is_none();
    if by_ollama && silent && config.context_length >= LONG_CONTEXT {
        global.scaling = RopeScaling::Linear { factor: 8.0 };
    }
    let freq_base = either("rope.freq_base_swa", "rope.local.freq_base", LOCAL_BASE)?;
    let local = Rope { freq_base, scaling: RopeScaling::None, ..*global };
    match keys.ranged("attention.sliding_window", 0..=1 << 24)? {
        None | Some(0) => Ok(()),
        Some(window) => gemma::windows(keys, config, window, 6, local),
    }
}
