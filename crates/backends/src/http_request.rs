//! What the HTTP backends derive from a request: its hash, the seed of its back-off, and its seed as servers take it.

use puma_core::canon::{python_json, sha256_hex};
use puma_core::{BackendError, BackendErrorKind, Request};

/// SHA-256 (64 hex digits) over everything that `request` says: equal for equal requests, on every machine.
pub fn request_hash(request: &Request) -> String {
    let value = serde_json::to_value(request).expect("a request is plain data and always serialises");
    sha256_hex(python_json(&value).as_bytes())
}

/// A seed for the back-off of `request`, so that requests that fail together do not come back together.
pub fn jitter_seed(request: &Request) -> u64 {
    u64::from_str_radix(&request_hash(request)[..16], 16).expect("the hash is hex digits")
}

/// `seed` in 31 bits, which every server can hold: llama.cpp keeps 32, others read signed numbers. Small seeds stay.
pub fn wire_seed(seed: u64) -> u32 {
    const MASK: u64 = 0x7fff_ffff;
    let folded = (seed ^ (seed >> 31) ^ (seed >> 62)) & MASK;
    u32::try_from(folded).expect("31 bits fit")
}

/// Refuses to score given answers: chat servers report the probabilities of what they generate, not of a given text.
///
/// # Errors
/// The request names answers to score.
pub(crate) fn refuse_choices(request: &Request, server: &str) -> Result<(), BackendError> {
    match request.choices {
        None => Ok(()),
        Some(_) => Err(BackendError::new(
            BackendErrorKind::Unsupported,
            format!("{server} generates answers and cannot be asked how probable given ones are"),
        )
        .with_hint("use `--backend embedded`, or let answers be generated (`inference.answer: generate`)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::{Choices, Message};

    #[test]
    fn small_seeds_reach_the_server_unchanged_and_large_ones_stay_apart() {
        for seed in [0, 1, 42, 0x7fff_ffff] {
            assert_eq!(u64::from(wire_seed(seed)), seed);
        }
        assert_ne!(wire_seed(1 << 40), wire_seed(1 << 41));
        assert_ne!(wire_seed(u64::MAX), wire_seed(u64::MAX - 1));
    }

    #[test]
    fn every_field_of_a_request_changes_its_hash() {
        let base = Request {
            model: "m".into(),
            messages: vec![Message::user("u")],
            max_tokens: 1,
            temperature: 0.0,
            seed: 1,
            stop: vec![],
            logprobs: false,
            top_logprobs: 0,
            context_length: None,
            format: None,
            choices: None,
        };
        let variants = [
            Request { model: "n".into(), ..base.clone() },
            Request { messages: vec![Message::assistant("u")], ..base.clone() },
            Request { max_tokens: 2, ..base.clone() },
            Request { temperature: 0.5, ..base.clone() },
            Request { seed: 2, ..base.clone() },
            Request { stop: vec!["x".into()], ..base.clone() },
            Request { logprobs: true, ..base.clone() },
            Request { top_logprobs: 1, ..base.clone() },
            Request { context_length: Some(1), ..base.clone() },
            Request { format: Some("json".into()), ..base.clone() },
            Request { choices: Some(Choices { answers: vec!["a".into()], closed: false }), ..base.clone() },
        ];
        let mut hashes: Vec<String> = variants.iter().map(request_hash).collect();
        hashes.push(request_hash(&base));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), variants.len() + 1);
    }
}
