//! The container's side: one request for all meters of an agent.

use super::shape::AgentSnapshot;
use super::{PATH, PORT};
use std::fmt;
use std::time::Duration;

/// A question to the host must not hold up the other meters.
const LIMIT: Duration = Duration::from_secs(2);
/// An answer this young serves the agent's next meter too.
const YOUNG: Duration = Duration::from_millis(50);
/// More than any machine's counters need.
const MOST_BYTES: u64 = 1 << 20;

/// Where an agent listens and what it wants to hear.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentAddress {
    /// `http://host.docker.internal:8797`; scheme and port may be left out.
    pub url: String,
    pub token: Option<String>,
}

impl fmt::Debug for AgentAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        formatter.debug_struct("AgentAddress").field("url", &self.url).field("token", &token).finish()
    }
}

/// Why an agent did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AgentError {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it wants another token")]
    Refused,
    #[error("it answers with status {0}")]
    Status(u16),
    #[error("its answer is no snapshot: {0}")]
    Answer(String),
    #[error("it answers in format {0}, and this version reads format 1")]
    Format(u32),
}

/// The connection to an agent, and its latest answer.
pub(super) struct Client {
    http: ureq::Agent,
    url: String,
    token: Option<String>,
    latest: Option<(Duration, Result<AgentSnapshot, AgentError>)>,
}

impl Client {
    pub(super) fn new(address: &AgentAddress) -> Self {
        // The host is next door; a proxy for the outside world cannot reach it.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(LIMIT))
            .proxy(None)
            .user_agent(concat!("puma/", env!("CARGO_PKG_VERSION")));
        let url = format!("{}{PATH}", base(&address.url));
        Self { http: config.build().into(), url, token: address.token.clone(), latest: None }
    }

    /// The host's counters at `now`.
    pub(super) fn snapshot(&mut self, now: Duration) -> Result<AgentSnapshot, AgentError> {
        if let Some((at, answer)) = &self.latest
            && now >= *at
            && now - *at < YOUNG
        {
            return answer.clone();
        }
        let answer = self.ask();
        self.latest = Some((now, answer.clone()));
        answer
    }

    fn ask(&self) -> Result<AgentSnapshot, AgentError> {
        let mut request = self.http.get(&self.url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| AgentError::Unreachable(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            401 | 403 => return Err(AgentError::Refused),
            other => return Err(AgentError::Status(other)),
        }
        let answer = |error: &dyn fmt::Display| AgentError::Answer(error.to_string());
        let text =
            response.body_mut().with_config().limit(MOST_BYTES).read_to_string().map_err(|error| answer(&error))?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| answer(&error))?;
        match value["format"].as_u64() {
            Some(format) if format == u64::from(AgentSnapshot::FORMAT) => {}
            Some(format) => return Err(AgentError::Format(u32::try_from(format).unwrap_or(u32::MAX))),
            None => return Err(AgentError::Answer("it has no format".to_owned())),
        }
        serde_json::from_value(value).map_err(|error| answer(&error))
    }
}

/// The address with scheme and port, without a path.
fn base(url: &str) -> String {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("http", url.trim()));
    let host = rest.split('/').next().unwrap_or(rest);
    let port = host.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && !port.ends_with(']'));
    if port { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{PORT}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_what_is_usual() {
        for (given, expected) in [
            ("http://host.docker.internal:9000", "http://host.docker.internal:9000"),
            ("host.docker.internal", "http://host.docker.internal:8797"),
            ("192.168.65.254:9000/", "http://192.168.65.254:9000"),
            ("http://[::1]", "http://[::1]:8797"),
            ("http://[::1]:9000/v1/energy", "http://[::1]:9000"),
        ] {
            assert_eq!(base(given), expected);
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let address = AgentAddress { url: "host".to_owned(), token: Some("secret".to_owned()) };
        assert!(!format!("{address:?}").contains("secret"));
    }
}
