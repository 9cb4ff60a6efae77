//! `down`: stops what `up` started, and nothing else.

use super::Step;
use super::docker;
use super::error::ServiceError;
use super::folder::ServiceFolder;
use super::process::{Fate, fate, find_marked, group_is_marked, group_lives, signal_group};
use super::program::SearchPath;
use super::record::{Mode, ServiceRecord, StartedProcess};
use puma_core::Cancel;
use rustix::process::Signal;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long a server may take to end after it was asked to; then it is killed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long the system may take to remove a killed process.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// What became of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOutcome {
    /// No `up` is remembered.
    NothingRecorded,
    /// PUMA did not start it.
    LeftAlone,
    /// It had ended before.
    AlreadyGone,
    /// Its process id belongs to another program now, which was left alone.
    PidReused,
    /// It ended when asked.
    Stopped,
    /// It had to be killed.
    Killed,
}

/// What `down` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    pub outcome: StopOutcome,
    /// What was remembered; forgotten now.
    pub record: Option<ServiceRecord>,
}

impl ServiceFolder {
    /// Stops the recorded server if PUMA started it, and forgets it. A server is asked to end (SIGTERM to its process
    /// group, or `docker compose down`) and killed after ten seconds. Calling it again does nothing.
    ///
    /// # Errors
    /// The record cannot be read or removed; a process survives being killed; docker fails.
    pub fn down(&self, search: &SearchPath, step: &mut dyn FnMut(Step), cancel: &Cancel) -> Result<Down, ServiceError> {
        let _lock = self.lock(step, cancel)?;
        let Some(record) = self.record()? else {
            return Ok(Down { outcome: StopOutcome::NothingRecorded, record: None });
        };
        let outcome = match (record.started_by_puma, record.mode) {
            (false, _) => StopOutcome::LeftAlone,
            (true, Mode::Docker) => docker::compose_down(&record, search, cancel)?,
            (true, Mode::Native) => stop_native(&record)?,
        };
        self.clear()?;
        Ok(Down { outcome, record: Some(record) })
    }
}

fn stop_native(record: &ServiceRecord) -> Result<StopOutcome, ServiceError> {
    let marker = record.marker.as_deref();
    // Without a process, an `up` died between its start and its record.
    let Some(process) = record.process.clone().or_else(|| marker.and_then(find_marked)) else {
        return Ok(StopOutcome::AlreadyGone);
    };
    match fate(&process) {
        Fate::Alive => stop_group(&process),
        Fate::Replaced => Ok(StopOutcome::PidReused),
        // Its helpers may have outlived it, with a model in memory. The marker proves that they are its own.
        Fate::Gone if marker.is_some_and(|marker| group_is_marked(process.pid, marker)) => stop_group(&process),
        Fate::Gone => Ok(StopOutcome::AlreadyGone),
    }
}

fn stop_group(process: &StartedProcess) -> Result<StopOutcome, ServiceError> {
    signal_group(process.pid, Signal::TERM);
    if ends_within(process, PATIENCE) {
        return Ok(StopOutcome::Stopped);
    }
    signal_group(process.pid, Signal::KILL);
    if ends_within(process, AFTER_KILL) {
        return Ok(StopOutcome::Killed);
    }
    Err(ServiceError::failed(format!("process {} was killed but is still there", process.pid))
        .hint("it waits for a device or a disk; try `puma down` again in a while"))
}

fn ends_within(process: &StartedProcess, limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        if fate(process) != Fate::Alive && !group_lives(process.pid) {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
