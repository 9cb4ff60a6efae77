//! This process and those of the model's server.

use super::linux_text;
use super::sample::ProcessSample;
use crate::source::HostSource;
use std::time::Duration;

/// How often the servers' processes are looked for: a server starts another one for every model.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Which processes count as the run itself.
pub(super) struct Processes {
    /// How the server's programs are called, in lower case; a name that begins so counts.
    names: Vec<String>,
    found: Vec<String>,
    looked_at: Option<Duration>,
}

impl Processes {
    pub(super) fn new(names: &[String]) -> Self {
        Self { names: names.iter().map(|name| name.to_lowercase()).collect(), found: Vec::new(), looked_at: None }
    }

    /// This process first. A server's process of another user tells its time, but not what it fetched.
    pub(super) fn read(&mut self, host: &dyn HostSource, now: Duration) -> Vec<ProcessSample> {
        self.look(host, now);
        let mut processes = vec![one(host, "self")];
        processes.extend(self.found.iter().map(|id| one(host, id)).filter(|process| process.ticks.is_some()));
        processes
    }

    fn look(&mut self, host: &dyn HostSource, now: Duration) {
        let fresh = self.looked_at.is_some_and(|at| now.saturating_sub(at) < LOOK_EVERY);
        if self.names.is_empty() || fresh {
            return;
        }
        self.looked_at = Some(now);
        let ids = host.list("/proc").unwrap_or_default();
        let is_server = |id: &String| {
            let name = host.read(&format!("/proc/{id}/comm")).unwrap_or_default().trim().to_lowercase();
            self.names.iter().any(|wanted| name.starts_with(wanted.as_str()))
        };
        let numbers = ids.into_iter().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        self.found = numbers.filter(is_server).collect();
    }
}

fn one(host: &dyn HostSource, id: &str) -> ProcessSample {
    let mut process = ProcessSample { id: id.to_owned(), ..ProcessSample::default() };
    if let Ok(text) = host.read(&format!("/proc/{id}/stat")) {
        linux_text::process(&text, &mut process);
    }
    process.fetched_bytes = host.read(&format!("/proc/{id}/io")).ok().and_then(|text| linux_text::fetched_bytes(&text));
    process
}
