//! Why a bundle cannot be written or used.

use super::inspect::Finding;

/// A failure with a bundle, as a sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file is not what it says, or not whole: the first finding of [`inspect`](super::inspect()), and how many more.
    #[error("it is not sound: {first}{}", more(.others))]
    Unsound { first: Finding, others: usize },
    /// The run holds a value that JSON cannot keep, so that another machine would read another run.
    #[error("the run cannot be written exactly: {0}")]
    Inexact(String),
    #[error("the run takes {size_bytes} bytes, and a bundle may unpack to {limit_bytes} at most")]
    TooLarge { size_bytes: u64, limit_bytes: u64 },
    #[error("it cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

fn more(others: &usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and one thing more)".to_owned(),
        count => format!(" (and {count} things more)"),
    }
}
