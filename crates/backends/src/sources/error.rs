//! What can go wrong between a model's name and its file.

use puma_core::{BackendError, BackendErrorKind};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What kind of trouble it is; decides the exit code and whether another source is worth trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceErrorKind {
    /// The name cannot be read as a model name.
    InvalidName,
    /// The catalogue is not valid.
    InvalidCatalogue,
    /// Nothing has that name: locally, in the catalogue, or at the source asked.
    NotFound,
    /// The file is there but is no usable model: not GGUF, one part of several, or changed since it was pulled.
    UnusableFile,
    /// The bytes are not the ones that were promised.
    DigestMismatch,
    /// The disk has not enough room.
    NoSpace,
    /// A file could not be read or written.
    Io,
    /// No connection, or the connection broke too often.
    Network,
    /// The server refused or answered something that is not its protocol.
    Server,
    /// A program this source needs (Python, pip) is missing or failed.
    MissingTool,
    /// The user stopped it.
    Cancelled,
}

/// A failure with a sentence that says what, where and why, and where possible what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct SourceError {
    pub kind: SourceErrorKind,
    pub message: String,
    pub hint: Option<String>,
}

impl SourceError {
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A failed file operation: `doing` completes "cannot … PATH".
    pub(crate) fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot {doing} {}: {error}", path.display());
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(SourceErrorKind::NoSpace, message)
                .with_hint("free some space or put the models elsewhere with PUMA_MODELS");
        }
        let error_without_hint = Self::new(SourceErrorKind::Io, message);
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                error_without_hint.with_hint("check the permissions, or put the models elsewhere with PUMA_MODELS")
            }
            _ => error_without_hint,
        }
    }

    pub(crate) fn cancelled(what: &str) -> Self {
        Self::new(SourceErrorKind::Cancelled, format!("{what} was interrupted"))
    }
}

impl From<SourceError> for BackendError {
    fn from(error: SourceError) -> Self {
        let kind = match error.kind {
            SourceErrorKind::InvalidName | SourceErrorKind::InvalidCatalogue | SourceErrorKind::NotFound => {
                BackendErrorKind::ModelNotFound
            }
            SourceErrorKind::Network => BackendErrorKind::Unreachable,
            SourceErrorKind::Server => BackendErrorKind::Protocol,
            SourceErrorKind::Cancelled => BackendErrorKind::Cancelled,
            SourceErrorKind::UnusableFile
            | SourceErrorKind::DigestMismatch
            | SourceErrorKind::NoSpace
            | SourceErrorKind::Io
            | SourceErrorKind::MissingTool => BackendErrorKind::Engine,
        };
        Self { kind, message: error.message, hint: error.hint, http_status: None }
    }
}
