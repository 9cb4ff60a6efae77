//! What differs between two sides besides their results, and what that means for a comparison.

use serde::Serialize;

/// What a difference does to a comparison of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// The scores measure different things, or a side is not complete.
    Incomparable,
    /// It can explain a difference of scores: it is what is being compared.
    Compared,
    /// Fewer pairs are compared than there are.
    Restricts,
    /// One run does not tell.
    Unknown,
    /// It can change speed and energy, never a score.
    Speed,
    /// It changes nothing that is compared.
    Harmless,
}

impl Bearing {
    pub const ALL: [Self; 6] =
        [Self::Incomparable, Self::Compared, Self::Restricts, Self::Unknown, Self::Speed, Self::Harmless];
}

/// What a comparison can be a comparison of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Model,
    ChatTemplate,
    Strategy,
    Perturbation,
    Prompt,
    Decoding,
    ContextWindow,
    Answering,
    AnswerReading,
    Engine,
    Machine,
}

impl Subject {
    /// The words for a sentence about several.
    pub fn words(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::ChatTemplate => "chat templates",
            Self::Strategy => "strategies",
            Self::Perturbation => "perturbations",
            Self::Prompt => "prompts",
            Self::Decoding => "decoding options",
            Self::ContextWindow => "context windows",
            Self::Answering => "ways of answering",
            Self::AnswerReading => "ways of reading answers",
            Self::Engine => "engines",
            Self::Machine => "machines",
        }
    }
}

/// One thing that differs, or that cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `model digest`, `temperature`, ….
    pub what: String,
    pub bearing: Bearing,
    /// What it belongs to, where it can explain a difference of scores.
    pub subject: Option<Subject>,
    /// `None` where the run does not tell.
    pub first: Option<String>,
    pub second: Option<String>,
    /// What follows from it, in words; empty where nothing needs to be said.
    pub meaning: String,
}

/// Collects differences.
#[derive(Debug, Default)]
pub(super) struct Differences(pub(super) Vec<Difference>);

impl Differences {
    /// Notes `what` if the two values differ. A value that one side does not tell is unknown; two unknown values are
    /// none.
    pub(super) fn check(
        &mut self,
        what: &str,
        (bearing, subject): (Bearing, Option<Subject>),
        first: Option<String>,
        second: Option<String>,
        meaning: &str,
    ) {
        if first == second {
            return;
        }
        let known = first.is_some() && second.is_some();
        let (bearing, subject) = if known { (bearing, subject) } else { (bearing.max(Bearing::Unknown), None) };
        let meaning = if known { meaning.to_owned() } else { "not known on one side".to_owned() };
        self.0.push(Difference { what: what.to_owned(), bearing, subject, first, second, meaning });
    }

    /// Notes a difference of `subject`, which can explain other scores.
    pub(super) fn compared(&mut self, what: &str, subject: Subject, first: Option<String>, second: Option<String>) {
        self.check(what, (Bearing::Compared, Some(subject)), first, second, "");
    }

    /// Notes something that is no difference of two values.
    pub(super) fn note(&mut self, what: &str, bearing: Bearing, values: [Option<String>; 2], meaning: String) {
        let [first, second] = values;
        self.0.push(Difference { what: what.to_owned(), bearing, subject: None, first, second, meaning });
    }
}
