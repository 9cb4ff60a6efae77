//! A request to begin from.

use puma_core::{Message, Request};

/// One greedy question to the model `m`: change what the test is about.
pub fn question(prompt: &str) -> Request {
    Request {
        model: "m".to_owned(),
        messages: vec![Message::user(prompt)],
        max_tokens: 5,
        temperature: 0.0,
        seed: 42,
        stop: Vec::new(),
        logprobs: false,
        top_logprobs: 0,
        context_length: None,
        format: None,
        choices: None,
    }
}
