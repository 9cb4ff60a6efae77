//! What a backend answers.

use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model emitted a stop token or a stop string.
    Stop,
    /// `max_tokens` or the context window was reached.
    Length,
    /// The caller cancelled.
    Cancelled,
}

/// A logprob in JSON, which has no infinities: `null` is the logarithm of probability 0.
pub mod logprob_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes a finite value as it is, any other as `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    /// Reads a number as it is, `null` as minus infinity.
    ///
    /// # Errors
    /// Anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        Ok(Option::<f32>::deserialize(deserializer)?.unwrap_or(f32::NEG_INFINITY))
    }
}

/// One alternative at a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopLogprob {
    /// Vocabulary id, where the backend tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    pub token: String,
    /// Natural logarithm of the probability before temperature.
    #[serde(with = "logprob_json")]
    pub logprob: f32,
}

/// One generated token and how probable it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    pub token: String,
    /// Natural logarithm of the probability before temperature.
    #[serde(with = "logprob_json")]
    pub logprob: f32,
    /// Most probable first; holds the token itself only if it ranks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<TopLogprob>,
}

/// Tokens counted by the backend, never guessed from text. A count the backend does not report is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u32>,
    /// Prompt tokens whose computation was reused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_tokens: Option<u32>,
}

impl Usage {
    /// Prompt tokens that had to be computed, where it is known how many were and were not.
    pub fn computed_tokens(self) -> Option<u32> {
        Some(self.prompt_tokens?.saturating_sub(self.cached_tokens?))
    }
}

/// Where the time went. A phase the backend does not report is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Wall time of the successful attempt, without waiting between attempts.
    pub total_ms: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<Millis>,
}

impl Phases {
    /// [`total_ms`](Self::total_ms) without loading the model, where loading lies within it: what a warm model takes. Servers
    /// count loading into the request that caused it; the embedded engine loads before.
    pub fn warm_ms(&self) -> Millis {
        let computing_ms = [self.prompt_ms, self.generation_ms].into_iter().flatten().map(|part| part.0).sum::<f64>();
        let room_ms = (self.total_ms.0 - computing_ms).max(0.0);
        Millis(self.total_ms.0 - self.load_ms.map_or(0.0, |load| load.0.clamp(0.0, room_ms)))
    }
}

/// One try at a request. Every attempt is recorded, also the failed ones before a success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    pub duration_ms: Millis,
    /// Time waited before this attempt.
    pub waited_ms: Millis,
    /// `None` when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
}

/// A finished answer to one [`Request`](crate::request::Request).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    pub text: String,
    /// Text a server reports apart as the model's reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    pub finish: FinishReason,
    /// One entry a generated token, if logprobs were asked for and the backend gives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenLogprob>,
    pub usage: Usage,
    pub phases: Phases,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// True when it came from the inference cache; its times are those of the original.
    #[serde(default)]
    pub from_cache: bool,
}
