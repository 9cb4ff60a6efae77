//! What becomes of a record whose answer could not be read, closed: a metric must say one of these.

use serde::Serialize;

/// What a metric makes of a record that a backend completed and whose answer could not be read: unparsed, ambiguous,
/// truncated or empty. (A request that failed in the backend is no answer of the model and enters nothing but the
/// shares of outcomes.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Missing {
    /// As a wrong answer: falling silent where one was right never makes the metric better.
    CountsAsWrong,
    /// As an answer of its own that is never right. What chance alone would reach changes with it, so that the metric may
    /// come out better for a silence; `beside` cannot.
    CountsAsOwnAnswer { beside: &'static str },
    /// As an answer of no label: it takes away a hit and adds no false alarm. `beside` counts it as wrong.
    CountsForNoLabel { beside: &'static str },
    /// The pair counts as decided for the issue that should have come second. The order of other issues may come out
    /// better for that; `beside` cannot.
    CountsForTheOther { beside: &'static str },
    /// As the expected error of guessing the right answer of another instance at random.
    CountsAsGuess,
    /// As the last and wrong answer, given in the greatest doubt.
    ComesLast,
    /// As a change: one of two answers is none.
    CountsAsChange,
    /// The record is not looked at. `beside` says how many were; `twin` is the metric to rank by, which counts them.
    LeftOut { beside: &'static str, twin: &'static str },
    /// It is what the metric counts.
    IsCounted,
    /// As any other record: its time and its tokens were spent.
    CountsAlike,
}

impl Missing {
    /// The rule in words, for tables: `counts as wrong`.
    pub fn sentence(self) -> String {
        match self {
            Self::CountsAsWrong => "counts as wrong".to_owned(),
            Self::CountsAsOwnAnswer { beside } => {
                format!("an answer of its own that is never right; read {beside} beside")
            }
            Self::CountsForNoLabel { beside } => format!("takes away a hit, adds no false alarm; read {beside} beside"),
            Self::CountsForTheOther { beside } => format!("counts for the other issue; read {beside} beside"),
            Self::CountsAsGuess => "counts as a random guess".to_owned(),
            Self::ComesLast => "counts as wrong, after all answers".to_owned(),
            Self::CountsAsChange => "counts as a change".to_owned(),
            Self::LeftOut { beside, twin } => format!("left out; read {beside} beside, rank by {twin}"),
            Self::IsCounted => "is what is counted".to_owned(),
            Self::CountsAlike => "counts like any other".to_owned(),
        }
    }
}

pub(super) const WRONG: Missing = Missing::CountsAsWrong;
pub(super) const COUNTED: Missing = Missing::IsCounted;
/// Time and tokens: spent, whatever came of them.
pub(super) const ALIKE: Missing = Missing::CountsAlike;
