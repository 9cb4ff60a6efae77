//! What went wrong with a server, in one sentence with a hint.
//!
//! Every failure of the HTTP backends is made here, so that kind, wording and hint stay alike: [`transport_error`] for
//! connections, [`status_error`] for HTTP statuses, [`broken_protocol`] for answers that make no sense.

use crate::http::error_text;
use crate::retry::AttemptError;
use puma_core::{BackendError, BackendErrorKind};
use serde_json::Value;
use std::io::ErrorKind;
use std::time::Duration;

/// What a user can do about a server that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHints {
    /// `Ollama`, `llama-server`, …
    pub server: &'static str,
    /// How to start it, as a question that ends in advice.
    pub start: &'static str,
}

/// How much of a server's own words goes into a message.
const MAX_QUOTE_CHARS: usize = 300;

/// A failure below HTTP: no connection, no answer in time, an answer cut short, or one too large.
pub fn transport_error(error: ureq::Error, url: &str, limit: Duration, hints: &ServerHints) -> AttemptError {
    use ureq::Timeout::{Connect, Resolve};
    let server = hints.server;
    let unreachable = |why: &str| {
        BackendError::new(BackendErrorKind::Unreachable, format!("cannot reach {server} at {url}: {why}"))
            .with_hint(hints.start)
    };
    match error {
        ureq::Error::Timeout(Connect | Resolve) => unreachable("no connection within the time limit").into(),
        ureq::Error::Timeout(_) => BackendError::new(
            BackendErrorKind::Timeout,
            format!("{server} at {url} gave no complete answer within {} s", limit.as_secs_f64()),
        )
        .with_hint("raise the time limit, choose a smaller model, or see whether the server is busy with other work")
        .into(),
        ureq::Error::HostNotFound => unreachable("the host name is not known").into(),
        ureq::Error::ConnectionFailed => unreachable("the connection failed").into(),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => unreachable("nothing listens there (connection refused)").into(),
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => broken_protocol(url, "it closed the connection in the middle", true),
            _ => unreachable(&error.to_string()).into(),
        },
        ureq::Error::BodyExceedsLimit(bytes) => {
            broken_protocol(url, &format!("its answer is larger than {} MiB", bytes >> 20), false)
        }
        error @ (ureq::Error::Tls(_) | ureq::Error::Rustls(_)) => AttemptError::lasting(
            unreachable(&format!("no secure connection ({error})")).with_hint("does the server really speak https?"),
        ),
        error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl) => {
            AttemptError::lasting(unreachable(&error.to_string()))
        }
        error => broken_protocol(url, &format!("its answer is not HTTP as PUMA knows it ({error})"), false),
    }
}

/// The server answered with an HTTP status other than 2xx; `body` is what it said.
pub fn status_error(status: u16, body: &str, url: &str, hints: &ServerHints) -> AttemptError {
    let said = serde_json::from_str::<Value>(body).ok().and_then(|body| error_text(&body));
    // One line: the message stands in tables and logs.
    let words: Vec<&str> = said.as_deref().unwrap_or(body).split_whitespace().collect();
    let said: String = words.join(" ").chars().take(MAX_QUOTE_CHARS).collect();
    let kind = kind_of(status, &said);
    let server = hints.server;
    let message = if said.is_empty() {
        format!("{server} at {url} answered with HTTP status {status}")
    } else {
        format!("{server} at {url} answered with HTTP status {status}: {said}")
    };
    let error = BackendError::new(kind, message).with_status(status);
    let error = match (kind, status) {
        (BackendErrorKind::ContextExceeded, _) => error
            .with_hint("the prompt is longer than the context window: raise the context length or shorten the prompt"),
        (_, 401 | 403) => error.with_hint("the server wants an API key: set PUMA_API_KEY"),
        (BackendErrorKind::Http, 404) => error.with_hint("is this the right server and path? check --endpoint"),
        (_, 429) => error.with_hint("the server is at its limit: lower the concurrency"),
        // A missing model gets its hint from the backend, which knows how to fetch one.
        (BackendErrorKind::Http, _) => error.with_hint("see the server's own log for the reason"),
        _ => error,
    };
    error.into()
}

/// Tells a missing model and a full context window from every other HTTP error, by the words servers use.
fn kind_of(status: u16, said: &str) -> BackendErrorKind {
    let said = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let is_missing = has(&["not found", "does not exist", "not exist", "no such model", "unknown model"]);
    if matches!(status, 400 | 404 | 422) && said.contains("model") && is_missing {
        BackendErrorKind::ModelNotFound
    } else if matches!(status, 400 | 413 | 422 | 500)
        && said.contains("context")
        && has(&["exceed", "too long", "maximum context", "larger than", "greater than"])
    {
        BackendErrorKind::ContextExceeded
    } else {
        BackendErrorKind::Http
    }
}

/// The server wants to send us elsewhere; PUMA does not follow, so that prompts only go where the user said.
pub fn redirected(url: &str, status: u16, location: Option<&str>) -> AttemptError {
    let target = location.unwrap_or("an address it does not tell");
    AttemptError::lasting(
        BackendError::new(
            BackendErrorKind::Http,
            format!("{url} answered with a redirect (HTTP status {status}) to {target}, which is not followed"),
        )
        .with_status(status)
        .with_hint("give the final address with --endpoint"),
    )
}

/// The answer breaks the protocol; `transient` when another try may mend it.
pub fn broken_protocol(url: &str, what: &str, transient: bool) -> AttemptError {
    let error = BackendError::new(BackendErrorKind::Protocol, format!("the server at {url} misbehaved: {what}"));
    if transient {
        AttemptError::transient(error)
    } else {
        AttemptError::lasting(error.with_hint("is this the right kind of server? check --endpoint and --backend"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINTS: ServerHints = ServerHints { server: "Ollama", start: "is it running?" };

    #[test]
    fn the_words_of_real_servers_are_understood() {
        // Ollama 0.9.3, llama-server 0c1e570, vLLM and LM Studio, in this order.
        for (status, body, kind) in [
            (404, r#"{"error":"model \"nope\" not found, try pulling it first"}"#, BackendErrorKind::ModelNotFound),
            (404, r#"{"error":"model 'nope' not found"}"#, BackendErrorKind::ModelNotFound),
            (
                400,
                r#"{"error":{"code":400,"message":"request (612 tokens) exceeds the available context size (256 tokens)","type":"exceed_context_size_error"}}"#,
                BackendErrorKind::ContextExceeded,
            ),
            (
                503,
                r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
                BackendErrorKind::Http,
            ),
            (404, r#"{"error":{"message":"The model `x` does not exist."}}"#, BackendErrorKind::ModelNotFound),
            (
                400,
                r#"{"message":"This model's maximum context length is 2048 tokens. However, you requested 9000"}"#,
                BackendErrorKind::ContextExceeded,
            ),
            (404, "404 page not found", BackendErrorKind::Http),
            (422, r#"{"detail":[{"msg":"Unexpected keys"}]}"#, BackendErrorKind::Http),
        ] {
            let failed = status_error(status, body, "http://h:1/x", &HINTS);
            assert_eq!((failed.error.kind, failed.error.http_status), (kind, Some(status)), "{body}");
            assert_eq!(failed.transient, status == 503, "{body}");
        }
    }

    #[test]
    fn a_long_error_page_is_quoted_only_in_part() {
        let failed = status_error(500, &"x".repeat(100_000), "http://h:1/x", &HINTS);
        assert!(failed.error.message.len() < 500);
    }
}
