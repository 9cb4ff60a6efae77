//! A run without the words of a private backlog, in which equal words can still be told from different ones.
//!
//! Prompts and issue fields go. A model's words may quote them, and token ids are words of a public list, so both
//! become fingerprints keyed with the prompt: who has the prompt, as another machine that ran the same spec, gets the
//! same ones; who has not cannot try words until one fits.

use puma_core::canon::sha256_hex;
use puma_core::{Completion, JobRecord, RecordedRun};
use serde_json::Value;

/// Hex digits of a fingerprint. Among a million tokens two different ones meet with a probability below 1 in 500.
const DIGITS: usize = 12;

/// `run` without issue texts, prompts and the models' words.
pub(crate) fn without_texts(mut run: RecordedRun) -> RecordedRun {
    for row in &mut run.instances {
        row.fields = Value::Null;
    }
    run.records.iter_mut().for_each(hide);
    run
}

fn hide(record: &mut JobRecord) {
    let key = std::mem::take(&mut record.prompt);
    for (number, completion) in record.completions.iter_mut().enumerate() {
        let Completion { text, reasoning, tokens, .. } = completion;
        let place = |part: &str| format!("{number} {part}");
        hide_text(text, &key, &place("text"));
        reasoning.iter_mut().for_each(|reasoning| hide_text(reasoning, &key, &place("reasoning")));
        for (position, token) in tokens.iter_mut().enumerate() {
            let place = place(&position.to_string());
            token.id = None;
            hide_text(&mut token.token, &key, &place);
            for top in &mut token.top {
                top.id = None;
                hide_text(&mut top.token, &key, &place);
            }
        }
    }
}

/// The place goes in so that a word that comes back is not seen to come back.
fn hide_text(text: &mut String, key: &str, place: &str) {
    if text.is_empty() {
        return;
    }
    let mut digits = sha256_hex(format!("{key}\0{place}\0{text}").as_bytes());
    digits.truncate(DIGITS);
    *text = digits;
}
