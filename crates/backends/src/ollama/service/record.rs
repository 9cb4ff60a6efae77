//! What PUMA remembers about the server it found or started: one small file, `service.json` in the data folder.

use super::error::ServiceError;
use crate::sources::write_atomically;
use puma_core::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Version of the file's form. A file of a newer PUMA is refused, never misread.
const FORM: u32 = 1;

impl Mode {
    /// `native` or `docker`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Docker => "docker",
        }
    }
}

/// Where the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A program of this system, with its GPU.
    Native,
    /// A container.
    Docker,
}

/// How far `up` came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Written before the start: whoever reads it holding the lock knows that an `up` was interrupted.
    Starting,
    Running,
}

/// The process that `up` started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedProcess {
    /// Process id; also the id of the process group it leads.
    pub pid: u32,
    /// When it started, as the system tells it; see [`super::ProcessIdentity::started`].
    pub started: String,
    /// The program it ran when it first answered; `None` where the system does not tell.
    pub executable: Option<PathBuf>,
}

/// The server in use, as remembered between commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    pub(super) form: u32,
    pub mode: Mode,
    /// Where to call it.
    pub endpoint: String,
    /// Whether PUMA started it. One that was there before is never stopped.
    pub started_by_puma: bool,
    pub stage: Stage,
    /// Value of [`super::process::MARKER`] in the server's environment, native servers only.
    pub marker: Option<String>,
    /// `None` for servers PUMA did not start, for containers, and while starting.
    pub process: Option<StartedProcess>,
    /// The program that was started: `ollama` or `docker`.
    pub program: Option<PathBuf>,
    /// What the server prints, native servers only.
    pub log: Option<PathBuf>,
    /// Compose files in the order they were given, containers only.
    pub compose_files: Vec<PathBuf>,
    /// The model that `up` made ready last.
    pub model: Option<String>,
    /// RFC 3339, UTC.
    pub since: String,
}

impl ServiceRecord {
    /// A server that was there before.
    pub(super) fn found(endpoint: String, now: Timestamp) -> Self {
        Self {
            form: FORM,
            mode: Mode::Native,
            endpoint,
            started_by_puma: false,
            stage: Stage::Running,
            marker: None,
            process: None,
            program: None,
            log: None,
            compose_files: Vec::new(),
            model: None,
            since: now.rfc3339(),
        }
    }

    /// The intent to start a server, written before anything is started.
    pub(super) fn starting(mode: Mode, endpoint: String, program: PathBuf, now: Timestamp) -> Self {
        Self {
            mode,
            started_by_puma: true,
            stage: Stage::Starting,
            program: Some(program),
            ..Self::found(endpoint, now)
        }
    }
}

/// The record in `path`; `None` when there is none.
///
/// # Errors
/// The file cannot be read, is no record, or was written by a newer PUMA.
pub(super) fn read(path: &Path) -> Result<Option<ServiceRecord>, ServiceError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        // A data folder that is not there, or whose name is taken by a file, holds no record.
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(ServiceError::io("read", path, &error)),
    };
    let damaged = |why: &str| {
        ServiceError::failed(format!("{} cannot be understood: {why}", path.display()))
            .hint("stop the server it describes, if one runs, and remove the file")
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(&error.to_string()))?;
    match value.get("form").and_then(serde_json::Value::as_u64) {
        Some(form) if form == u64::from(FORM) => {}
        Some(form) if form > u64::from(FORM) => return Err(damaged(&format!("a newer PUMA wrote it (form {form})"))),
        _ => return Err(damaged("it does not tell its form")),
    }
    serde_json::from_value(value).map(Some).map_err(|error| damaged(&error.to_string()))
}

/// Puts `record` in place of what was in `path`; a crash leaves the old or the new, never half.
pub(super) fn write(path: &Path, record: &ServiceRecord) -> Result<(), ServiceError> {
    let text = serde_json::to_vec_pretty(record).expect("a record holds only texts, numbers and lists");
    write_atomically(path, &text).map_err(|error| ServiceError::io("write", path, &error))
}

/// Forgets; nothing to forget is fine.
pub(super) fn clear(path: &Path) -> Result<(), ServiceError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ServiceError::io("remove", path, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ServiceRecord {
        let process = StartedProcess { pid: 7, started: "boot 1".into(), executable: Some("/usr/bin/ollama".into()) };
        let program = "/usr/bin/ollama".into();
        let mut record =
            ServiceRecord::starting(Mode::Native, "http://127.0.0.1:1".into(), program, Timestamp(951_782_399_999));
        record.process = Some(process);
        record.model = Some("qwen2.5:3b".into());
        record
    }

    #[test]
    fn what_is_written_is_read_again_and_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("not yet there/service.json");
        assert_eq!(read(&path), Ok(None));
        write(&path, &record()).expect("written");
        assert_eq!(read(&path), Ok(Some(record())));
        clear(&path).expect("cleared");
        clear(&path).expect("cleared twice");
        assert_eq!(read(&path), Ok(None));
    }

    #[test]
    fn a_damaged_or_newer_file_is_refused_with_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("service.json");
        for (text, why) in [
            ("{\"form\": 1", "EOF"),
            ("{}", "form"),
            ("{\"form\": 2, \"mode\": \"cloud\"}", "newer PUMA"),
            ("{\"form\": 1, \"mode\": \"cloud\"}", "cloud"),
        ] {
            std::fs::write(&path, text).expect("written");
            let error = read(&path).expect_err(text);
            assert!(error.message.contains("service.json") && error.message.contains(why), "{}", error.message);
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn a_disk_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("file"), "").expect("written");
        let error = write(&folder.path().join("file/service.json"), &record()).expect_err("a file is no folder");
        assert!(error.message.contains("service.json") && error.hint.is_some(), "{error:?}");
    }
}
