//! How far two runs agree, as one word.

use serde::{Deserialize, Serialize};

/// The strongest agreement that holds for every pair; each level contains those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// None of the others.
    Different,
    /// The change of machine matters less than the choice of instances: for every headline metric, the paired bootstrap
    /// interval of the difference holds 0 and lies within the half width of the metric's own interval.
    SameMetric,
    /// Every pair has the same parsed answer.
    SameLabels,
    /// Every answer was generated as the same sequence of tokens (or reads the same, where no tokens are known).
    SameTokens,
    /// Every logprob that both report, of generated tokens and of alternatives, has the same bits. Logprobs are what is
    /// compared; for the embedded engine `puma engine digest` shows the same for the logits themselves.
    BitEqual,
}

impl Level {
    /// Strongest first.
    pub const ALL: [Self; 5] = [Self::BitEqual, Self::SameTokens, Self::SameLabels, Self::SameMetric, Self::Different];

    /// The name on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BitEqual => "bit-equal",
            Self::SameTokens => "same-tokens",
            Self::SameLabels => "same-labels",
            Self::SameMetric => "same-metric",
            Self::Different => "different",
        }
    }

    /// The name in sentences.
    pub fn words(self) -> &'static str {
        match self {
            Self::BitEqual => "bit-equal logits",
            Self::SameTokens => "same tokens",
            Self::SameLabels => "same labels",
            Self::SameMetric => "same metric within its interval",
            Self::Different => "different",
        }
    }

    /// The level of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}
