//! A failure as the user sees it: what, where, why, and what to type next.

use crate::exit::ExitKind;

/// What ends a command early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub kind: ExitKind,
    pub message: String,
    pub hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(kind: ExitKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new() }
    }

    pub(crate) fn operation(message: impl Into<String>) -> Self {
        Self::new(ExitKind::OperationFailed, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ExitKind::InvalidInput, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn hint_opt(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::operation(error.to_string())
    }
}

impl From<puma_core::BackendError> for Failure {
    fn from(error: puma_core::BackendError) -> Self {
        use puma_core::BackendErrorKind as Kind;
        let kind = match error.kind {
            Kind::Cancelled => ExitKind::Interrupted,
            Kind::Unsupported => ExitKind::InvalidInput,
            Kind::Unreachable
            | Kind::Timeout
            | Kind::Http
            | Kind::Protocol
            | Kind::ModelNotFound
            | Kind::ContextExceeded
            | Kind::Engine => ExitKind::OperationFailed,
        };
        Self::new(kind, error.message).hint_opt(error.hint)
    }
}
