//! Tiny SentencePiece vocabularies: byte tokens, pieces with scores, and the tokens a family puts around them.

use super::vocabulary::{BYTE, CONTROL, MERGES, NORMAL, TEXT, UNKNOWN, USER_DEFINED, distinct, learn_merges};
use super::writer::{GgufWriter, MetadataValue};
use std::collections::BTreeSet;

/// What the vocabularies of a family have besides bytes and pieces.
struct Family {
    /// Tokens before the bytes and after the pieces, with their types.
    first: Vec<(String, i32)>,
    last: Vec<(String, i32)>,
    /// Score of both.
    score: f32,
    metadata: Vec<(&'static str, MetadataValue)>,
}

fn tokens(names: &[&str], kind: i32) -> impl Iterator<Item = (String, i32)> {
    names.iter().map(move |&name| (name.to_owned(), kind))
}

fn ids<const N: usize>(names: [(&'static str, u32); N]) -> Vec<(&'static str, MetadataValue)> {
    names.map(|(name, id)| (name, MetadataValue::U32(id))).to_vec()
}

/// As Llama 2's.
pub(super) fn write_plain(file: &mut GgufWriter) -> usize {
    let first = tokens(&["<unk>"], UNKNOWN).chain(tokens(&["<s>", "</s>"], CONTROL)).collect();
    let last = tokens(&["<tool>", "[note]"], USER_DEFINED).collect();
    let metadata = ids([("bos_token_id", 1), ("eos_token_id", 2), ("unknown_token_id", 0)]);
    write(file, Family { first, last, score: 0.0, metadata })
}

/// As Gemma 2's and 3's: no space is put in front, runs of newlines and spaces and HTML tags are tokens of their own, and
/// the end of a turn is a control token that the metadata do not name.
pub(super) fn write_gemma(file: &mut GgufWriter) -> usize {
    let runs = |letter: &str| (1..=31).map(|count| (letter.repeat(count), USER_DEFINED)).collect::<Vec<_>>();
    let first = tokens(&["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"], CONTROL)
        .chain(tokens(&["[multimodal]"], USER_DEFINED))
        .chain(tokens(&["<unused0>", "<start_of_turn>", "<end_of_turn>"], CONTROL))
        .chain(runs("\n"))
        .chain(runs(" ").into_iter().skip(1))
        .chain(tokens(&["<table>", "</table>", "<b>", "</b>", "</s>"], USER_DEFINED))
        .collect();
    let mut metadata =
        ids([("bos_token_id", 2), ("eos_token_id", 1), ("unknown_token_id", 3), ("padding_token_id", 0)]);
    let flags = [("add_bos_token", true), ("add_eos_token", false), ("add_space_prefix", false)];
    metadata.extend(flags.map(|(key, flag)| (key, MetadataValue::Bool(flag))));
    metadata.push(("pre", "default".into()));
    write(file, Family { first, last: tokens(&["<start_of_image>"], USER_DEFINED).collect(), score: -1000.0, metadata })
}

/// As Phi 3's: Llama 2's, with control tokens at the end.
pub(super) fn write_phi3(file: &mut GgufWriter) -> usize {
    let first = tokens(&["<unk>"], UNKNOWN).chain(tokens(&["<s>"], CONTROL)).chain(tokens(&["</s>"], USER_DEFINED));
    let names = ["<|endoftext|>", "<|assistant|>", "<|placeholder1|>", "<|system|>", "<|end|>", "<|user|>"];
    let metadata = [("pre", "default".into()), ("add_bos_token", MetadataValue::Bool(true))];
    let family = Family {
        first: first.collect(),
        last: tokens(&names, CONTROL).collect(),
        score: -1000.0,
        metadata: metadata.into_iter().chain(ids([("bos_token_id", 1), ("unknown_token_id", 0)])).collect(),
    };
    let count = write(file, family);
    let end_of_text = MetadataValue::U32((count - names.len()) as u32);
    file.metadata("tokenizer.ggml.eos_token_id", end_of_text.clone())
        .metadata("tokenizer.ggml.padding_token_id", end_of_text);
    count
}

fn write(file: &mut GgufWriter, family: Family) -> usize {
    let taken: BTreeSet<String> = family.first.iter().map(|(token, _)| token.clone()).collect();
    let bytes = (0..=255).map(|byte| (format!("<0x{byte:02X}>"), BYTE, 0.0));
    let pieces = pieces().into_iter().filter(|piece| !taken.contains(piece)).enumerate();
    let special = |(token, kind)| (token, kind, family.score);
    let all: Vec<(String, i32, f32)> = (family.first.into_iter().map(special))
        .chain(bytes)
        .chain(pieces.map(|(rank, piece)| (piece, NORMAL, -(rank as f32))))
        .chain(family.last.into_iter().map(special))
        .collect();
    let count = all.len();
    file.metadata("tokenizer.ggml.model", "llama")
        .metadata(
            "tokenizer.ggml.tokens",
            MetadataValue::Strings(all.iter().map(|(token, ..)| token.clone()).collect()),
        )
        .metadata("tokenizer.ggml.scores", MetadataValue::F32s(all.iter().map(|&(.., score)| score).collect()))
        .metadata("tokenizer.ggml.token_type", MetadataValue::I32s(all.iter().map(|&(_, kind, _)| kind).collect()));
    for (key, value) in family.metadata {
        file.metadata(&format!("tokenizer.ggml.{key}"), value);
    }
    count
}

/// Pieces and letters, best first.
fn pieces() -> Vec<String> {
    let escaped = TEXT.replace(' ', "\u{2581}");
    let words: Vec<Vec<String>> =
        escaped.split("\n\n").map(|part| part.chars().map(|letter| letter.to_string()).collect()).collect();
    let mut letters: Vec<&String> = words.iter().flatten().collect();
    letters.sort_unstable();
    letters.dedup();
    // Every seventh letter stays out, so that byte tokens are needed.
    let letters: Vec<String> =
        letters.into_iter().enumerate().filter(|(index, _)| index % 7 != 3).map(|(_, letter)| letter.clone()).collect();
    let known = |piece: &String| piece.chars().count() > 1 || letters.binary_search(piece).is_ok();
    let merges = learn_merges(words.clone(), MERGES);
    let merged = merges.iter().filter(|(left, right)| known(left) && known(right));
    let mut pieces = distinct(merged.map(|(left, right)| format!("{left}{right}")));
    pieces.extend(letters);
    pieces
}
