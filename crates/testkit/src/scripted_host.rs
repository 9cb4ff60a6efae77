//! A machine whose answers change: by call, or by a clock that the test moves.

use puma_core::clock::{Clock, Timestamp};
use puma_host::source::{Answer, HostSource, NativeQuery, Unanswered};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A clock that stands still until it is moved.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    nanoseconds: Arc<AtomicU64>,
}

impl ManualClock {
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).expect("less than 584 years");
        self.nanoseconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.monotonic().as_millis()).expect("less than 584 years"))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::SeqCst))
    }
}

/// What is answered: from the time of the clock and how often this question came before.
type Script = Box<dyn FnMut(Duration, usize) -> Answer + Send>;

/// Answers from scripts; what has none is absent.
#[derive(Default)]
pub struct ScriptedHost {
    clock: ManualClock,
    os: String,
    arch: String,
    variables: BTreeMap<String, String>,
    folders: BTreeMap<String, Vec<String>>,
    links: BTreeMap<String, String>,
    scripts: Mutex<BTreeMap<Question, (usize, Script)>>,
}

/// A question with a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    File(String),
    Command(String),
    Native(String),
}

impl ScriptedHost {
    /// `os` is `linux` or `macos`.
    pub fn new(os: &str, clock: ManualClock) -> Self {
        let arch = if os == "macos" { "aarch64" } else { "x86_64" };
        Self { clock, os: os.to_owned(), arch: arch.to_owned(), ..Self::default() }
    }

    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    #[must_use]
    pub fn folder(mut self, path: &str, names: &[&str]) -> Self {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        self.folders.insert(path.to_owned(), names);
        self
    }

    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.to_owned(), target.to_owned());
        self
    }

    /// A file that never changes.
    #[must_use]
    pub fn file(self, path: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        self.changing_file(path, move |_, _| Ok(text.clone()))
    }

    /// A file whose text depends on the clock and on how often it was read before.
    #[must_use]
    pub fn changing_file(self, path: &str, script: impl FnMut(Duration, usize) -> Answer + Send + 'static) -> Self {
        self.script(Question::File(path.to_owned()), script)
    }

    /// A program; `command` is its name without folder, then its arguments.
    #[must_use]
    pub fn command(self, command: &str, script: impl FnMut(Duration, usize) -> Answer + Send + 'static) -> Self {
        self.script(Question::Command(command.to_owned()), script)
    }

    /// An interface of the system.
    #[must_use]
    pub fn interface(
        self,
        query: &NativeQuery,
        script: impl FnMut(Duration, usize) -> Answer + Send + 'static,
    ) -> Self {
        self.script(Question::Native(query.name()), script)
    }

    fn script(self, question: Question, script: impl FnMut(Duration, usize) -> Answer + Send + 'static) -> Self {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).insert(question, (0, Box::new(script)));
        self
    }

    fn answer(&self, question: &Question) -> Answer {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((calls, script)) = scripts.get_mut(question) else { return Err(Unanswered::Absent) };
        *calls += 1;
        script(self.clock.monotonic(), *calls - 1)
    }
}

impl HostSource for ScriptedHost {
    fn read(&self, path: &str) -> Answer {
        self.answer(&Question::File(path.to_owned()))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unanswered> {
        self.folders.get(folder).cloned().ok_or(Unanswered::Absent)
    }

    fn link(&self, path: &str) -> Answer {
        self.links.get(path).cloned().ok_or(Unanswered::Absent)
    }

    fn run(&self, program: &str, arguments: &[&str], _limit: Duration) -> Answer {
        let name = program.rsplit('/').next().unwrap_or(program);
        let command: Vec<&str> = std::iter::once(name).chain(arguments.iter().copied()).collect();
        self.answer(&Question::Command(command.join(" ")))
    }

    fn native(&self, query: &NativeQuery) -> Answer {
        self.answer(&Question::Native(query.name()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn os(&self) -> &str {
        &self.os
    }

    fn arch(&self) -> &str {
        &self.arch
    }

    fn available_parallelism(&self) -> usize {
        4
    }

    fn is_recorded(&self) -> bool {
        false
    }
}
