//! The run spec as plain data: upstream PUMA's keys and defaults, and ours.

use serde::{Deserialize, Serialize};

/// What to run. Keys and defaults are upstream's; `parser`, `compat` and `inference.answer` are ours and leave `spec_hash`
/// alone while they have their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    pub id: String,
    /// For people; no part of the hash.
    pub description: String,
    /// `triage_jira`, `estimation_tawos` or `prioritization_jira`.
    pub scenario: String,
    /// Instances to judge, 1 to 10,000.
    pub sample_size: u32,
    pub models: Vec<String>,
    pub adaptation: Adaptation,
    pub inference: Inference,
    pub perturbations: Vec<String>,
    /// Headline metrics.
    pub metrics: Vec<String>,
    pub sustainability: Sustainability,
    /// Repetitions of every job, 1 to 100; repetition `r` starts at the seed `inference.seed + r * votes`.
    pub repeat: u32,
    /// The profile the machine must meet for the run to begin.
    pub profile_required: Option<String>,
    pub parser: ParserMode,
    /// Reproduces upstream's behaviour as a whole, defects included.
    pub compat: Option<Compat>,
}

/// How instances become prompts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adaptation {
    pub strategy: Vec<String>,
    /// For every `true`, the strategies' chain-of-thought variants are run.
    pub cot: Vec<bool>,
}

/// How models are asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inference {
    pub temperature: f64,
    pub seed: u64,
    pub max_tokens: u32,
    pub logprobs: bool,
    /// 0 to 20.
    pub top_logprobs: u8,
    pub format: Option<serde_json::Value>,
    /// Absent from the spec's JSON while it has its default, so that specs of older versions keep their hash.
    #[serde(default, skip_serializing_if = "AnswerMode::is_default")]
    pub answer: AnswerMode,
}

/// How an answer comes about. Peers call these `generate_until` and `multiple_choice` (lm-evaluation-harness).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerMode {
    /// The model writes a text, and the answer is read out of it.
    #[default]
    Generate,
    /// Every allowed answer is scored by its probability after the prompt, and the most probable one counts.
    ScoreLabels,
}

impl AnswerMode {
    /// The name in specs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::ScoreLabels => "score-labels",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Energy accounting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sustainability {
    pub codecarbon: bool,
    /// Upstream's default stands in where the spec names none; see `country_named`.
    pub country_iso: String,
    /// Whether the spec itself names the country. Upstream's form of a spec does not tell.
    #[serde(skip)]
    pub country_named: bool,
}

/// How answers are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParserMode {
    /// The final answer counts.
    #[default]
    FinalAnswer,
    /// The first label or number mentioned counts, as upstream reads answers.
    FirstMatch,
}

/// A version of upstream PUMA to imitate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compat {
    /// Upstream v4.0.
    #[serde(rename = "puma-4")]
    Puma4,
}
