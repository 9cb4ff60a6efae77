//! What can go wrong between a wish for a server and a server.

use puma_core::{BackendError, BackendErrorKind};
use std::path::Path;

/// What kind of trouble it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceErrorKind {
    /// What was asked cannot be done as asked, whatever the machine's state: a server on another machine, for example.
    Invalid,
    /// A program, a server, a file or the disk gave up.
    Failed,
    /// The user stopped it.
    Cancelled,
}

/// A failure with a sentence that says what, where and why, and where possible what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    pub kind: ServiceErrorKind,
    pub message: String,
    pub hint: Option<String>,
}

impl ServiceError {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { kind: ServiceErrorKind::Failed, message: message.into(), hint: None }
    }

    pub(super) fn cancelled(message: impl Into<String>) -> Self {
        Self { kind: ServiceErrorKind::Cancelled, ..Self::failed(message) }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A failed file operation: `doing` completes "cannot … PATH".
    pub(super) fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let failed = Self::failed(format!("cannot {doing} {}: {error}", path.display()));
        match error.kind() {
            Kind::StorageFull => failed.hint("free some space, or put PUMA's data elsewhere with PUMA_DATA_DIR"),
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory | Kind::AlreadyExists => {
                failed.hint("check the permissions, or put PUMA's data elsewhere with PUMA_DATA_DIR")
            }
            _ => failed,
        }
    }
}

impl From<BackendError> for ServiceError {
    fn from(error: BackendError) -> Self {
        let kind = match error.kind {
            BackendErrorKind::Cancelled => ServiceErrorKind::Cancelled,
            BackendErrorKind::Unsupported => ServiceErrorKind::Invalid,
            BackendErrorKind::Unreachable
            | BackendErrorKind::Timeout
            | BackendErrorKind::Http
            | BackendErrorKind::Protocol
            | BackendErrorKind::ModelNotFound
            | BackendErrorKind::ContextExceeded
            | BackendErrorKind::Engine => ServiceErrorKind::Failed,
        };
        Self { kind, message: error.message, hint: error.hint }
    }
}
