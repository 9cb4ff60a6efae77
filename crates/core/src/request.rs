//! What a backend is asked.

use serde::{Deserialize, Serialize};

/// Who speaks in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

impl Message {
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// The answers a question allows, to be scored instead of generating one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// As the model would have to write them, different from each other; the first wins among equals.
    pub answers: Vec<String>,
    /// Whether the model's turn must end after the answer. It must where one answer begins another (1 and 13).
    pub closed: bool,
}

/// One question to one model, with every option that can change the answer. Nothing is left to a server's default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub model: String,
    pub messages: Vec<Message>,
    pub max_tokens: u32,
    /// 0 means greedy.
    pub temperature: f64,
    pub seed: u64,
    /// Generation ends before the first of these would be emitted. Usually empty: the model's own stop tokens count.
    pub stop: Vec<String>,
    pub logprobs: bool,
    /// How many alternatives per generated token, 0 to 20. Only with `logprobs`.
    pub top_logprobs: u8,
    /// Context window in tokens; `None` lets the backend take the model's own, capped as it documents.
    pub context_length: Option<u32>,
    /// Constrained output: `"json"` or a JSON schema, for backends that support it.
    pub format: Option<serde_json::Value>,
    /// Nothing is generated: the answers are scored. Only the messages and the context length matter then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Choices>,
}
