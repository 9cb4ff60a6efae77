//! Does Ollama answer, and if not, what does?

use crate::endpoint::Endpoint;
use crate::http::{HttpClient, TimeLimits};
use crate::http_errors::ServerHints;
use crate::ollama::identify;
use puma_core::{BackendError, BackendErrorKind, Cancel};
use std::time::{Duration, Instant};

/// Between two questions to a server that starts.
const POLL: Duration = Duration::from_millis(100);
/// For one answer of a server that starts; the next question may fare better.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) const HINTS: ServerHints = ServerHints { server: "Ollama", start: "start it with `puma up`" };

/// Who answers at an address.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Ollama, of this version.
    Ollama(String),
    /// No connection.
    Nothing(BackendError),
    /// Something that is not Ollama, or does not answer in time.
    Other(BackendError),
}

pub(super) fn limits() -> TimeLimits {
    let seconds = Duration::from_secs;
    TimeLimits { connect: seconds(3), inquiry: seconds(5), ..TimeLimits::default() }
}

pub(super) fn client(endpoint: &Endpoint) -> HttpClient {
    HttpClient::new(endpoint.clone(), None, limits().connect, HINTS)
}

/// Asks once.
pub(super) fn probe(endpoint: &Endpoint) -> Answer {
    probe_within(endpoint, limits().inquiry)
}

fn probe_within(endpoint: &Endpoint, inquiry: Duration) -> Answer {
    match identify::version(&client(endpoint), &TimeLimits { inquiry, ..limits() }) {
        Ok(version) => Answer::Ollama(version),
        Err(failed) if failed.error.kind == BackendErrorKind::Unreachable => Answer::Nothing(failed.error),
        Err(failed) => Answer::Other(failed.error),
    }
}

/// The version of the Ollama that answers at `endpoint`; `None` when none does. Cost: one request, up to eight seconds.
pub fn version_at(endpoint: &Endpoint) -> Option<String> {
    match probe(endpoint) {
        Answer::Ollama(version) => Some(version),
        Answer::Nothing(_) | Answer::Other(_) => None,
    }
}

/// How waiting for a server ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Waited {
    Healthy(String),
    /// The process ended first.
    Died,
    /// What was answered last.
    TimedOut(Answer),
    Cancelled,
}

/// Asks until Ollama answers, `is_alive` says no, `limit` is over or `cancel` is set.
pub(super) fn wait(
    endpoint: &Endpoint,
    limit: Duration,
    cancel: &Cancel,
    is_alive: &mut dyn FnMut() -> bool,
) -> Waited {
    let start = Instant::now();
    loop {
        let answer = probe_within(endpoint, PATIENCE);
        if let Answer::Ollama(version) = answer {
            return Waited::Healthy(version);
        }
        if cancel.is_cancelled() {
            return Waited::Cancelled;
        }
        if !is_alive() {
            return Waited::Died;
        }
        if start.elapsed() >= limit {
            return Waited::TimedOut(answer);
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_testkit::fault_server::{Behaviour, FaultServer};
    use std::io::Write as _;
    use std::net::TcpListener;

    fn at(url: &str) -> Endpoint {
        Endpoint::parse(url, 11434).expect("an address")
    }

    #[test]
    fn ollama_nothing_and_something_else_are_told_apart() {
        let server = FaultServer::start(Behaviour::default());
        assert_eq!(probe(&at(&server.url())), Answer::Ollama("0.12.11".into()));
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
        assert!(matches!(probe(&at(&free.to_string())), Answer::Nothing(_)));

        let mail = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = mail.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            for mut stream in mail.incoming().flatten() {
                let _ = stream.write_all(b"220 mail.example.org ESMTP ready\r\n");
            }
        });
        let Answer::Other(error) = probe(&at(&address)) else { panic!("a mail server is not Ollama") };
        assert!(error.message.contains(&address), "{}", error.message);
    }

    #[test]
    fn waiting_ends_with_the_process_or_the_limit_or_the_users_wish() {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
        let endpoint = at(&free.to_string());
        let short = Duration::from_millis(250);
        assert_eq!(wait(&endpoint, Duration::from_secs(60), &Cancel::default(), &mut || false), Waited::Died);
        let start = Instant::now();
        let waited = wait(&endpoint, short, &Cancel::default(), &mut || true);
        assert!(matches!(waited, Waited::TimedOut(Answer::Nothing(_))) && start.elapsed() >= short, "{waited:?}");
        let cancel = Cancel::default();
        cancel.cancel();
        assert_eq!(wait(&endpoint, Duration::from_secs(60), &cancel, &mut || true), Waited::Cancelled);
    }
}
