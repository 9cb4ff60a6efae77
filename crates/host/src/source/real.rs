//! The machine the program runs on.

use super::command;
use super::question::{Answer, HostSource, NativeQuery, Unanswered};
use crate::native;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// Answers from this machine.
#[derive(Clone, Debug, Default)]
pub struct RealHost {
    variables: BTreeMap<String, String>,
}

impl RealHost {
    /// `variables` are the environment variables that questions may be about; nothing else is read from the environment.
    pub fn new(variables: BTreeMap<String, String>) -> Self {
        Self { variables }
    }
}

impl HostSource for RealHost {
    fn read(&self, path: &str) -> Answer {
        let bytes = std::fs::read(path).map_err(why)?;
        // Firmware strings may hold anything; a strange byte must not hide the rest.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unanswered> {
        let entries = std::fs::read_dir(folder).map_err(why)?;
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        Ok(names)
    }

    fn link(&self, path: &str) -> Answer {
        std::fs::read_link(path).map(|target| target.display().to_string()).map_err(why)
    }

    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Answer {
        command::run(program, arguments, limit)
    }

    fn native(&self, query: &NativeQuery) -> Answer {
        native::answer(query)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn os(&self) -> &str {
        std::env::consts::OS
    }

    fn arch(&self) -> &str {
        std::env::consts::ARCH
    }

    fn available_parallelism(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    fn is_recorded(&self) -> bool {
        false
    }
}

fn why(error: io::Error) -> Unanswered {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unanswered::Absent,
        io::ErrorKind::PermissionDenied => Unanswered::Denied,
        _ => Unanswered::Failed(error.to_string()),
    }
}
