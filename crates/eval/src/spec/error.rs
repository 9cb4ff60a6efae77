//! What can be wrong with a run spec, said so that the next keystroke is clear.

use std::fmt;

/// A place in a file; both counts start at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `None` for specs that were given as flags.
    pub place: Option<Place>,
    /// Dotted key (`inference.temperature`), empty for the document as a whole.
    pub key: String,
    /// What is wrong and why, as a sentence without its full stop.
    pub message: String,
    /// What to type instead.
    pub hint: Option<String>,
}

impl Problem {
    pub(super) fn new(place: Place, key: &str, message: impl Into<String>) -> Self {
        Self { place: Some(place), key: key.to_owned(), message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that is wrong with one run spec, in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// The file as the user named it, or `command line`.
    pub source_name: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.source_name)?;
            if let Some(place) = problem.place {
                write!(f, ":{}:{}", place.line, place.column)?;
            }
            write!(f, ": {}", problem.message)?;
            if let Some(hint) = &problem.hint {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {}
