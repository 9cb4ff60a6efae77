//! What a parser found.

use std::ops::Range;

/// How clearly a text says that something is its answer. Decides what counts when the token limit cut the text off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Mentioned somewhere; the text might have come to another answer.
    #[default]
    Prose,
    /// The text opens with it or announces it ("priority: …").
    Announced,
    /// Marked as final, or all of the first line.
    Final,
}

/// An answer read out of a text, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The answer in the scenario's spelling; `None` if there is none, or if there are several.
    pub answer: Option<String>,
    /// Which rule decided; `none` if no rule applied.
    pub rule: &'static str,
    /// Every different answer the text mentions, in order of first mention.
    pub candidates: Vec<String>,
    /// Several different answers were given and none is marked as the final one.
    pub ambiguous: bool,
    /// How clearly the text says that this is its answer.
    pub standing: Standing,
    /// The model was still in its reasoning block when the text ended.
    pub reasoning_unfinished: bool,
    /// Where the answer stands, in bytes of the text as given.
    pub span: Option<Range<usize>>,
}

/// A number as answers spell it: the shortest decimal that reads back as the same value (`5`, `2.5`).
pub fn shortest_decimal(value: f64) -> String {
    // Adding zero turns -0 into 0.
    format!("{}", value + 0.0)
}
