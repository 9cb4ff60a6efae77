//! What `up` tells while it works and when it is done.

use super::record::ServiceRecord;

/// What `up` is doing, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another `up` or `down` holds the lock.
    WaitingForOther,
    /// A recorded server no longer runs; its record is dropped.
    RecordIsStale {
        endpoint: String,
    },
    /// A server that an interrupted `up` had started was found again.
    Recovered {
        pid: u32,
    },
    Starting {
        program: String,
    },
    WaitingForHealth {
        endpoint: String,
    },
}

/// A server that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Up {
    pub record: ServiceRecord,
    /// What the server says its version is.
    pub version: String,
    /// It answered before this call; nothing was started.
    pub already_running: bool,
}
