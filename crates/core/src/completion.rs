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
    /// Nothing was generated: the answers of [`Request::choices`](crate::Request::choices) were scored.
    Scored,
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

/// A logprob by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Logprob(#[serde(with = "logprob_json")] pub f32);

/// How probable one allowed answer is after the prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredAnswer {
    /// As the request spells it.
    pub answer: String,
    /// The tokens that spell it after the prompt, without alternatives. Where the prompt's last token and the answer are
    /// one token in the model's vocabulary, they begin inside the prompt, alike for every answer.
    pub tokens: Vec<TokenLogprob>,
    /// Logprob of the end of the turn after it, where the request asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub ending: Option<Logprob>,
}

/// `null` is the logarithm of probability 0 here too; only an absent field is none.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Logprob>, D::Error> {
    Logprob::deserialize(deserializer).map(Some)
}

impl ScoredAnswer {
    /// Natural logarithm of the answer's probability: the logprobs of its tokens and then of its ending, added in this
    /// order.
    pub fn logprob(&self) -> f64 {
        let tokens = self.tokens.iter().map(|token| token.logprob);
        tokens.chain(self.ending.map(|ending| ending.0)).fold(0.0, |sum, logprob| sum + f64::from(logprob))
    }
}

/// The most probable of `answers`, the first among equals.
pub fn most_probable(answers: &[ScoredAnswer]) -> Option<&ScoredAnswer> {
    answers.iter().reduce(|best, next| if next.logprob() > best.logprob() { next } else { best })
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
    /// One entry a generated token, if logprobs were asked for and the backend gives them; of a scored answer, its tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenLogprob>,
    /// Every allowed answer with its score, in the request's order; empty where the answer was generated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<ScoredAnswer>,
    pub usage: Usage,
    pub phases: Phases,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// True when it came from the inference cache; its times are those of the original.
    #[serde(default)]
    pub from_cache: bool,
}
