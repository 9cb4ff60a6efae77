//! Keeps what a machine answers while it is asked.

use super::question::{Answer, HostSource, NativeQuery, Unanswered};
use super::recorded::{Kept, KeptNames, RecordedHost, Recording, command_key};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Asks another host and keeps every answer. A question that was answered is not asked again, so that the answers fit
/// each other as those of a recording do.
pub struct Recorder {
    host: Arc<dyn HostSource>,
    kept: Mutex<RecordedHost>,
}

impl Recorder {
    pub fn new(host: Arc<dyn HostSource>) -> Self {
        let recording = Recording {
            format: Recording::FORMAT,
            description: String::new(),
            os: host.os().to_owned(),
            arch: host.arch().to_owned(),
            available_parallelism: host.available_parallelism(),
            ..Recording::default()
        };
        Self { host, kept: Mutex::new(RecordedHost::new(recording)) }
    }

    /// Everything kept so far, with all that identifies the machine and its user still in it.
    pub(super) fn recording(&self) -> Recording {
        self.kept().recording().clone()
    }

    fn kept(&self) -> MutexGuard<'_, RecordedHost> {
        // A panic elsewhere leaves whole answers behind.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostSource for Recorder {
    fn read(&self, path: &str) -> Answer {
        if self.kept().recording().files.contains_key(path) {
            return self.kept().read(path);
        }
        let answer = self.host.read(path);
        self.kept().recording_mut().files.insert(path.to_owned(), Kept::from(answer.clone()));
        answer
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unanswered> {
        if self.kept().recording().folders.contains_key(folder) {
            return self.kept().list(folder);
        }
        let answer = self.host.list(folder);
        let kept = answer.clone().map_or_else(|unanswered| KeptNames::None { unanswered }, KeptNames::Names);
        self.kept().recording_mut().folders.insert(folder.to_owned(), kept);
        answer
    }

    fn link(&self, path: &str) -> Answer {
        if self.kept().recording().links.contains_key(path) {
            return self.kept().link(path);
        }
        let answer = self.host.link(path);
        self.kept().recording_mut().links.insert(path.to_owned(), Kept::from(answer.clone()));
        answer
    }

    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Answer {
        let key = command_key(program, arguments);
        if self.kept().recording().commands.contains_key(&key) {
            return self.kept().run(program, arguments, limit);
        }
        let answer = self.host.run(program, arguments, limit);
        self.kept().recording_mut().commands.insert(key, Kept::from(answer.clone()));
        answer
    }

    fn native(&self, query: &NativeQuery) -> Answer {
        if self.kept().recording().native.contains_key(&query.name()) {
            return self.kept().native(query);
        }
        let answer = self.host.native(query);
        self.kept().recording_mut().native.insert(query.name(), Kept::from(answer.clone()));
        answer
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = self.host.variable(name)?;
        self.kept().recording_mut().variables.insert(name.to_owned(), value.clone());
        Some(value)
    }

    fn os(&self) -> &str {
        self.host.os()
    }

    fn arch(&self) -> &str {
        self.host.arch()
    }

    fn available_parallelism(&self) -> usize {
        self.host.available_parallelism()
    }

    fn is_recorded(&self) -> bool {
        self.host.is_recorded()
    }
}
