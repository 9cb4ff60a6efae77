//! Token ids against llama.cpp's, on a corpus of 2,557 texts in 17 scripts, code, numbers and odd spaces, and on texts
//! full of special tokens: turns of every family of models, runs of spaces and newlines, tokens cut off and nested.
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
const GEMMA3: &str = include_str!("golden/tokenizer/gemma3-270m.txt");
const TURNS: &str = include_str!("golden/tokenizer/turns.txt");
const TURN_IDS: &str = include_str!("golden/tokenizer/turn_ids.txt");
/// Lines under one hash in `vocabularies.txt`.
const BLOCK: usize = 64;

fn corpus() -> Vec<String> {
    lines(CORPUS)
}

fn lines(file: &str) -> Vec<String> {
    file.strip_suffix('\n').unwrap().split('\n').map(unescape).collect()
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

/// The corpus' blocks that have other ids than `golden`, which holds a hash for each.
fn wrong_blocks(tokenizer: &Tokenizer, corpus: &[String], golden: &str) -> Vec<String> {
    assert_eq!(golden.split(' ').count(), corpus.len().div_ceil(BLOCK));
    let answers = |block: &[String]| {
        let pairs =
            block.iter().map(|text| format!("{}\n{}\n", ids(tokenizer, text, true), ids(tokenizer, text, false)));
        pairs.collect::<String>()
    };
    let blocks = corpus.chunks(BLOCK).zip(golden.split(' '));
    let wrong = blocks.filter(|(block, expected)| hash(answers(block).as_bytes(), 12) != *expected);
    wrong.map(|(block, _)| format!("the block of {:?}", block[0])).collect()
}

/// The lines that have other ids than `golden`, which holds two hashes for each.
fn wrong_lines(tokenizer: &Tokenizer, lines: &[String], golden: &str) -> Vec<String> {
    assert_eq!(golden.split(' ').count(), lines.len());
    let mut wrong = Vec::new();
    for (text, expected) in lines.iter().zip(golden.split(' ')) {
        let (parsed, plain) = (ids(tokenizer, text, true), ids(tokenizer, text, false));
        if format!("{}{}", hash(parsed.as_bytes(), 6), hash(plain.as_bytes(), 6)) != expected {
            wrong.push(format!("{text:?} -> {parsed} | {plain}"));
        }
    }
    wrong
}

#[test]
fn ids_of_every_vocabulary_are_llama_cpps() {
    let (corpus, turns) = (corpus(), lines(TURNS));
    let (mut golden, mut turn_golden) = (VOCABULARIES.lines(), TURN_IDS.lines());
    let mut files = golden_vocabularies();
    files.sort_by_key(|(name, _)| format!("{name}.gguf"));
    let mut wrong = Vec::new();
    for (name, model) in files {
        let bytes = model.write();
        let header = format!("file {name} {}", hash(&bytes, 64));
        for golden in [&mut golden, &mut turn_golden] {
            assert_eq!(golden.next().unwrap(), header, "the goldens were made from another file");
        }
        let tokenizer = Tokenizer::from_gguf(&Gguf::from_bytes(bytes).unwrap()).unwrap();
        let found = [
            wrong_blocks(&tokenizer, &corpus, golden.next().unwrap()),
            wrong_lines(&tokenizer, &turns, turn_golden.next().unwrap()),
        ];
        wrong.extend(found.concat().iter().map(|found| format!("{name}: {found}")));
    }
    assert!(golden.next().is_none() && turn_golden.next().is_none());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn gemma3_ids_are_llama_cpps() {
    let Some(path) = puma_testkit::real_model::gemma3("gemma3_ids_are_llama_cpps") else { return };
    let gguf = Gguf::open(&path).unwrap();
    let mut golden = GEMMA3.lines();
    let model = golden.next().unwrap().strip_prefix("model ").unwrap();
    assert_eq!(hash(gguf.bytes(), 64), model, "{} is not the file the goldens were made from", path.display());
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let mut wrong = wrong_blocks(&tokenizer, &corpus(), golden.next().unwrap());
    wrong.extend(wrong_lines(&tokenizer, &lines(TURNS), golden.next().unwrap()));
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
