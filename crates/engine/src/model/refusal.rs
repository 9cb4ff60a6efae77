//! Saying why a model of an unknown architecture cannot be run.

use crate::config::Architecture;
use crate::error::EngineError;
use crate::gguf::Gguf;
use std::collections::BTreeSet;

/// The parts of a layer that some known architecture has.
const KNOWN_PARTS: [&str; 23] = [
    "attn_k",
    "attn_k_norm",
    "attn_norm",
    "attn_output",
    "attn_q",
    "attn_q_norm",
    "attn_qkv",
    "attn_v",
    "ffn_down",
    "ffn_down_exps",
    "ffn_down_shexp",
    "ffn_gate",
    "ffn_gate_exps",
    "ffn_gate_inp",
    "ffn_gate_shexp",
    "ffn_norm",
    "ffn_up",
    "ffn_up_exps",
    "ffn_up_shexp",
    "post_attention_norm",
    "post_ffw_norm",
    "attn_rot_embd",
    "rope_freqs",
];

/// At most as many unknown parts are named.
const MOST_NAMED: usize = 8;

/// Adds to `error` what parts the file's layers have that the engine knows nothing of, if the architecture is unknown.
pub(super) fn explained(error: EngineError, gguf: &Gguf) -> EngineError {
    let EngineError::Model { file, message, hint } = error else { return error };
    if Architecture::of(gguf.metadata()).is_ok() {
        return EngineError::Model { file, message, hint };
    }
    let parts: BTreeSet<&str> = gguf.tensors().iter().filter_map(|tensor| unknown_part(&tensor.name)).collect();
    let why = if parts.is_empty() {
        "its layers have parts of known names, but how they are joined is unknown".to_owned()
    } else {
        let named: Vec<&str> = parts.iter().copied().take(MOST_NAMED).collect();
        let more = if parts.len() > MOST_NAMED { " and others" } else { "" };
        format!("its layers have parts that no known architecture has: {}{more}", named.join(", "))
    };
    EngineError::Model { file, message: format!("{message}; {why}"), hint }
}

/// `ssm_conv1d` of `blk.3.ssm_conv1d.weight`, unless it is known.
fn unknown_part(name: &str) -> Option<&str> {
    let (_, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let part = part.strip_suffix(".weight").or_else(|| part.strip_suffix(".bias")).unwrap_or(part);
    (!KNOWN_PARTS.contains(&part)).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_of_layers_that_are_unknown_are_named() {
        assert_eq!(unknown_part("blk.12.ssm_conv1d.weight"), Some("ssm_conv1d"));
        assert_eq!(unknown_part("blk.0.ssm_a"), Some("ssm_a"));
        for known in ["blk.0.attn_q.bias", "blk.7.ffn_up_exps.weight", "output.weight", "token_types.weight"] {
            assert_eq!(unknown_part(known), None, "{known}");
        }
    }
}
