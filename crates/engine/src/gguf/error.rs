//! What can be wrong with a GGUF file.

use std::path::{Path, PathBuf};

/// What kind of trouble a file gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GgufErrorKind {
    /// The file could not be opened or mapped.
    Io,
    /// The first bytes are not a GGUF file's.
    NotGguf,
    /// A GGUF version or byte order that is not read here.
    Version,
    /// The file ends before its contents do.
    Truncated,
    /// The contents contradict themselves or the specification.
    Malformed,
    /// A tensor type the engine does not compute with.
    UnsupportedType,
    /// A metadata key is missing, or its value is of another type or out of range.
    Metadata,
}

/// A sentence about a file that cannot be used: which file, where in it, what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message} ({place})", file.display())]
pub struct GgufError {
    pub kind: GgufErrorKind,
    pub file: PathBuf,
    /// A byte offset, a metadata key or a tensor name.
    pub place: String,
    pub message: String,
    pub hint: Option<String>,
    #[source]
    pub source: Option<std::io::Error>,
}

impl GgufError {
    pub(crate) fn new(kind: GgufErrorKind, file: &Path, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, file: file.to_owned(), place: place.into(), message: message.into(), hint: None, source: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn io(file: &Path, attempt: &str, source: std::io::Error) -> Self {
        let mut error = Self::new(GgufErrorKind::Io, file, attempt, format!("cannot {attempt} the file: {source}"));
        if source.kind() == std::io::ErrorKind::NotFound {
            error.hint = Some("check the path, or fetch the model first".to_owned());
        }
        error.source = Some(source);
        error
    }
}
