//! What can go wrong with the database, as sentences with a hint.

use puma_core::SinkError;
use std::path::{Path, PathBuf};

/// A failure of the store. [`StoreError::hint`] tells what a user can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error("{} is not a SQLite database", path.display())]
    NotADatabase { path: PathBuf },
    #[error("{} is a SQLite database of another program, not of PUMA", path.display())]
    NotPuma { path: PathBuf },
    #[error(
        "{} has schema version {found}, but this program knows versions up to {known}",
        path.display()
    )]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    #[error("{} has schema version {found} and must be migrated to {known}, which needs write access", path.display())]
    OlderSchema { path: PathBuf, found: i64, known: i64 },
    #[error("cannot {attempted}: {} is locked by another process", path.display())]
    Locked { path: PathBuf, attempted: &'static str },
    #[error("cannot {attempted}: {} cannot be written", path.display())]
    ReadOnly { path: PathBuf, attempted: &'static str },
    #[error("cannot {attempted}: no space left for {}", path.display())]
    DiskFull { path: PathBuf, attempted: &'static str },
    #[error("cannot {attempted}: {} is damaged ({detail})", path.display())]
    Damaged { path: PathBuf, attempted: &'static str, detail: String },
    #[error("cannot open {}: {reason}", path.display())]
    CannotOpen { path: PathBuf, reason: String },
    #[error("cannot {attempted} in {}: {source}", path.display())]
    Sqlite { path: PathBuf, attempted: &'static str, source: rusqlite::Error },
    #[error("cannot {attempted} at {}: {source}", path.display())]
    File { path: PathBuf, attempted: &'static str, source: std::io::Error },
    #[error("{} holds {what} of {run_id} that cannot be read: {detail}", path.display())]
    Unreadable { path: PathBuf, run_id: String, what: &'static str, detail: String },
    #[error("no run is called `{wanted}` in {}", path.display())]
    RunNotFound { path: PathBuf, wanted: String, suggestions: Vec<String> },
    #[error("`{wanted}` is the beginning of {} run ids", candidates.len())]
    AmbiguousRun { wanted: String, candidates: Vec<String> },
    #[error("{} holds no runs yet", path.display())]
    NoRuns { path: PathBuf },
    #[error("run {run_id} exists already")]
    RunExists { run_id: String },
    #[error("run {run_id} cannot go on because it would not be the same run: {}", differences.join("; "))]
    RunDiffers { run_id: String, differences: Vec<String> },
    #[error("run {run_id} is here already with other content: {}", differences.join("; "))]
    ImportDiffers { run_id: String, differences: Vec<String> },
    #[error("run {run_id} cannot be kept exactly as it is in the file")]
    Inexact { run_id: String },
    #[error("run {run_id} is being written by {}", holder.as_deref().unwrap_or("another process"))]
    RunBusy { run_id: String, holder: Option<String> },
    #[error("run {run_id} was not begun by this process, so nothing can be recorded for it")]
    RunNotBegun { run_id: String },
    #[error("job {job_id} of run {run_id} cannot be recorded: {reason}")]
    BadRecord { run_id: String, job_id: String, reason: String },
    #[error("metric {name} of run {run_id} is not a number and cannot be stored")]
    BadMetric { run_id: String, name: String },
    #[error("`{text}` is not a time")]
    BadTime { text: String },
    #[error("{} exists already", path.display())]
    TargetExists { path: PathBuf },
}

impl StoreError {
    /// What to do about it, if there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotADatabase { .. } | Self::NotPuma { .. } => {
                "name another file with `--db FILE`, or move this one away".to_owned()
            }
            Self::NewerSchema { .. } => "update puma, or name another file with `--db FILE`".to_owned(),
            Self::OlderSchema { path, .. } => {
                format!("make it writable and run `puma db status --db {}` once", path.display())
            }
            Self::Locked { .. } => "wait until the other program is done, or close it, and try again".to_owned(),
            Self::ReadOnly { path, .. } => {
                format!("give yourself write access to {} and its folder, or use `--db FILE`", path.display())
            }
            Self::DiskFull { .. } => "free some space; every job recorded so far is kept".to_owned(),
            Self::Damaged { path, .. } | Self::Unreadable { path, .. } => {
                format!(
                    "restore a copy made by `puma db backup` to {}, or start a new file with `--db`",
                    path.display()
                )
            }
            Self::CannotOpen { .. } | Self::File { .. } => {
                "check that the path is a file in a folder you may write, or use `--db FILE`".to_owned()
            }
            Self::RunNotFound { suggestions, .. } if !suggestions.is_empty() => {
                format!("did you mean {}?", suggestions.join(" or "))
            }
            Self::RunNotFound { .. } => "see `puma list-runs`".to_owned(),
            Self::AmbiguousRun { candidates, .. } => format!("type more of it: {}", candidates.join(", ")),
            Self::NoRuns { .. } => "make one with `puma quickstart`".to_owned(),
            Self::RunExists { run_id } => format!("go on with it: `puma run --resume {run_id}`"),
            Self::RunDiffers { .. } => "start a new run, or bring back what changed".to_owned(),
            Self::ImportDiffers { run_id, .. } => {
                format!("use the file itself instead of a run id, or delete the run here: `puma db delete {run_id}`")
            }
            Self::RunBusy { .. } => "wait until it is finished, or stop it first".to_owned(),
            Self::BadTime { .. } => {
                "write `24h`, `7d`, or a date such as `2026-05-31` or `2026-05-31T09:14`".to_owned()
            }
            Self::TargetExists { .. } => "name a file that does not exist yet".to_owned(),
            Self::Sqlite { .. }
            | Self::RunNotBegun { .. }
            | Self::BadRecord { .. }
            | Self::BadMetric { .. }
            | Self::Inexact { .. } => {
                return None;
            }
        };
        Some(hint)
    }

    /// The error behind `source`, met while trying to do `attempted` with the database at `path`.
    pub(crate) fn from_sqlite(path: &Path, attempted: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let path = path.to_path_buf();
        // A value of another type or shape than we write: someone or something else changed the file.
        if matches!(
            source,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        ) {
            return Self::Damaged { path, attempted, detail: source.to_string() };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path, attempted },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path, attempted },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path, attempted },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, attempted, detail: source.to_string() },
            Some(ErrorCode::CannotOpen) => Self::CannotOpen { path, reason: source.to_string() },
            _ => Self::Sqlite { path, attempted, source },
        }
    }
}

impl From<StoreError> for SinkError {
    fn from(error: StoreError) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}
