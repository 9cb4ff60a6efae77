//! One job and everything that became of it.

use crate::clock::Timestamp;
use crate::completion::{Attempt, Completion};
use crate::ids::{InstanceId, JobId};
use crate::outcome::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The finished record of one job: one instance judged by one model with one strategy.
/// Metrics are computed from these records alone, so a stored run can be scored again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    pub job_id: JobId,
    pub instance_id: InstanceId,
    pub model: String,
    pub strategy: String,
    /// `None` for the unperturbed original.
    pub perturbation: Option<String>,
    /// 0 for the first repetition.
    pub repeat: u32,
    pub seed: u64,
    /// The right answer, in the same spelling as `answer`.
    pub gold: String,
    /// Project or other group the instance belongs to.
    pub group: Option<String>,
    /// Text of the first user message.
    pub prompt: String,
    /// First 16 hex digits of the SHA-256 of `prompt`.
    pub prompt_hash: String,
    pub outcome: Outcome,
    /// The parsed answer (`Critical`, `5`, `A`); `None` unless the outcome is `Answered`.
    pub answer: Option<String>,
    /// Which parsing rule found the answer; `scored` where the allowed answers were scored and none was read.
    pub rule: Option<String>,
    /// Probability of `answer`, from token paths, or among the allowed answers where these were scored; `None` where logprobs
    /// are missing.
    pub confidence: Option<f64>,
    /// Probability of each label. Of a generated answer not normalised: what is missing to 1 went to other text. Of a scored one
    /// its share among the allowed answers. Empty without logprobs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub label_probabilities: BTreeMap<String, f64>,
    /// Every completion of the job in order: turns of a conversation, or votes.
    pub completions: Vec<Completion>,
    /// Why the backend gave no completion: it failed, or the prompt exceeds the model's context window.
    pub error: Option<String>,
    /// Every attempt at the request that failed for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_attempts: Vec<Attempt>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

impl JobRecord {
    /// Model time of the job in milliseconds: the sum over its completions, without waiting between attempts.
    pub fn latency_ms(&self) -> Option<f64> {
        if self.completions.is_empty() {
            return None;
        }
        Some(self.completions.iter().map(|c| c.phases.total_ms.0).sum())
    }

    /// [`latency_ms`](Self::latency_ms) without the time in which the model was loaded.
    pub fn warm_latency_ms(&self) -> Option<f64> {
        if self.completions.is_empty() {
            return None;
        }
        Some(self.completions.iter().map(|c| c.phases.warm_ms().0).sum())
    }

    /// Prompt tokens over all completions; `None` if one does not tell.
    pub fn prompt_tokens(&self) -> Option<u64> {
        self.completions.iter().map(|c| c.usage.prompt_tokens.map(u64::from)).sum()
    }

    /// Generated tokens over all completions; `None` if one does not tell.
    pub fn generated_tokens(&self) -> Option<u64> {
        self.completions.iter().map(|c| c.usage.generated_tokens.map(u64::from)).sum()
    }

    /// What the model said last, empty when the backend failed.
    pub fn raw_response(&self) -> &str {
        self.completions.last().map_or("", |c| c.text.as_str())
    }
}
