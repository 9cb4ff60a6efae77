//! HTTP for downloads: the agent, errors as sentences, and what an answer to a range request means.

use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::pull::PullOptions;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// An agent for one server. Statuses are answers, not errors; a stalled read ends.
pub(super) fn agent(options: &PullOptions, loopback: bool) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("puma/", env!("CARGO_PKG_VERSION")))
        // Ranges count bytes of the file, so the file must come as it is.
        .accept_encoding("identity")
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(options.stall_limit))
        .timeout_per_read(Some(options.stall_limit));
    if loopback {
        config = config.proxy(None);
    }
    config.build().new_agent()
}

/// A request that got no answer.
pub(super) fn no_answer(url: &str, error: &ureq::Error) -> SourceError {
    SourceError::new(SourceErrorKind::Network, format!("no answer from {}: {error}", host_of(url)))
        .with_hint("check the network; set HTTPS_PROXY if this machine needs a proxy")
}

/// The part of a URL that may be shown: scheme and host, no query with signatures.
pub(super) fn host_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    url[after_scheme..].find('/').map_or(url, |end| &url[..after_scheme + end])
}

/// An HTTP status that is no success, as an error. Statuses that pass by themselves count as network trouble.
pub(super) fn bad_status(url: &str, response: &Response<Body>) -> SourceError {
    let status = response.status();
    let kind = match status.as_u16() {
        404 | 410 => SourceErrorKind::NotFound,
        408 | 425 | 429 | 500..=599 => SourceErrorKind::Network,
        _ => SourceErrorKind::Server,
    };
    let host = host_of(url);
    SourceError::new(kind, format!("{host} answered HTTP {status}"))
}

/// The header's text, if it is there and readable.
pub(super) fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// A small text body.
pub(super) fn text(response: Response<Body>, url: &str, limit_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    let mut reader = response.into_body().into_reader().take(limit_bytes + 1);
    reader.read_to_end(&mut bytes).map_err(|error| {
        SourceError::new(SourceErrorKind::Network, format!("{} broke off its answer: {error}", host_of(url)))
    })?;
    if bytes.len() as u64 > limit_bytes {
        let message =
            format!("{} answered more than {limit_bytes} bytes where a short text was expected", host_of(url));
        return Err(SourceError::new(SourceErrorKind::Server, message));
    }
    Ok(bytes)
}

/// What a server offers when asked for a file from an offset on.
pub(super) enum Offer {
    /// The bytes from `start` on.
    Bytes { start: u64, total_bytes: Option<u64>, etag: Option<String>, body: Box<dyn Read + Send> },
    /// There is nothing from that offset on.
    Nothing { total_bytes: Option<u64> },
}

/// Reads the answer to `GET` with `Range: bytes=OFFSET-` (without `Range` when the offset is 0).
pub(super) fn offer(url: &str, response: Response<Body>) -> Result<Offer, SourceError> {
    let range = header(&response, "content-range").map(str::to_owned);
    let etag = header(&response, "etag").filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
    match response.status().as_u16() {
        200 => {
            let total_bytes = header(&response, "content-length").and_then(|text| text.parse().ok());
            Ok(Offer::Bytes { start: 0, total_bytes, etag, body: Box::new(response.into_body().into_reader()) })
        }
        206 => {
            let Some((start, total_bytes)) = range.as_deref().and_then(content_range) else {
                let message = format!("{} sent part of a file without saying which part", host_of(url));
                return Err(SourceError::new(SourceErrorKind::Server, message));
            };
            Ok(Offer::Bytes { start, total_bytes, etag, body: Box::new(response.into_body().into_reader()) })
        }
        416 => {
            let total = range.as_deref().and_then(|text| text.strip_prefix("bytes */"));
            Ok(Offer::Nothing { total_bytes: total.and_then(|text| text.parse().ok()) })
        }
        _ => Err(bad_status(url, &response)),
    }
}

/// Start and total of `bytes START-END/TOTAL`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// `text` with everything but unreserved characters and `/` percent-encoded.
pub(super) fn encode_path(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_and_nonsense_is_not() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for bad in ["", "bytes */10", "5-9/10", "bytes a-9/10"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn messages_show_the_host_and_no_signature() {
        assert_eq!(host_of("https://cdn.example/a?X-Signature=secret"), "https://cdn.example");
        assert_eq!(host_of("http://localhost:5000"), "http://localhost:5000");
    }

    #[test]
    fn paths_are_encoded_without_touching_slashes() {
        assert_eq!(encode_path("a b/ü#?.gguf"), "a%20b/%C3%BC%23%3F.gguf");
    }
}
