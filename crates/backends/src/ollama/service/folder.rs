//! The files of the service in PUMA's data folder, and the lock that keeps two `up` apart.

use super::Step;
use super::error::ServiceError;
use super::process::{Fate, fate, find_marked};
use super::record::{self, Mode, ServiceRecord, Stage, StartedProcess};
use puma_core::Cancel;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Lines and bytes of a log that go into a message.
const TAIL_LINES: usize = 12;
const TAIL_BYTES: u64 = 4096;

/// The folder that holds `service.json`, its lock, the server's log and the compose files.
#[derive(Clone, Debug)]
pub struct ServiceFolder {
    folder: PathBuf,
}

/// Held while a server is started or stopped; ends when dropped, or when the program ends in any way.
#[derive(Debug)]
pub struct ServiceLock {
    _file: File,
}

impl ServiceFolder {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The remembered server; `None` when there is none.
    ///
    /// # Errors
    /// The file is there but cannot be read or understood.
    pub fn record(&self) -> Result<Option<ServiceRecord>, ServiceError> {
        record::read(&self.record_path())
    }

    /// Remembers that `model` was made ready on the recorded server. Without a record nothing happens: somebody called
    /// `down` in the meantime.
    ///
    /// # Errors
    /// The record cannot be read or written.
    pub fn remember_model(&self, model: &str, cancel: &Cancel) -> Result<(), ServiceError> {
        let _lock = self.lock(&mut |_| (), cancel)?;
        match self.record()? {
            Some(known) => {
                let record = ServiceRecord { model: Some(model.to_owned()), ..known.clone() };
                self.update(&known, &record)
            }
            None => Ok(()),
        }
    }

    /// `service.json`.
    pub fn record_path(&self) -> PathBuf {
        self.folder.join("service.json")
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.folder.join("ollama.log")
    }

    pub(super) fn compose_folder(&self) -> PathBuf {
        self.folder.join("compose")
    }

    pub(super) fn write(&self, record: &ServiceRecord) -> Result<(), ServiceError> {
        record::write(&self.record_path(), record)
    }

    /// Writes `record` unless it is what `known` says already: a full disk must not hide a server that runs.
    pub(super) fn update(&self, known: &ServiceRecord, record: &ServiceRecord) -> Result<(), ServiceError> {
        if record == known { Ok(()) } else { self.write(record) }
    }

    pub(super) fn clear(&self) -> Result<(), ServiceError> {
        record::clear(&self.record_path())
    }

    /// Waits until nobody else starts or stops a server.
    pub(super) fn lock(&self, step: &mut dyn FnMut(Step), cancel: &Cancel) -> Result<ServiceLock, ServiceError> {
        let path = self.folder.join("service.lock");
        let file = std::fs::create_dir_all(&self.folder)
            .and_then(|()| File::options().create(true).truncate(false).write(true).open(&path));
        let file = file.map_err(|error| ServiceError::io("open", &path, &error))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(ServiceLock { _file: file }),
                Err(TryLockError::WouldBlock) if cancel.is_cancelled() => {
                    return Err(ServiceError::cancelled(
                        "waiting for another `puma up` or `puma down` was interrupted",
                    ));
                }
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut told, true) {
                        step(Step::WaitingForOther);
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                // A file system without locks cannot keep two calls apart; the second finds the port taken.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(ServiceLock { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(ServiceError::io("lock", &path, &error)),
            }
        }
    }

    /// The record as it is true now, for whoever holds the lock: a server of PUMA's that no longer runs is forgotten,
    /// and one that an interrupted `up` left behind is found by its marker.
    pub(super) fn settled(
        &self,
        _lock: &ServiceLock,
        step: &mut dyn FnMut(Step),
    ) -> Result<Option<ServiceRecord>, ServiceError> {
        let Some(mut record) = self.record()? else { return Ok(None) };
        if !record.started_by_puma || record.mode == Mode::Docker {
            return Ok(Some(record));
        }
        if record.process.is_none() && record.stage == Stage::Starting {
            let found = record.marker.as_deref().and_then(find_marked);
            // Which program it is, is only certain once it answers: a wrapper may replace itself.
            record.process = found.map(|process| StartedProcess { executable: None, ..process });
            if let Some(process) = &record.process {
                step(Step::Recovered { pid: process.pid });
                self.write(&record)?;
            }
        }
        if record.process.as_ref().is_some_and(|process| fate(process) == Fate::Alive) {
            return Ok(Some(record));
        }
        step(Step::RecordIsStale { endpoint: record.endpoint });
        self.clear()?;
        Ok(None)
    }

    /// A new log; the one before it is kept as `ollama.log.old`.
    pub(super) fn new_log(&self) -> Result<File, ServiceError> {
        let path = self.log_path();
        if path.exists() {
            let old = path.with_extension("log.old");
            std::fs::rename(&path, &old).map_err(|error| ServiceError::io("move the old log to", &old, &error))?;
        }
        File::create(&path).map_err(|error| ServiceError::io("make the log", &path, &error))
    }
}

/// The last lines of a log, indented for a message; says so when there are none.
pub(super) fn tail(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        file.read_to_end(&mut bytes)
    });
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    match (read, lines.as_slice()) {
        (Err(error), _) => format!("its log {} cannot be read: {error}", path.display()),
        (Ok(_), []) => format!("its log {} is empty", path.display()),
        (Ok(_), lines) => {
            let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
            format!("the end of its log {}:\n  {}", path.display(), last.join("\n  "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::Timestamp;

    fn folder() -> (tempfile::TempDir, ServiceFolder) {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = ServiceFolder::new(dir.path().join("data"));
        (dir, folder)
    }

    #[test]
    fn a_second_caller_waits_for_the_first_and_can_be_interrupted() {
        let (_dir, folder) = folder();
        let cancel = Cancel::default();
        let held = folder.lock(&mut |_| (), &cancel).expect("free");
        cancel.cancel();
        let error = folder.lock(&mut |_| (), &cancel).expect_err("held and interrupted");
        assert_eq!(error.kind, super::super::ServiceErrorKind::Cancelled);
        let mut steps = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                drop(held);
            });
            folder.lock(&mut |step| steps.push(step), &Cancel::default()).expect("free after a while");
        });
        assert_eq!(steps, [Step::WaitingForOther]);
    }

    #[test]
    fn the_record_of_a_server_that_is_gone_is_dropped_but_not_that_of_a_foreign_one() {
        let (_dir, folder) = folder();
        let lock = folder.lock(&mut |_| (), &Cancel::default()).expect("free");
        let foreign = ServiceRecord::found("http://127.0.0.1:1".into(), Timestamp(0));
        folder.write(&foreign).expect("written");
        assert_eq!(folder.settled(&lock, &mut |_| ()), Ok(Some(foreign)));

        let mut own = ServiceRecord::starting(Mode::Native, "http://127.0.0.1:2".into(), "/o".into(), Timestamp(0));
        own.marker = Some("no process has this marker".into());
        folder.write(&own).expect("written");
        let mut steps = Vec::new();
        assert_eq!(folder.settled(&lock, &mut |step| steps.push(step)), Ok(None));
        assert_eq!(steps, [Step::RecordIsStale { endpoint: "http://127.0.0.1:2".into() }]);
        assert_eq!(folder.record(), Ok(None));
    }

    #[test]
    fn the_tail_of_a_log_is_its_last_lines() {
        let (_dir, folder) = folder();
        assert!(tail(&folder.log_path()).contains("cannot be read"));
        std::fs::create_dir_all(&folder.folder).expect("made");
        std::fs::write(folder.log_path(), "").expect("written");
        assert!(tail(&folder.log_path()).contains("is empty"));
        let lines: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
        std::fs::write(folder.log_path(), lines.join("\n")).expect("written");
        let text = tail(&folder.log_path());
        assert!(text.ends_with("line 999") && text.contains("line 988") && !text.contains("line 987"), "{text}");
    }
}
