//! How a job ended.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How a job ended. A model's bad answer is data; a failed request is never counted as the model's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The completion held exactly one usable answer.
    Answered,
    /// The completion ended by itself but no answer could be read from it.
    Unparsed,
    /// Several different answers were given and none is marked as the final one.
    Ambiguous,
    /// A token limit came before an answer could be read: that of the answer, or the context window, which the prompt
    /// alone exceeds. No repetition would help, so it is the model's limit and not the backend's failure.
    Truncated,
    /// The model answered with no text at all.
    Empty,
    /// The backend failed: nothing is known about what the model would have said.
    BackendFailed,
}

impl Outcome {
    /// Every outcome, in the order used by reports.
    pub const ALL: [Self; 6] =
        [Self::Answered, Self::Unparsed, Self::Ambiguous, Self::Truncated, Self::Empty, Self::BackendFailed];

    /// The name used in JSON, in the database and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unparsed => "unparsed",
            Self::Ambiguous => "ambiguous",
            Self::Truncated => "truncated",
            Self::Empty => "empty",
            Self::BackendFailed => "backend_failed",
        }
    }

    /// The outcome named `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
