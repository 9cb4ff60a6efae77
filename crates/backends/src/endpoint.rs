//! Where a server listens: reads every form `OLLAMA_HOST` takes and decides which setting wins.
//!
//! Pure: the environment comes in as a lookup function. Ollama's own rules (its `envconfig.Host`): scheme `http` when
//! missing, port 11434 unless the scheme is given (then 80 or 443), a port that is no number falls back to the default.
//! One deliberate difference: `0.0.0.0` and `::` are addresses to listen on, not to call, so they become loopback.

use puma_core::{BackendError, BackendErrorKind};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Ollama's port.
pub const OLLAMA_PORT: u16 = 11434;

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// The address of a server, ready to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    /// Name or address, IPv6 without brackets.
    host: String,
    port: u16,
    /// Empty, or begins with `/` and does not end with one.
    path: String,
}

impl Endpoint {
    /// Reads `text`; `default_port` holds when neither a port nor a scheme is given.
    ///
    /// # Errors
    /// A scheme other than http and https, or a host that cannot be one.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, BackendError> {
        Self::read(text, default_port).map(|(endpoint, _)| endpoint)
    }

    /// The address, and the address to listen on in every network if that is what `text` names.
    fn read(text: &str, default_port: u16) -> Result<(Self, Option<IpAddr>), BackendError> {
        let text = text.trim().trim_matches(['"', '\'']);
        let (scheme, rest, port) = match text.split_once("://") {
            None => (Scheme::Http, text, default_port),
            Some((name, rest)) if name.eq_ignore_ascii_case("http") => (Scheme::Http, rest, 80),
            Some((name, rest)) if name.eq_ignore_ascii_case("https") => (Scheme::Https, rest, 443),
            Some((name, _)) => return Err(bad(text, &format!("the scheme `{name}` is not http or https"))),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        if authority.contains('@') {
            // The text may hold a password, so the message does not repeat it.
            return Err(bad("…@…", "a user name in the address is not supported"));
        }
        let (host, port) = split_port(authority, port);
        let everywhere = host.parse::<IpAddr>().ok().filter(IpAddr::is_unspecified);
        let host = callable_host(host);
        let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if !host.chars().all(is_host) || (host.contains(':') && host.parse::<Ipv6Addr>().is_err()) {
            return Err(bad(text, &format!("`{host}` is not a host name or address")));
        }
        let path = path.trim_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        if path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(bad(text, "the path holds blanks"));
        }
        Ok((Self { scheme, host, port, path }, everywhere))
    }

    /// `http://127.0.0.1:8080`.
    pub fn loopback(port: u16) -> Self {
        Self { scheme: Scheme::Http, host: Ipv4Addr::LOCALHOST.to_string(), port, path: String::new() }
    }

    /// The address of `path`, which begins with `/`, below this endpoint.
    pub fn url(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether the server runs on this machine.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is http without a path, as Ollama itself serves.
    pub fn is_plain(&self) -> bool {
        self.scheme == Scheme::Http && self.path.is_empty()
    }

    /// `host:port`, IPv6 in brackets.
    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The same server without a trailing `/v1`, which clients of the OpenAI protocol often give as part of the address.
    pub fn without_v1(mut self) -> Self {
        if let Some(path) = self.path.strip_suffix("/v1") {
            self.path = path.to_owned();
        }
        self
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

/// Splits `host:port`, `[v6]:port`, `v6`, `:port` or `host`.
fn split_port(authority: &str, default_port: u16) -> (&str, u16) {
    if let Some(inner) = authority.strip_prefix('[') {
        let (host, rest) = inner.split_once(']').unwrap_or((inner, ""));
        return (host, rest.strip_prefix(':').map_or(default_port, |port| port_or(port, default_port)));
    }
    match authority.rsplit_once(':') {
        // More than one colon without brackets is a bare IPv6 address.
        Some((host, _)) if host.contains(':') => (authority, default_port),
        Some((host, port)) => (host, port_or(port, default_port)),
        None => (authority, default_port),
    }
}

fn port_or(text: &str, default_port: u16) -> u16 {
    text.parse().ok().filter(|port| *port != 0).unwrap_or(default_port)
}

/// Replaces what only makes sense for listening by loopback.
fn callable_host(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => Ipv6Addr::LOCALHOST.to_string(),
        _ if host.is_empty() => Ipv4Addr::LOCALHOST.to_string(),
        _ => host.to_ascii_lowercase(),
    }
}

fn bad(text: &str, why: &str) -> BackendError {
    BackendError::new(BackendErrorKind::Unsupported, format!("cannot read the server address `{text}`: {why}"))
        .with_hint("write it as http://HOST:PORT, for example http://127.0.0.1:11434")
}

/// Which setting gave the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointSource {
    /// `--endpoint` on the command line.
    Flag,
    /// `PUMA_OLLAMA_HOST`.
    PumaOllamaHost,
    /// `OLLAMA_HOST`.
    OllamaHost,
    /// What `puma up` wrote down.
    Service,
    Default,
}

impl EndpointSource {
    /// As a user would type it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "--endpoint",
            Self::PumaOllamaHost => "PUMA_OLLAMA_HOST",
            Self::OllamaHost => "OLLAMA_HOST",
            Self::Service => "puma up",
            Self::Default => "default",
        }
    }
}

/// An address with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedEndpoint {
    pub endpoint: Endpoint,
    pub source: EndpointSource,
    /// The address on which a server started for it listens: every network only if the setting says so.
    pub listen: String,
}

/// Ollama's address: `--endpoint`, else `PUMA_OLLAMA_HOST`, else `OLLAMA_HOST`, else what `puma up` wrote down, which
/// `recorded` looks up, else loopback on 11434. A variable set to nothing counts as not set.
///
/// # Errors
/// The winning setting cannot be read (the message names it), or `recorded` fails.
pub fn resolve_ollama<E: From<BackendError>>(
    flag: Option<&str>,
    lookup: impl Fn(&str) -> Option<String>,
    recorded: impl FnOnce() -> Result<Option<String>, E>,
) -> Result<ResolvedEndpoint, E> {
    let variable = |name: &str| lookup(name).filter(|value| !value.trim().trim_matches(['"', '\'']).is_empty());
    let (text, source) = if let Some(text) = flag {
        (text.to_owned(), EndpointSource::Flag)
    } else if let Some(text) = variable("PUMA_OLLAMA_HOST") {
        (text, EndpointSource::PumaOllamaHost)
    } else if let Some(text) = variable("OLLAMA_HOST") {
        (text, EndpointSource::OllamaHost)
    } else if let Some(text) = recorded()? {
        (text, EndpointSource::Service)
    } else {
        (Endpoint::loopback(OLLAMA_PORT).to_string(), EndpointSource::Default)
    };
    let (endpoint, everywhere) = Endpoint::read(&text, OLLAMA_PORT).map_err(|mut error| {
        error.message = format!("{} (from {})", error.message, source.as_str());
        error
    })?;
    let listen = match everywhere {
        Some(address) => SocketAddr::new(address, endpoint.port).to_string(),
        None => endpoint.authority(),
    };
    Ok(ResolvedEndpoint { endpoint, source, listen })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> String {
        Endpoint::parse(text, OLLAMA_PORT).map_or_else(|error| error.message, |endpoint| endpoint.to_string())
    }

    #[test]
    fn every_form_of_ollama_host_becomes_an_address_to_call() {
        // Ports and schemes as in the table of Ollama's own `TestHost` (envconfig/config_test.go); listening addresses
        // become loopback and port 0 the default, which is where PUMA differs on purpose.
        for (text, url) in [
            ("", "http://127.0.0.1:11434"),
            ("1.2.3.4", "http://1.2.3.4:11434"),
            (":1234", "http://127.0.0.1:1234"),
            (":11435", "http://127.0.0.1:11435"),
            ("1.2.3.4:0", "http://1.2.3.4:11434"),
            ("1.2.3.4:66000", "http://1.2.3.4:11434"),
            ("1.2.3.4:abc", "http://1.2.3.4:11434"),
            ("example.com", "http://example.com:11434"),
            ("example.com:1234", "http://example.com:1234"),
            ("http://1.2.3.4", "http://1.2.3.4:80"),
            ("https://1.2.3.4", "https://1.2.3.4:443"),
            ("https://1.2.3.4:1234", "https://1.2.3.4:1234"),
            ("https://example.com/", "https://example.com:443"),
            ("HTTP://Example.com:99/a/b/", "http://example.com:99/a/b"),
            ("example.com/ollama", "http://example.com:11434/ollama"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("0.0.0.0:11436", "http://127.0.0.1:11436"),
            ("http://0.0.0.0:8080/", "http://127.0.0.1:8080"),
            ("[::1]", "http://[::1]:11434"),
            ("[::1]:1337", "http://[::1]:1337"),
            ("::1", "http://[::1]:11434"),
            ("[::]:8080", "http://[::1]:8080"),
            ("::", "http://[::1]:11434"),
            ("[0001:002:003:0004::1]:1337", "http://[0001:002:003:0004::1]:1337"),
            (" \"localhost:5000\" ", "http://localhost:5000"),
            ("'localhost'", "http://localhost:11434"),
        ] {
            assert_eq!(parsed(text), url, "for {text:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, word) in [
            ("ftp://host", "scheme"),
            ("http://me:secret@host", "user name"),
            ("http://a b", "not a host"),
            ("http://h/a b", "blanks"),
        ] {
            let error = Endpoint::parse(text, 1).expect_err(text);
            assert!(error.message.contains(word) && !error.message.contains("secret"), "{}", error.message);
            assert!(error.hint.is_some());
        }
    }

    fn resolved(
        flag: Option<&str>,
        lookup: impl Fn(&str) -> Option<String>,
        recorded: Option<&str>,
    ) -> Result<ResolvedEndpoint, BackendError> {
        resolve_ollama(flag, lookup, || Ok(recorded.map(str::to_owned)))
    }

    #[test]
    fn the_flag_beats_pumas_variable_beats_ollamas_variable_beats_the_record() {
        let all = |name: &str| match name {
            "PUMA_OLLAMA_HOST" => Some("two".to_owned()),
            "OLLAMA_HOST" => Some("three".to_owned()),
            _ => None,
        };
        let only_ollama = |name: &str| (name == "OLLAMA_HOST").then(|| "three".to_owned());
        let blank = |name: &str| (name == "OLLAMA_HOST").then(|| "  ".to_owned());
        let won = |result: Result<ResolvedEndpoint, BackendError>| {
            let ResolvedEndpoint { endpoint, source, .. } = result.expect("all of these parse");
            (endpoint.to_string(), source)
        };
        let told = |url: &str, source| (url.to_owned(), source);
        assert_eq!(won(resolved(Some("one"), all, Some("four"))), told("http://one:11434", EndpointSource::Flag));
        assert_eq!(won(resolved(None, all, Some("four"))), told("http://two:11434", EndpointSource::PumaOllamaHost));
        assert_eq!(
            won(resolved(None, only_ollama, Some("four"))),
            told("http://three:11434", EndpointSource::OllamaHost)
        );
        assert_eq!(won(resolved(None, blank, Some("four"))), told("http://four:11434", EndpointSource::Service));
        assert_eq!(won(resolved(None, blank, None)), told("http://127.0.0.1:11434", EndpointSource::Default));
        let wrong = |name: &str| (name == "OLLAMA_HOST").then(|| "x://y".to_owned());
        let error = resolved(None, wrong, None).expect_err("scheme");
        assert!(error.message.contains("OLLAMA_HOST"), "{}", error.message);
    }

    #[test]
    fn the_record_is_not_even_read_when_a_setting_wins() {
        let unreadable = || Err(bad("service.json", "it is damaged"));
        assert!(resolve_ollama(Some("one"), |_| None, unreadable).is_ok());
        assert!(resolve_ollama(None, |_| None, unreadable).is_err());
    }

    #[test]
    fn a_server_listens_everywhere_only_when_told_to() {
        for (text, listen) in [
            ("0.0.0.0", "0.0.0.0:11434"),
            ("http://0.0.0.0:99", "0.0.0.0:99"),
            ("[::]:8080", "[::]:8080"),
            (":1234", "127.0.0.1:1234"),
            ("localhost", "localhost:11434"),
            ("::1", "[::1]:11434"),
        ] {
            assert_eq!(resolved(Some(text), |_| None, None).expect(text).listen, listen);
        }
        assert_eq!(resolved(None, |_| None, None).expect("default").listen, "127.0.0.1:11434");
    }

    #[test]
    fn a_trailing_v1_is_not_doubled() {
        let base = |text| Endpoint::parse(text, 8000).expect("valid").without_v1().url("/v1/models");
        assert_eq!(base("http://h:1/v1/"), "http://h:1/v1/models");
        assert_eq!(base("http://h:1/proxy/v1"), "http://h:1/proxy/v1/models");
        assert_eq!(base("h"), "http://h:8000/v1/models");
    }

    proptest! {
        #[test]
        fn printing_and_parsing_again_changes_nothing(text in "(https?://)?[a-z0-9.-]{0,12}(:[0-9]{0,6})?(/[a-z]{0,4}){0,3}") {
            if let Ok(endpoint) = Endpoint::parse(&text, OLLAMA_PORT) {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string(), 1).expect("printed form parses"), endpoint);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = Endpoint::parse(&text, OLLAMA_PORT);
        }
    }
}
