//! Tiny vocabularies, learnt from a page of text that lies beside this file.

use super::pieces;
use super::writer::{GgufWriter, MetadataValue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Text in many scripts with digits, spaces and punctuation. Merges are learnt across word boundaries on purpose: a
/// pre-tokenizer that splits elsewhere then gives other ids.
pub(super) const TEXT: &str = include_str!("vocabulary_text.txt");
pub(super) const MERGES: usize = 800;

/// GGUF's token types.
pub(super) const NORMAL: i32 = 1;
pub(super) const UNKNOWN: i32 = 2;
pub(super) const CONTROL: i32 = 3;
pub(super) const USER_DEFINED: i32 = 4;
pub(super) const BYTE: i32 = 6;

const CONTROLS: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const USER_DEFINED_TOKENS: [&str; 2] = ["<tool>", "[note]"];

/// Which vocabulary a tiny model carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// Byte-level BPE with the named pre-tokenizer (`tokenizer.ggml.pre`).
    BytePairs { pre: String },
    /// SentencePiece-style, with scores and byte tokens.
    SentencePiece,
    /// Gemma's kind of SentencePiece.
    Gemma,
    /// Phi 3's kind of SentencePiece.
    Phi3,
}

impl Vocabulary {
    /// Writes every `tokenizer.ggml.*` key and returns the number of tokens.
    pub fn write(&self, file: &mut GgufWriter) -> usize {
        match self {
            Self::BytePairs { pre } => write_byte_pairs(file, pre),
            Self::SentencePiece => pieces::write_plain(file),
            Self::Gemma => pieces::write_gemma(file),
            Self::Phi3 => pieces::write_phi3(file),
        }
    }
}

fn write_byte_pairs(file: &mut GgufWriter, pre: &str) -> usize {
    let mut tokens: Vec<String> = (0..=255).map(|byte| byte_letter(byte).to_string()).collect();
    let merges = byte_pair_merges();
    tokens.extend(distinct(merges.iter().map(|(left, right)| format!("{left}{right}"))));
    let mut types = vec![NORMAL; tokens.len()];
    for (names, kind) in [(&CONTROLS[..], CONTROL), (&USER_DEFINED_TOKENS[..], USER_DEFINED)] {
        tokens.extend(names.iter().map(|&name| name.to_owned()));
        types.resize(tokens.len(), kind);
    }
    let id = |name: &str| tokens.iter().position(|token| token == name).expect("the token was just added") as u32;
    let (end_of_text, end_of_turn) = (id("<|endoftext|>"), id("<|im_end|>"));
    let count = tokens.len();
    file.metadata("tokenizer.ggml.model", "gpt2")
        .metadata("tokenizer.ggml.pre", pre)
        .metadata("tokenizer.ggml.tokens", MetadataValue::Strings(tokens))
        .metadata("tokenizer.ggml.token_type", MetadataValue::I32s(types))
        .metadata(
            "tokenizer.ggml.merges",
            MetadataValue::Strings(merges.iter().map(|(left, right)| format!("{left} {right}")).collect()),
        )
        .metadata("tokenizer.ggml.bos_token_id", MetadataValue::U32(end_of_text))
        .metadata("tokenizer.ggml.eos_token_id", MetadataValue::U32(end_of_turn))
        .metadata("tokenizer.ggml.add_bos_token", MetadataValue::Bool(false));
    count
}

/// Learning takes a while in unoptimised tests, and every byte-level model uses the same merges.
fn byte_pair_merges() -> &'static [(String, String)] {
    static MERGED: OnceLock<Vec<(String, String)>> = OnceLock::new();
    MERGED.get_or_init(|| {
        let letters = |part: &str| part.bytes().map(|byte| byte_letter(byte).to_string()).collect();
        learn_merges(TEXT.split_inclusive("\n\n").map(letters).collect(), MERGES)
    })
}

/// Two merges may spell the same token; a vocabulary holds it once, where it came first.
pub(super) fn distinct(tokens: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    tokens.filter(|token| seen.insert(token.clone())).collect()
}

/// The letter GPT-2's byte-level vocabularies write for `byte`: printable Latin-1 stands for itself, the rest is
/// numbered upwards from U+0100. Source: Radford et al. 2019, released `encoder.py`, `bytes_to_unicode`.
fn byte_letter(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&earlier| !printable(earlier)).count() as u32;
    char::from_u32(0x100 + before).expect("the 68 letters from U+0100 exist")
}

/// Byte-pair merges in order of frequency; ties go to the pair that sorts first.
pub(super) fn learn_merges(mut words: Vec<Vec<String>>, count: usize) -> Vec<(String, String)> {
    let mut merges = Vec::new();
    while merges.len() < count {
        let mut frequencies: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for word in &words {
            for pair in word.windows(2) {
                *frequencies.entry((&pair[0], &pair[1])).or_default() += 1;
            }
        }
        let Some((&(left, right), _)) = frequencies.iter().rev().max_by_key(|(_, frequency)| **frequency) else {
            break;
        };
        let (left, right) = (left.to_owned(), right.to_owned());
        for word in &mut words {
            merge_pair(word, &left, &right);
        }
        merges.push((left, right));
    }
    merges
}

fn merge_pair(word: &mut Vec<String>, left: &str, right: &str) {
    let mut merged = Vec::with_capacity(word.len());
    let mut rest = word.drain(..).peekable();
    while let Some(mut part) = rest.next() {
        if part == left && rest.peek().is_some_and(|next| next == right) {
            part.push_str(right);
            rest.next();
        }
        merged.push(part);
    }
    drop(rest);
    *word = merged;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_letters_are_distinct_and_known() {
        let letters: BTreeSet<char> = (0..=255).map(byte_letter).collect();
        assert_eq!(letters.len(), 256);
        assert_eq!((byte_letter(b' '), byte_letter(b'\n'), byte_letter(b'a')), ('Ġ', 'Ċ', 'a'));
    }

    #[test]
    fn every_vocabulary_has_many_tokens() {
        let byte_pairs = Vocabulary::BytePairs { pre: "gpt-2".to_owned() };
        for vocabulary in [byte_pairs, Vocabulary::SentencePiece, Vocabulary::Gemma, Vocabulary::Phi3] {
            assert!(vocabulary.write(&mut GgufWriter::new(3)) > 600);
        }
    }

    #[test]
    fn merges_follow_frequency() {
        let words = vec!["abab".chars().map(|letter| letter.to_string()).collect()];
        let merges = learn_merges(words, 5);
        assert_eq!(merges, [("a".to_owned(), "b".to_owned()), ("ab".to_owned(), "ab".to_owned())]);
    }
}
