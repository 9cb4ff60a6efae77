//! Token ids against llama.cpp's, on a corpus of 2,557 texts in 17 scripts, code, numbers and odd spaces.
//!
//! The goldens are hashes of llama.cpp's ids; `scripts/golden/engine` makes them and its oracle shows the ids behind one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use puma_engine::gguf::Gguf;
use puma_engine::tokenizer::Tokenizer;
use puma_testkit::gguf::golden_vocabularies;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const CORPUS: &str = include_str!("golden/tokenizer/corpus.txt");
const SMOLLM2: &str = include_str!("golden/tokenizer/smollm2-135m.txt");
const VOCABULARIES: &str = include_str!("golden/tokenizer/vocabularies.txt");
/// Lines under one hash in `vocabularies.txt`.
const BLOCK: usize = 64;

fn corpus() -> Vec<String> {
    CORPUS.strip_suffix('\n').unwrap().split('\n').map(unescape).collect()
}

fn unescape(line: &str) -> String {
    let mut text = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next().unwrap() {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    text
}

fn hash(bytes: &[u8], digits: usize) -> String {
    let mut hex = String::new();
    Sha256::digest(bytes).iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    hex.truncate(digits);
    hex
}

fn ids(tokenizer: &Tokenizer, text: &str, special: bool) -> String {
    let ids: Vec<String> = tokenizer.encode(text, special, special).iter().map(u32::to_string).collect();
    ids.join(" ")
}

#[test]
fn the_corpus_is_large_and_wide() {
    let corpus = corpus();
    assert!(corpus.len() >= 2000);
    let letters: String = corpus.concat();
    for (script, sample) in [
        ("Latin", 'ł'),
        ("Cyrillic", 'ж'),
        ("Greek", 'φ'),
        ("Arabic", 'ش'),
        ("Hebrew", 'ש'),
        ("Devanagari", 'क'),
        ("Thai", 'ผ'),
        ("Han", '用'),
        ("Hiragana", 'を'),
        ("Katakana", 'ァ'),
        ("Hangul", '한'),
        ("Georgian", 'მ'),
        ("Armenian", 'ո'),
        ("Emoji", '🚀'),
    ] {
        assert!(letters.contains(sample), "{script}");
    }
}

#[test]
fn smollm2_ids_are_llama_cpps() {
    let Some(path) = puma_testkit::real_model::smollm2("smollm2_ids_are_llama_cpps") else { return };
    let gguf = Gguf::open(&path).unwrap();
    let mut golden = SMOLLM2.lines();
    let model = golden.next().unwrap().strip_prefix("model ").unwrap();
    assert_eq!(hash(gguf.bytes(), 64), model, "{} is not the file the goldens were made from", path.display());
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let corpus = corpus();
    assert_eq!(golden.clone().count(), corpus.len());
    let mut wrong = Vec::new();
    for (number, (text, expected)) in corpus.iter().zip(golden).enumerate() {
        let (parsed, plain) = (ids(&tokenizer, text, true), ids(&tokenizer, text, false));
        let mut fields = expected.splitn(3, ' ');
        let same =
            fields.next() == Some(&*hash(parsed.as_bytes(), 8)) && fields.next() == Some(&*hash(plain.as_bytes(), 8));
        if !same || fields.next().is_some_and(|shown| shown != parsed) {
            wrong.push(format!("line {}: {text:?} -> {parsed} | {plain}", number + 1));
        }
    }
    assert!(wrong.is_empty(), "{} lines differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn ids_of_every_pre_tokenizer_and_of_sentence_piece_are_llama_cpps() {
    let corpus = corpus();
    let mut golden = VOCABULARIES.lines();
    let mut files = golden_vocabularies();
    files.sort_by_key(|(name, _)| format!("{name}.gguf"));
    let mut wrong = Vec::new();
    for (name, model) in files {
        let bytes = model.write();
        let header = golden.next().unwrap();
        assert_eq!(header, format!("file {name} {}", hash(&bytes, 64)), "the goldens were made from another file");
        let tokenizer = Tokenizer::from_gguf(&Gguf::from_bytes(bytes).unwrap()).unwrap();
        for (block, expected) in corpus.chunks(BLOCK).zip(golden.next().unwrap().split(' ')) {
            let mut answers = String::new();
            for text in block {
                writeln!(answers, "{}\n{}", ids(&tokenizer, text, true), ids(&tokenizer, text, false)).unwrap();
            }
            if hash(answers.as_bytes(), 12) != expected {
                wrong.push(format!("{name}: the block of {:?}", block[0]));
            }
        }
    }
    assert!(golden.next().is_none());
    assert!(wrong.is_empty(), "{} blocks differ:\n{}", wrong.len(), wrong.join("\n"));
}
