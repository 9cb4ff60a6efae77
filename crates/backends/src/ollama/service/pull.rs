//! Making a model ready on a server: nothing if it is there, else the server's own pull, followed step by step.

use super::error::ServiceError;
use super::health::{client, limits};
use crate::endpoint::Endpoint;
use crate::http::reported_error;
use crate::ollama::identify;
use crate::retry::AttemptError;
use crate::sources::{Phase, Progress, PullProgress};
use puma_core::Cancel;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a pull may take as a whole.
const WHOLE: Duration = Duration::from_secs(7 * 24 * 3600);
/// A pull of which nothing is heard for this long has stopped. Ollama reports several times a second, and tries a
/// stalled part again by itself after 30 s.
const SILENCE: Duration = Duration::from_secs(120);
/// How often the silence and the cancel flag are looked at.
const POLL: Duration = Duration::from_millis(100);

/// A model that is ready.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PulledModel {
    /// As the server calls it.
    pub name: String,
    /// `sha256:…` of the manifest.
    pub digest: Option<String>,
    pub size_bytes: Option<u64>,
    /// It was there before; nothing was asked of the network.
    pub already_there: bool,
}

/// Makes sure that the server at `endpoint` has `model`. What a broken pull had fetched stays with the server, which goes
/// on from there.
///
/// # Errors
/// The server cannot be reached, reports an error (no such model, no network, a full disk) or falls silent; `cancel` was
/// set. The server goes on running in every case.
pub fn pull_model(
    endpoint: &Endpoint,
    model: &str,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<PulledModel, ServiceError> {
    pull_within(endpoint, model, SILENCE, progress, cancel)
}

fn pull_within(
    endpoint: &Endpoint,
    model: &str,
    silence: Duration,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<PulledModel, ServiceError> {
    if let Some(there) = installed(endpoint, model, true)? {
        return Ok(there);
    }
    follow(endpoint, model, silence, progress, cancel)?;
    installed(endpoint, model, false)?.ok_or_else(|| {
        ServiceError::failed(format!("Ollama at {endpoint} says it has fetched `{model}`, but does not list it"))
    })
}

fn installed(endpoint: &Endpoint, model: &str, already_there: bool) -> Result<Option<PulledModel>, ServiceError> {
    let models = identify::installed(&client(endpoint), &limits()).map_err(|failed| failed.error)?;
    let found = identify::find(&models, model).ok();
    Ok(found.map(|found| PulledModel {
        name: found.name,
        digest: found.digest,
        size_bytes: found.size_bytes,
        already_there,
    }))
}

/// Asks for the pull on a thread of its own, so that silence and the user's wish end it at once.
fn follow(
    endpoint: &Endpoint,
    model: &str,
    silence: Duration,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<(), ServiceError> {
    let client = client(endpoint);
    let of_thread = client.clone();
    let (sender, receiver) = channel::<Result<Value, AttemptError>>();
    let body = json!({"model": model, "stream": true});
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let told = of_thread.post("/api/pull", &body, WHOLE).and_then(|mut reply| {
                while let Some(line) = reply.next_line()? {
                    if sender.send(Ok(reply.parse(&line)?)).is_err() {
                        break;
                    }
                }
                Ok(())
            });
            if let Err(failed) = told {
                // Nobody listens any more: the pull was given up.
                let _ = sender.send(Err(failed));
            }
        });
        let mut layers = Layers::default();
        let mut heard = Instant::now();
        let outcome = loop {
            match receiver.recv_timeout(POLL) {
                Ok(Ok(part)) => {
                    heard = Instant::now();
                    if let Some(error) = reported_error(&part) {
                        break Err(failed_pull(endpoint, model, &error));
                    }
                    if part.get("status").and_then(Value::as_str) == Some("success") {
                        break Ok(());
                    }
                    layers.report(&part, model, progress);
                }
                Ok(Err(failed)) => break Err(failed_pull(endpoint, model, &failed.error.message)),
                Err(RecvTimeoutError::Disconnected) => {
                    break Err(failed_pull(endpoint, model, "the server's answer ended before the pull did"));
                }
                Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                    break Err(ServiceError::cancelled(format!(
                        "fetching `{model}` was interrupted; the server goes on running"
                    ))
                    .hint("type the same command again; the server goes on where it stopped"));
                }
                Err(RecvTimeoutError::Timeout) if heard.elapsed() >= silence => {
                    break Err(failed_pull(
                        endpoint,
                        model,
                        &format!("nothing was heard for {} s", silence.as_secs_f64()),
                    ));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        client.interrupt();
        outcome
    })
}

fn failed_pull(endpoint: &Endpoint, model: &str, why: &str) -> ServiceError {
    ServiceError::failed(format!("Ollama at {endpoint} runs, but could not fetch `{model}`: {why}")).hint(
        "type the same command again to go on with the download, or `puma up --skip-models` and make a model of a GGUF \
         file with `ollama create`",
    )
}

/// Progress over all layers of a model; the server tells it layer by layer.
#[derive(Default)]
struct Layers(BTreeMap<String, (u64, u64)>);

impl Layers {
    fn report(&mut self, part: &Value, model: &str, progress: &mut dyn Progress) {
        let number = |key: &str| part.get(key).and_then(Value::as_u64);
        if let (Some(digest), Some(total)) = (part.get("digest").and_then(Value::as_str), number("total")) {
            self.0.insert(digest.to_owned(), (number("completed").unwrap_or(0).min(total), total));
        }
        let (done_bytes, total) = self.0.values().fold((0, 0), |(done, all), (part, whole)| (done + part, all + whole));
        let status = part.get("status").and_then(Value::as_str).unwrap_or_default();
        let phase = if status.starts_with("verifying") {
            Phase::Checking
        } else if status.starts_with("writing") || status.starts_with("removing") {
            Phase::Finishing
        } else if total > 0 {
            Phase::Downloading
        } else {
            Phase::Resolving
        };
        progress.report(&PullProgress { phase, what: model, done_bytes, total_bytes: (total > 0).then_some(total) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::ServiceErrorKind;
    use super::*;
    use puma_testkit::fault_server::{Behaviour, FaultServer, Pull};

    const SHORT: Duration = Duration::from_millis(300);

    fn server(pull: Pull) -> (FaultServer, Endpoint) {
        let server = FaultServer::start(Behaviour { pull, ..Behaviour::default() });
        let endpoint = Endpoint::parse(&server.url(), 11434).expect("an address");
        (server, endpoint)
    }

    #[test]
    fn a_model_that_is_there_is_not_pulled() {
        // A pull would fail, so success proves that none was tried.
        let (server, endpoint) = server(Pull::Fails("no network".into()));
        let there = pull_model(&endpoint, "SmolLM2:135m", &mut |_: &PullProgress<'_>| (), &Cancel::default());
        let there = there.expect("it is there");
        assert!(there.already_there && there.name == "smollm2:135m" && there.digest.is_some());
        assert!(server.log().iter().all(|logged| logged.path == "/api/tags"));
    }

    #[test]
    fn a_pull_tells_its_progress_over_all_layers_and_ends_with_the_model_there() {
        let (_server, endpoint) = server(Pull::Succeeds);
        let mut seen = Vec::new();
        let mut progress = |p: &PullProgress<'_>| seen.push((p.phase, p.done_bytes, p.total_bytes));
        let pulled = pull_model(&endpoint, "qwen2.5:3b", &mut progress, &Cancel::default()).expect("it can be pulled");
        assert!(!pulled.already_there);
        assert_eq!(
            seen,
            [
                (Phase::Resolving, 0, None),
                (Phase::Downloading, 300, Some(900)),
                (Phase::Downloading, 900, Some(900)),
                (Phase::Downloading, 950, Some(1000)),
                (Phase::Downloading, 1000, Some(1000)),
                (Phase::Checking, 1000, Some(1000)),
                (Phase::Finishing, 1000, Some(1000)),
            ]
        );
    }

    #[test]
    fn a_pull_that_fails_half_way_says_why_and_that_the_server_runs() {
        let full = "write blob: no space left on device";
        for (pull, why) in [
            (Pull::Fails(full.into()), full),
            (Pull::Breaks, "in the middle"),
            (Pull::FallsSilent, "nothing was heard for 0.3 s"),
        ] {
            let (_server, endpoint) = server(pull.clone());
            let error = pull_within(&endpoint, "qwen2.5:3b", SHORT, &mut |_: &PullProgress<'_>| (), &Cancel::default());
            let error = error.expect_err("it cannot be pulled");
            assert!(error.message.contains(why) && error.message.contains("runs"), "{pull:?}: {}", error.message);
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn the_users_wish_ends_a_silent_pull_at_once() {
        let (_server, endpoint) = server(Pull::FallsSilent);
        let cancel = Cancel::default();
        let start = Instant::now();
        let mut progress = |_: &PullProgress<'_>| cancel.cancel();
        let error = pull_within(&endpoint, "qwen2.5:3b", SILENCE, &mut progress, &cancel).expect_err("interrupted");
        assert_eq!(error.kind, ServiceErrorKind::Cancelled);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }

    #[test]
    fn a_server_that_is_not_there_is_named() {
        let endpoint = Endpoint::parse("127.0.0.1:9", 1).expect("an address");
        let error = pull_model(&endpoint, "m", &mut |_: &PullProgress<'_>| (), &Cancel::default()).expect_err("nobody");
        assert!(error.message.contains("127.0.0.1:9"), "{}", error.message);
    }
}
