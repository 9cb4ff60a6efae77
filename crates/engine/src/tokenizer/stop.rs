//! Which tokens end a generation.
//!
//! Files name one or two of them in their metadata, but many models end their turns with another; those are known by
//! their texts. Source of the names: llama.cpp `src/llama-vocab.cpp` (commit 0c1e570), `special_eog_ids`.

use super::error::TokenizerError;
use super::vocabulary::{TokenKind, Vocabulary};
use crate::gguf::Metadata;
use std::collections::BTreeSet;

const END_NAMES: [&str; 23] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    "<|plamo:eos|>",
];

/// Fill-in-the-middle tokens: the metadata key, the names it goes by, and whether the token ends a generation.
const FILL_IN: [(&str, &[&str], bool); 6] = [
    (
        "fim_pre_token_id",
        &[
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>",
        ],
        false,
    ),
    (
        "fim_suf_token_id",
        &[
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>",
        ],
        false,
    ),
    (
        "fim_mid_token_id",
        &[
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>",
        ],
        false,
    ),
    ("fim_pad_token_id", &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"], true),
    ("fim_rep_token_id", &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"], true),
    ("fim_sep_token_id", &["<|file_sep|>"], true),
];

/// Tokens of the harmony format that are part of the answer's text.
const HARMONY_NAMES: [&str; 4] = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// Finds the ending tokens and marks those known by name as control tokens, whatever the file calls them.
pub(super) fn stop_ids(
    vocabulary: &mut Vocabulary,
    metadata: &Metadata,
    eos: Option<u32>,
) -> Result<BTreeSet<u32>, TokenizerError> {
    let mut stops = BTreeSet::new();
    for (key, names, ends) in FILL_IN {
        let mut id = vocabulary.special_id(metadata, key, None)?;
        if id.is_none() {
            id = names.iter().find_map(|name| vocabulary.id(name));
            id.into_iter().for_each(|id| vocabulary.set_kind(id, TokenKind::Control));
        }
        stops.extend(id.filter(|_| ends));
    }
    for name in END_NAMES {
        if let Some(id) = vocabulary.id(name) {
            vocabulary.set_kind(id, TokenKind::Control);
            stops.insert(id);
        }
    }
    for name in HARMONY_NAMES {
        if let Some(id) = vocabulary.id(name) {
            vocabulary.set_kind(id, TokenKind::UserDefined);
        }
    }
    stops.extend(eos);
    stops.extend(vocabulary.special_id(metadata, "eot_token_id", None)?);
    stops.extend(vocabulary.special_id(metadata, "eom_token_id", None)?);
    unmark(vocabulary, &mut stops);
    Ok(stops)
}

/// Takes out names that mean something else beside certain others.
fn unmark(vocabulary: &mut Vocabulary, stops: &mut BTreeSet<u32>) {
    let has = |name: &str| vocabulary.id(name).is_some_and(|id| stops.contains(&id));
    let calls = has("<|call|>") || has("<|calls|>");
    let harmony = calls && (has("<|return|>") || has("<|flush|>"));
    let plain_end = has("<|tool_response>") || has("<|plamo:eos|>");
    for (applies, name, kind) in [(harmony, "<|end|>", TokenKind::UserDefined), (plain_end, "</s>", TokenKind::Normal)]
    {
        if let Some(id) = vocabulary.id(name).filter(|id| applies && stops.contains(id)) {
            stops.remove(&id);
            vocabulary.set_kind(id, kind);
        }
    }
}
