//! The one HTTP client: time limits, size limits, no redirects, and every failure as a sentence with a hint.
//!
//! Start at [`HttpClient::post`]. A [`Reply`] is read whole ([`Reply::json`]) or line by line ([`Reply::next_line`]).
//! Connections are not reused: a server that closes an idle one would look like a failed attempt, and on loopback a
//! new one costs far less than a token. Repeating requests is the business of [`crate::retry`] alone.

use crate::endpoint::Endpoint;
use crate::http_errors::{ServerHints, broken_protocol, redirected, status_error, transport_error};
use crate::retry::AttemptError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;
use ureq::http::HeaderMap;

/// Largest answer body accepted, in bytes. The longest real answers (20 alternatives for each of thousands of tokens)
/// stay below a tenth of it.
const MAX_BODY_BYTES: u64 = 64 << 20;
/// Largest single line of a stream, in bytes.
const MAX_LINE_BYTES: usize = 8 << 20;
/// How much of an error body is read, in bytes.
const MAX_ERROR_BYTES: u64 = 64 << 10;

/// How long to wait for what.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeLimits {
    /// Until the connection stands, name resolution included.
    pub connect: Duration,
    /// From sending one attempt to the end of its answer, for models not in `per_model`.
    pub request: Duration,
    /// The same by model name, as the model catalogue says.
    pub per_model: BTreeMap<String, Duration>,
    /// Until a server has loaded a model.
    pub load: Duration,
    /// For questions that need no inference (version, lists).
    pub inquiry: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(120),
            per_model: BTreeMap::new(),
            load: Duration::from_secs(300),
            inquiry: Duration::from_secs(10),
        }
    }
}

impl TimeLimits {
    /// The limit for one attempt at a request to `model`.
    pub fn for_model(&self, model: &str) -> Duration {
        self.per_model.get(model).copied().unwrap_or(self.request)
    }
}

/// A key that servers ask for. Its text never appears in messages or debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Talks to one server.
#[derive(Clone, Debug)]
pub struct HttpClient {
    endpoint: Endpoint,
    api_key: Option<ApiKey>,
    connect_limit: Duration,
    hints: ServerHints,
    agent: ureq::Agent,
}

impl HttpClient {
    pub fn new(endpoint: Endpoint, api_key: Option<ApiKey>, connect_limit: Duration, hints: ServerHints) -> Self {
        let agent = new_agent(&endpoint, connect_limit);
        Self { endpoint, api_key, connect_limit, hints, agent }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The same client with connections of its own, so that [`interrupt`](Self::interrupt) reaches only those.
    pub fn separate(&self) -> Self {
        Self { agent: new_agent(&self.endpoint, self.connect_limit), ..self.clone() }
    }

    /// Breaks off every request in flight on this client and refuses new ones, for good.
    pub fn interrupt(&self) {
        self.agent.clone().shutdown();
    }

    /// Asks for `path` and waits at most `limit` for the whole answer.
    ///
    /// # Errors
    /// No connection, no answer in time, or a status other than 2xx; see [`crate::http_errors`].
    pub fn get(&self, path: &str, limit: Duration) -> Result<Reply, AttemptError> {
        let mut request = self.agent.get(self.endpoint.url(path));
        if let Some(ApiKey(key)) = &self.api_key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let sent = request.config().timeout_global(Some(limit)).build().call();
        self.reply(path, limit, sent)
    }

    /// Sends `body` as JSON to `path` and waits at most `limit` for the whole answer.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(&self, path: &str, body: &Value, limit: Duration) -> Result<Reply, AttemptError> {
        let mut request = self.agent.post(self.endpoint.url(path));
        if let Some(ApiKey(key)) = &self.api_key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let sent = request.config().timeout_global(Some(limit)).build().send_json(body);
        self.reply(path, limit, sent)
    }

    fn reply(
        &self,
        path: &str,
        limit: Duration,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Reply, AttemptError> {
        let url = self.endpoint.url(path);
        let response = sent.map_err(|error| transport_error(error, &url, limit, &self.hints))?;
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        if (300..400).contains(&status) {
            return Err(redirected(&url, status, header(&parts.headers, "location")));
        }
        if !(200..300).contains(&status) {
            let mut text = Vec::new();
            // A status without a readable body is still that status.
            let _ = body.into_reader().take(MAX_ERROR_BYTES).read_to_end(&mut text);
            let retry_after = header(&parts.headers, "retry-after").and_then(|value| value.trim().parse::<f64>().ok());
            let mut failed = status_error(status, &String::from_utf8_lossy(&text), &url, &self.hints);
            failed.retry_after = retry_after
                .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
                .map(|seconds| Duration::from_secs_f64(seconds.min(86_400.0)));
            return Err(failed);
        }
        let is_event_stream =
            header(&parts.headers, "content-type").is_some_and(|value| value.starts_with("text/event-stream"));
        let reader = body.into_with_config().limit(MAX_BODY_BYTES).reader();
        Ok(Reply {
            origin: Origin { url, hints: self.hints.clone() },
            limit,
            is_event_stream,
            reader: BufReader::new(reader),
        })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn new_agent(endpoint: &Endpoint, connect_limit: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_resolve(Some(connect_limit))
        .timeout_connect(Some(connect_limit))
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .user_agent(concat!("puma/", env!("CARGO_PKG_VERSION")));
    // A proxy for the outside world must not catch questions to this very machine.
    if endpoint.is_loopback() { config.proxy(None).build().into() } else { config.build().into() }
}

/// A successful answer whose body is still to be read.
pub struct Reply {
    origin: Origin,
    limit: Duration,
    is_event_stream: bool,
    reader: BufReader<ureq::BodyReader<'static>>,
}

impl Reply {
    /// Whether the body is a stream of server-sent events.
    pub fn is_event_stream(&self) -> bool {
        self.is_event_stream
    }

    /// Reads the whole body as one JSON value.
    ///
    /// # Errors
    /// A cut body (transient), a body that is not JSON, one over the size limit, or no end in time.
    pub fn json(mut self) -> Result<Value, AttemptError> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes).map_err(|error| self.read_error(error))?;
        self.parse(&bytes)
    }

    /// Reads the next line that is not blank, without its end; `None` at the end of the body.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, AttemptError> {
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.reader).take(MAX_LINE_BYTES as u64 + 1);
            let read = limited.read_until(b'\n', &mut line).map_err(|error| self.read_error(error))?;
            if read > MAX_LINE_BYTES {
                return Err(broken_protocol(&self.origin.url, "a line of its answer is longer than 8 MiB", false));
            }
            if read == 0 {
                return Ok(None);
            }
            line.truncate(line.trim_ascii_end().len());
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// Reads `bytes` as JSON.
    ///
    /// # Errors
    /// Transient when the text ends too early, as after a cut; lasting when it is no JSON at all.
    pub fn parse(&self, bytes: &[u8]) -> Result<Value, AttemptError> {
        serde_json::from_slice(bytes).map_err(|error| {
            if bytes.trim_ascii().is_empty() {
                broken_protocol(&self.origin.url, "its answer is empty", true)
            } else if error.is_eof() {
                broken_protocol(&self.origin.url, "its answer ends in the middle of a JSON value", true)
            } else {
                // One line: the message stands in tables and logs.
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1000)]);
                let start: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
                broken_protocol(
                    &self.origin.url,
                    &format!("its answer is not JSON ({error}; it begins `{start}`)"),
                    false,
                )
            }
        })
    }

    /// Who answers; outlives the body.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    fn read_error(&self, error: std::io::Error) -> AttemptError {
        transport_error(ureq::Error::from(error), &self.origin.url, self.limit, &self.origin.hints)
    }
}

/// The server behind an answer, for the failures that only its reader can see.
#[derive(Clone, Debug)]
pub struct Origin {
    url: String,
    hints: ServerHints,
}

impl Origin {
    /// A failure because the answer ended before its protocol says it may.
    pub fn cut(&self) -> AttemptError {
        broken_protocol(&self.url, "its answer broke off before the end", true)
    }

    /// A failure because the answer lacks what its protocol promises.
    pub fn lacking(&self, what: &str) -> AttemptError {
        broken_protocol(&self.url, &format!("its answer has no {what}"), false)
    }

    /// A failure reported inside an answer that began well.
    pub fn failed_midway(&self, message: &str) -> AttemptError {
        // The server could no longer change its status line: this is its 500.
        let mut failed = status_error(500, message, &self.url, &self.hints);
        failed.error.http_status = None;
        failed
    }
}

/// The error that an answer reports, `{"error": "…"}` or `{"error": {"message": "…"}}`; `None` when it reports none.
pub fn reported_error(body: &Value) -> Option<String> {
    match body.get("error")? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        error => Some(text_of(error.get("message").unwrap_or(error))),
    }
}

/// The text of a body that came with an error status, in any of the shapes servers use: as [`reported_error`], or
/// `{"message": "…"}`, or `{"detail": …}`.
pub fn error_text(body: &Value) -> Option<String> {
    reported_error(body).or_else(|| body.get("message").or_else(|| body.get("detail")).map(text_of))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
