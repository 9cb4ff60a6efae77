//! A machine that was recorded, or written down from its documentation.

use super::question::{Answer, HostSource, NativeQuery, Unanswered};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The answers of a machine, as a `.puma-host` file (JSON) keeps them. What is not in it is [`Unanswered::Absent`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// 1. A higher number is another format.
    pub format: u32,
    /// Which machine, and where the answers come from.
    pub description: String,
    pub os: String,
    pub arch: String,
    pub available_parallelism: usize,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// By path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Kept>,
    /// Names by folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<String, KeptNames>,
    /// Targets by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, Kept>,
    /// By `program argument …`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, Kept>,
    /// By [`NativeQuery::name`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub native: BTreeMap<String, Kept>,
}

impl Recording {
    pub const FORMAT: u32 = 1;
}

/// Why a text is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("it has format {0}, and this version reads format 1")]
    Format(u32),
}

/// An answer as a file keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    Text(String),
    /// A text of several lines, each of which ended with a line feed.
    Lines(Vec<String>),
    None {
        unanswered: Unanswered,
    },
}

impl From<Answer> for Kept {
    fn from(answer: Answer) -> Self {
        match answer {
            Err(unanswered) => Self::None { unanswered },
            Ok(text) => match text.strip_suffix('\n') {
                Some(lines) => Self::Lines(lines.split('\n').map(str::to_owned).collect()),
                None => Self::Text(text),
            },
        }
    }
}

impl Kept {
    pub(super) fn answer(&self) -> Answer {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Lines(lines) => Ok(lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()),
            Self::None { unanswered } => Err(unanswered.clone()),
        }
    }
}

/// The names of a folder as a file keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeptNames {
    Names(Vec<String>),
    None { unanswered: Unanswered },
}

fn find(kept: &BTreeMap<String, Kept>, key: &str) -> Answer {
    kept.get(key).map_or(Err(Unanswered::Absent), Kept::answer)
}

/// Answers from a [`Recording`].
#[derive(Clone, Debug)]
pub struct RecordedHost {
    recording: Recording,
}

impl RecordedHost {
    pub fn new(recording: Recording) -> Self {
        Self { recording }
    }

    /// Reads the text of a `.puma-host` file.
    ///
    /// # Errors
    /// It is no such file, or one of a later format.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let recording: Recording = serde_json::from_str(text)?;
        if recording.format != Recording::FORMAT {
            return Err(RecordingError::Format(recording.format));
        }
        Ok(Self::new(recording))
    }

    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(super) fn recording_mut(&mut self) -> &mut Recording {
        &mut self.recording
    }
}

impl HostSource for RecordedHost {
    fn read(&self, path: &str) -> Answer {
        find(&self.recording.files, path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unanswered> {
        match self.recording.folders.get(folder) {
            Some(KeptNames::Names(names)) => Ok(names.clone()),
            Some(KeptNames::None { unanswered }) => Err(unanswered.clone()),
            None => Err(Unanswered::Absent),
        }
    }

    fn link(&self, path: &str) -> Answer {
        find(&self.recording.links, path)
    }

    fn run(&self, program: &str, arguments: &[&str], _limit: Duration) -> Answer {
        find(&self.recording.commands, &command_key(program, arguments))
    }

    fn native(&self, query: &NativeQuery) -> Answer {
        find(&self.recording.native, &query.name())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.recording.variables.get(name).cloned()
    }

    fn os(&self) -> &str {
        &self.recording.os
    }

    fn arch(&self) -> &str {
        &self.recording.arch
    }

    fn available_parallelism(&self) -> usize {
        self.recording.available_parallelism
    }

    fn is_recorded(&self) -> bool {
        true
    }
}

/// How a command is written in a recording: the program without its folder, then its arguments.
pub(super) fn command_key(program: &str, arguments: &[&str]) -> String {
    let name = program.rsplit('/').next().unwrap_or(program);
    std::iter::once(name).chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_survives_being_kept() {
        let texts = ["", "\n", "one", "one\n", "one\ntwo", "one\n\ntwo\n", "\r\n", "\n\n"];
        let answers = texts
            .iter()
            .map(|text| Ok((*text).to_owned()))
            .chain([Err(Unanswered::Absent), Err(Unanswered::Failed("exit status 9".to_owned()))]);
        for answer in answers {
            let json = serde_json::to_string(&Kept::from(answer.clone())).expect("JSON");
            let kept: Kept = serde_json::from_str(&json).expect("the same JSON");
            assert_eq!(kept.answer(), answer, "{json}");
        }
    }

    #[test]
    fn a_command_is_found_by_its_name_wherever_it_lies() {
        assert_eq!(command_key("/usr/sbin/sysctl", &["-n", "hw.memsize"]), "sysctl -n hw.memsize");
    }
}
