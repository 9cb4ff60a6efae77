//! A client for OCI registries: manifests, blobs, and the anonymous token handshake.
//!
//! Source: OCI distribution specification 1.1 (pull), Docker registry token authentication.

use super::http::{agent, bad_status, header, no_answer, text};
use super::transfer::Remote;
use crate::sources::digest::ModelDigest;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::local::OllamaLayers;
use crate::sources::manifest::{ACCEPT, Layer, Manifest, ModelConfig, PARAMS_LAYER, SYSTEM_LAYER, TEMPLATE_LAYER};
use crate::sources::name::RegistryReference;
use crate::sources::pull::PullOptions;
use std::sync::{Arc, Mutex, PoisonError};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Manifests are a few kilobytes; registries themselves refuse more than this.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// Templates, parameters and configurations are read into memory.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// A model as a registry describes it; only its weights are still to be fetched.
#[derive(Debug)]
pub(crate) struct RegistryModel {
    pub(crate) weights: Layer,
    pub(crate) manifest_digest: ModelDigest,
    pub(crate) quantization: Option<String>,
    pub(crate) layers: OllamaLayers,
}

/// One repository of one registry.
#[derive(Debug)]
pub(crate) struct RegistryClient {
    agent: Agent,
    reference: RegistryReference,
    base: String,
    token: Mutex<Option<String>>,
}

impl RegistryClient {
    /// A client for the reference's repository. Plain HTTP is used for this machine; elsewhere only if both the
    /// address and the options say so.
    ///
    /// # Errors
    /// The address begins with `http://`, is not on this machine, and plain HTTP is not allowed.
    pub(crate) fn new(reference: &RegistryReference, options: &PullOptions) -> Result<Self, SourceError> {
        let loopback = reference.is_loopback();
        if reference.plain_http && !loopback && !options.allow_plain_http {
            return Err(SourceError::new(
                SourceErrorKind::Server,
                format!(
                    "{} would be asked over plain HTTP, where anybody on the way can change the answer",
                    reference.host
                ),
            )
            .with_hint("leave out `http://`, or allow it with --insecure"));
        }
        let scheme = if loopback || reference.plain_http { "http" } else { "https" };
        Ok(Self {
            agent: agent(options, loopback),
            base: format!("{scheme}://{}/v2/{}", reference.host, reference.repository),
            reference: reference.clone(),
            token: Mutex::new(None),
        })
    }

    /// What the tag points to: the manifest and everything in it but the weights.
    ///
    /// # Errors
    /// As for the manifest and its small layers, or it holds no GGUF weights.
    pub(crate) fn model(&self) -> Result<RegistryModel, SourceError> {
        let (manifest, manifest_digest) = self.manifest()?;
        let Some(weights) = manifest.weights().cloned() else {
            let message = format!("{} holds no GGUF weights; it is not a model in Ollama's layout", self.reference);
            return Err(SourceError::new(SourceErrorKind::UnusableFile, message));
        };
        let text = |media_type: &str| -> Result<Option<String>, SourceError> {
            let Some(layer) = manifest.layer(media_type) else { return Ok(None) };
            Ok(Some(String::from_utf8_lossy(&self.small_layer(layer)?).into_owned()))
        };
        let config = match &manifest.config {
            Some(config) => ModelConfig::parse(&self.small_layer(config)?).unwrap_or_default(),
            None => ModelConfig::default(),
        };
        let layers = OllamaLayers {
            manifest_digest: Some(manifest_digest.clone()),
            template: text(TEMPLATE_LAYER)?,
            system: text(SYSTEM_LAYER)?,
            params: text(PARAMS_LAYER)?.and_then(|text| serde_json::from_str(&text).ok()),
            family: config.model_family,
        };
        Ok(RegistryModel { weights, manifest_digest, quantization: config.file_type, layers })
    }

    /// The manifest that the tag points to, with the SHA-256 of its bytes.
    ///
    /// # Errors
    /// No answer, no such model, access refused, or the answer is no manifest or not the one the server names.
    fn manifest(&self) -> Result<(Manifest, ModelDigest), SourceError> {
        let url = format!("{}/manifests/{}", self.base, self.reference.tag);
        let response = self.get(&url, &[("accept", ACCEPT)])?;
        if response.status() == 404 {
            return Err(SourceError::new(
                SourceErrorKind::NotFound,
                format!(
                    "the registry {} has no model {}:{}",
                    self.reference.host, self.reference.repository, self.reference.tag
                ),
            )
            .with_hint("check the name and the tag"));
        }
        if response.status() != 200 {
            return Err(bad_status(&url, &response));
        }
        let named = header(&response, "docker-content-digest").and_then(ModelDigest::parse);
        let bytes = text(response, &url, MAX_MANIFEST_BYTES)?;
        let digest = ModelDigest::of_bytes(&bytes);
        if let Some(named) = named.filter(|named| *named != digest) {
            return Err(SourceError::new(
                SourceErrorKind::DigestMismatch,
                format!(
                    "the manifest of {} is damaged: the registry names {named}, its bytes are {digest}",
                    self.reference
                ),
            ));
        }
        Ok((Manifest::parse(&bytes)?, digest))
    }

    /// A small layer as text, verified.
    ///
    /// # Errors
    /// No answer, the layer is missing or too large, or its bytes have another digest.
    fn small_layer(&self, layer: &Layer) -> Result<Vec<u8>, SourceError> {
        let url = self.blob_url(&layer.digest);
        let response = self.get(&url, &[])?;
        if response.status() != 200 {
            return Err(bad_status(&url, &response));
        }
        let bytes = text(response, &url, MAX_TEXT_BYTES)?;
        let digest = ModelDigest::of_bytes(&bytes);
        if digest != layer.digest {
            return Err(super::transfer::wrong_digest(&self.reference.host, &layer.digest, &digest));
        }
        Ok(bytes)
    }

    /// The blob as something to download.
    pub(crate) fn blob(self: &Arc<Self>, digest: &ModelDigest) -> Arc<dyn Remote> {
        Arc::new(Blob { url: self.blob_url(digest), client: Arc::clone(self) })
    }

    fn blob_url(&self, digest: &ModelDigest) -> String {
        format!("{}/blobs/{digest}", self.base)
    }

    /// A request with the token there is; on a challenge it gets a token and asks once more.
    fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Response<Body>, SourceError> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let response = self.send(url, headers, token.as_deref())?;
        if response.status() != 401 {
            return Ok(response);
        }
        let Some(challenge) = header(&response, "www-authenticate").and_then(Challenge::parse) else {
            return Err(SourceError::new(
                SourceErrorKind::Server,
                format!("the registry {} wants a login, which PUMA does not do", self.reference.host),
            ));
        };
        let token = self.fetch_token(&challenge)?;
        let response = self.send(url, headers, Some(&token))?;
        if response.status() == 401 || response.status() == 403 {
            return Err(SourceError::new(
                SourceErrorKind::Server,
                format!(
                    "the registry {} does not let anonymous users read {}",
                    self.reference.host, self.reference.repository
                ),
            ));
        }
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(response)
    }

    fn send(&self, url: &str, headers: &[(&str, &str)], token: Option<&str>) -> Result<Response<Body>, SourceError> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|error| no_answer(url, &error))
    }

    fn fetch_token(&self, challenge: &Challenge) -> Result<String, SourceError> {
        #[derive(serde::Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        if !challenge.realm.starts_with("https://") && !self.base.starts_with("http://") {
            let message = format!("the registry {} sends its tokens over plain HTTP", self.reference.host);
            return Err(SourceError::new(SourceErrorKind::Server, message));
        }
        let mut request = self.agent.get(&challenge.realm);
        for (key, value) in [("service", &challenge.service), ("scope", &challenge.scope)] {
            if let Some(value) = value {
                request = request.query(key, value);
            }
        }
        let response = request.call().map_err(|error| no_answer(&challenge.realm, &error))?;
        if response.status() != 200 {
            return Err(bad_status(&challenge.realm, &response));
        }
        let bytes = text(response, &challenge.realm, MAX_TEXT_BYTES)?;
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        answer.and_then(|answer| answer.token.or(answer.access_token)).ok_or_else(|| {
            let message = format!("the token service of {} answered without a token", self.reference.host);
            SourceError::new(SourceErrorKind::Server, message)
        })
    }
}

#[derive(Debug)]
struct Blob {
    client: Arc<RegistryClient>,
    url: String,
}

impl Remote for Blob {
    fn open(&self, offset: u64, if_range: Option<&str>) -> Result<Response<Body>, SourceError> {
        let range = format!("bytes={offset}-");
        let mut headers = Vec::new();
        if offset > 0 {
            headers.push(("range", range.as_str()));
            headers.extend(if_range.map(|etag| ("if-range", etag)));
        }
        self.client.get(&self.url, &headers)
    }

    fn url(&self) -> &str {
        &self.url
    }
}

/// `Bearer realm="…",service="…",scope="…"`
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    fn parse(text: &str) -> Option<Self> {
        let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "))?;
        let mut rest = text[scheme.len()..].trim();
        let (mut realm, mut service, mut scope) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=')?;
            // A quoted value may hold commas: `scope="repository:a/b:pull,push"`.
            let (value, tail) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').map_or((after, ""), |(value, _)| (value, &after[value.len()..])),
            };
            match key.trim().to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value.to_owned()),
                "service" => service = Some(value.to_owned()),
                "scope" => scope = Some(value.to_owned()),
                _ => {}
            }
            rest = tail.trim_start_matches([',', ' ']);
        }
        Some(Self { realm: realm?, service, scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_with_commas_inside_quotes() {
        let text = r#"Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push""#;
        let challenge = Challenge::parse(text).unwrap();
        assert_eq!(challenge.realm, "https://auth.example/token");
        assert_eq!(challenge.scope.as_deref(), Some("repository:a/b:pull,push"));
        assert_eq!(Challenge::parse("bearer realm=x, error=y").unwrap().realm, "x");
        for bad in ["", "Basic realm=\"x\"", "Bearer ", "Bearer service=\"x\"", "Bearer realm=\"x"] {
            assert_eq!(Challenge::parse(bad), None, "{bad}");
        }
    }
}
