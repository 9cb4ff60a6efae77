//! Vocabularies and texts. An input is a byte of choices and sections: a name, tokens, merges, kinds, a text.

use super::sections::{items, sections, text};
use puma_engine::gguf::Gguf;
use puma_engine::tokenizer::Tokenizer;
use puma_testkit::gguf::{GgufWriter, MetadataValue, Vocabulary};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Bit of the first byte: the vocabulary is the input's own, not the testkit's.
const OWN: u8 = 1;
/// Bit: SentencePiece, not byte pairs.
const SENTENCE_PIECE: u8 = 2;
/// Bits of an own vocabulary: metadata flags, and whether kinds are written.
const ADD_BOS: u8 = 4;
const ADD_EOS: u8 = 8;
const SPACE_PREFIX: u8 = 16;
const KINDS: u8 = 32;

/// Texts of the testkit's vocabularies that are tokens wherever they stand.
const USER_DEFINED: [&str; 2] = ["<tool>", "[note]"];

thread_local! {
    /// The testkit's vocabularies by name of their pre-tokenizer; building one takes longer than a check.
    static KNOWN: RefCell<HashMap<Option<String>, Rc<Tokenizer>>> = RefCell::default();
}

/// Encodes and decodes a text with a vocabulary, both from `data`.
pub fn check(data: &[u8]) {
    let Some((&choices, rest)) = data.split_first() else { return };
    if choices & OWN == 0 {
        let [name, written] = sections::<2>(rest);
        let sentence_piece = choices & SENTENCE_PIECE != 0;
        if let Some(tokenizer) = known(sentence_piece, &text(name)) {
            laws(&tokenizer, &text(written));
            round_trip(&tokenizer, &text(written), sentence_piece);
        }
        return;
    }
    let [name, tokens, merges, kinds, written] = sections::<5>(rest);
    let file = own(choices, &text(name), items(tokens), merges, kinds);
    if let Ok(gguf) = Gguf::from_bytes(file)
        && let Ok(tokenizer) = Tokenizer::from_gguf(&gguf)
    {
        laws(&tokenizer, &text(written));
    }
}

fn known(sentence_piece: bool, name: &str) -> Option<Rc<Tokenizer>> {
    let key = (!sentence_piece).then(|| name.to_owned());
    KNOWN.with_borrow_mut(|known| {
        // Unknown names are many and are kept in no table.
        if let Some(found) = known.get(&key) {
            return Some(Rc::clone(found));
        }
        let vocabulary = match &key {
            Some(name) => Vocabulary::BytePairs { pre: name.clone() },
            None => Vocabulary::SentencePiece,
        };
        let mut file = GgufWriter::new(3);
        vocabulary.write(&mut file);
        let gguf = Gguf::from_bytes(file.finish()).expect("the testkit writes whole files");
        let made = Rc::new(Tokenizer::from_gguf(&gguf).ok()?);
        known.insert(key, Rc::clone(&made));
        Some(made)
    })
}

/// A file with the input's own vocabulary; `merges` are scores for SentencePiece.
fn own(choices: u8, name: &str, tokens: Vec<String>, merges: &[u8], kinds: &[u8]) -> Vec<u8> {
    let mut file = GgufWriter::new(3);
    if choices & SENTENCE_PIECE != 0 {
        let score = |index: usize| f32::from(merges.get(index).copied().unwrap_or(0).cast_signed());
        let scores = (0..tokens.len()).map(score).collect();
        file.metadata("tokenizer.ggml.model", "llama").metadata("tokenizer.ggml.scores", MetadataValue::F32s(scores));
    } else {
        file.metadata("tokenizer.ggml.model", "gpt2")
            .metadata("tokenizer.ggml.pre", name)
            .metadata("tokenizer.ggml.merges", MetadataValue::Strings(items(merges)));
    }
    if choices & KINDS != 0 {
        let kind = |index: usize| i32::from(kinds.get(index).copied().unwrap_or(1)) % 8;
        let kinds = (0..tokens.len()).map(kind).collect();
        file.metadata("tokenizer.ggml.token_type", MetadataValue::I32s(kinds));
    }
    for (bit, key) in [(ADD_BOS, "add_bos_token"), (ADD_EOS, "add_eos_token"), (SPACE_PREFIX, "add_space_prefix")] {
        file.metadata(&format!("tokenizer.ggml.{key}"), MetadataValue::Bool(choices & bit != 0));
    }
    file.metadata("tokenizer.ggml.bos_token_id", MetadataValue::U32(u32::from(choices)))
        .metadata("tokenizer.ggml.eos_token_id", MetadataValue::U32(1))
        .metadata("tokenizer.ggml.tokens", MetadataValue::Strings(tokens));
    file.finish()
}

/// What holds for every vocabulary.
fn laws(tokenizer: &Tokenizer, written: &str) {
    for (add_special, parse_special) in [(false, false), (false, true), (true, true)] {
        let ids = tokenizer.encode(written, add_special, parse_special);
        assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()), "an id outside the vocabulary");
        streamed(tokenizer, &ids);
    }
    // Ids that no encoder made, known and unknown.
    let any: Vec<u32> = written.bytes().map(|byte| u32::from(byte) * 5).collect();
    streamed(tokenizer, &any);
}

/// Decoding as ids come gives the text of the whole, except for the space that only the whole can take away.
fn streamed(tokenizer: &Tokenizer, ids: &[u32]) {
    let mut stream = tokenizer.stream();
    let mut joined: String = ids.iter().map(|&id| stream.push(id)).collect();
    joined.push_str(&stream.finish());
    let whole = tokenizer.decode(ids);
    assert!(joined == whole || joined.strip_prefix(' ') == Some(&*whole), "{joined:?} is streamed, {whole:?} is whole");
}

/// The testkit's vocabularies can spell every byte, so that no text is lost.
fn round_trip(tokenizer: &Tokenizer, written: &str, sentence_piece: bool) {
    let back = tokenizer.decode(&tokenizer.encode(written, false, false));
    if !sentence_piece {
        assert_eq!(back, written);
    } else if !USER_DEFINED.iter().any(|token| written.contains(token)) {
        // After a token of its own a text begins anew, with another space in front.
        assert_eq!(back, written.replace('\u{2581}', " "));
    }
}
