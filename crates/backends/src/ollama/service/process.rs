//! Which process a recorded one is today, and signals to it.

use super::process_table::{process, processes, with_environment};
use super::record::StartedProcess;
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::PathBuf;

/// Variable by which a server that PUMA started is recognised even if PUMA died before it could write down its id.
pub(super) const MARKER: &str = "PUMA_SERVICE";

/// What tells one process from every other that ever had its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Boot and clock ticks since then on Linux; the second of its start elsewhere. Only for comparing.
    pub started: String,
    /// `None` where the system does not tell.
    pub executable: Option<PathBuf>,
}

/// The process that has this id now; `None` when there is none.
pub fn identify(pid: u32) -> Option<ProcessIdentity> {
    process(pid).map(|process| ProcessIdentity { started: process.started, executable: process.executable })
}

/// What became of a recorded process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Alive,
    Gone,
    /// Its id belongs to another process now.
    Replaced,
}

/// Compares id, start time and, where both are known, program.
pub(super) fn fate(recorded: &StartedProcess) -> Fate {
    let Some(now) = identify(recorded.pid) else { return Fate::Gone };
    let same_program = match (&recorded.executable, &now.executable) {
        (Some(then), Some(now)) => then == now,
        // A program that could be read once and now cannot is not the same.
        (Some(_), None) => false,
        (None, _) => true,
    };
    if now.started == recorded.started && same_program { Fate::Alive } else { Fate::Replaced }
}

impl StartedProcess {
    /// Whether this very process still runs: the same id, start and program.
    pub fn runs(&self) -> bool {
        fate(self) == Fate::Alive
    }
}

/// The process with `marker` in its environment that leads its own group: the server, not one of its helpers.
pub(super) fn find_marked(marker: &str) -> Option<StartedProcess> {
    let marked = with_environment(&format!("{MARKER}={marker}"));
    let leader = marked.into_iter().filter_map(process).find(|process| process.pid == process.group)?;
    Some(StartedProcess { pid: leader.pid, started: leader.started, executable: leader.executable })
}

/// Whether a process of the group that `pid` led was started with `marker`.
pub(super) fn group_is_marked(pid: u32, marker: &str) -> bool {
    let marked = with_environment(&format!("{MARKER}={marker}"));
    marked.into_iter().filter_map(process).any(|process| process.group == pid)
}

/// Whether a process of the group that `pid` led still runs; a server's helpers may outlive it.
pub(super) fn group_lives(pid: u32) -> bool {
    processes().iter().any(|process| process.group == pid)
}

/// Sends `signal` to the group that `pid` leads. One that is gone by now is fine.
pub(super) fn signal_group(pid: u32, signal: Signal) {
    let raw = i32::try_from(pid).ok().filter(|raw| *raw > 1);
    if let Some(group) = raw.and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt as _;

    fn recorded(pid: u32) -> StartedProcess {
        let identity = identify(pid).expect("it runs");
        StartedProcess { pid, started: identity.started, executable: identity.executable }
    }

    #[test]
    fn a_reused_id_is_not_the_recorded_process() {
        let own = recorded(std::process::id());
        assert_eq!(fate(&own), Fate::Alive);
        assert_eq!(fate(&StartedProcess { started: "another boot 1".into(), ..own.clone() }), Fate::Replaced);
        assert_eq!(fate(&StartedProcess { executable: Some("/bin/other".into()), ..own.clone() }), Fate::Replaced);
        assert_eq!(fate(&StartedProcess { executable: None, ..own.clone() }), Fate::Alive);
        // Beyond the largest id Linux gives.
        assert_eq!(fate(&StartedProcess { pid: 4_194_305, ..own }), Fate::Gone);
    }

    #[test]
    fn a_signal_reaches_every_process_of_the_group() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 60 & sleep 60"])
            .process_group(0)
            .env(MARKER, "group-test")
            .spawn()
            .expect("sh exists");
        let pid = child.id();
        let until = |done: &dyn Fn() -> bool| {
            (0..200).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                done()
            })
        };
        let members = || processes().iter().filter(|process| process.group == pid).count();
        assert!(until(&|| members() >= 2), "the shell and its helper run");
        assert_eq!(find_marked("group-test").map(|found| found.pid), Some(pid));
        signal_group(pid, Signal::TERM);
        child.wait().expect("it ends");
        assert!(until(&|| !group_lives(pid)), "nothing of the group is left");
    }

    #[test]
    fn no_signal_ever_goes_to_everybody() {
        // 0 means the own group and 1 the system's first process.
        signal_group(0, Signal::KILL);
        signal_group(1, Signal::KILL);
        signal_group(u32::MAX, Signal::KILL);
    }
}
