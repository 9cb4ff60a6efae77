//! Files of Hugging Face repositories: `ENDPOINT/ORG/REPO/resolve/REVISION/FILE`.
//!
//! Source: huggingface_hub's `file_download`: the first answer, before any redirect, carries `X-Linked-Etag` (the
//! SHA-256 of a large file), `X-Linked-Size` and `X-Repo-Commit`.

use super::http::{agent, bad_status, encode_path, header, no_answer, text};
use super::transfer::Remote;
use crate::sources::digest::ModelDigest;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::name::{FileChoice, HuggingFaceName, is_split_part, quantization_in};
use crate::sources::pull::PullOptions;
use std::sync::Arc;
use ureq::http::Response;
use ureq::{Agent, Body};

/// Listings of repositories with hundreds of files stay far below this.
const MAX_LISTING_BYTES: u64 = 16 << 20;

/// A file as the hub describes it.
#[derive(Clone, Debug)]
pub(crate) struct HubFile {
    /// Path inside the repository.
    pub(crate) file: String,
    /// The address, with the commit instead of a branch if the hub told it.
    pub(crate) url: String,
    pub(crate) digest: Option<ModelDigest>,
    pub(crate) size_bytes: Option<u64>,
}

/// A client for one hub.
#[derive(Debug)]
pub(crate) struct HubClient {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
}

impl HubClient {
    pub(crate) fn new(options: &PullOptions) -> Self {
        let endpoint = options.hugging_face_endpoint.trim_end_matches('/').to_owned();
        let host = endpoint.split("://").nth(1).unwrap_or(&endpoint).to_owned();
        let loopback = ["localhost", "127.", "[::1]"].iter().any(|prefix| host.starts_with(prefix));
        Self { agent: agent(options, loopback), endpoint, token: options.hugging_face_token.clone() }
    }

    /// Finds the file that `name` means and asks for its digest and size.
    ///
    /// # Errors
    /// No answer, no such repository or file, several files fit, the file is one of several parts, or access needs a
    /// token.
    pub(crate) fn find(&self, name: &HuggingFaceName) -> Result<HubFile, SourceError> {
        let file = match &name.file {
            FileChoice::Exact(file) => file.clone(),
            FileChoice::Quantization(_) | FileChoice::Only => self.choose(name)?,
        };
        crate::sources::name::refuse_split(&file)?;
        let revision = name.revision.as_deref().unwrap_or("main");
        let url = self.file_url(&name.repository(), revision, &file);
        let request = self.agent.head(&url).config().max_redirects(0).build();
        let response = self.authorised(request).call().map_err(|error| no_answer(&url, &error))?;
        let status = response.status().as_u16();
        if !matches!(status, 200..=399) {
            return Err(self.refused(&url, &name.to_string(), &response));
        }
        let linked = header(&response, "x-linked-etag").or_else(|| header(&response, "etag"));
        let digest = linked.and_then(|etag| ModelDigest::parse(etag.trim_start_matches("W/").trim_matches('"')));
        let size = header(&response, "x-linked-size")
            .or_else(|| header(&response, "content-length").filter(|_| status == 200));
        let commit = header(&response, "x-repo-commit");
        Ok(HubFile {
            url: commit.map_or(url.clone(), |commit| self.file_url(&name.repository(), commit, &file)),
            digest,
            size_bytes: size.and_then(|text| text.parse().ok()),
            file,
        })
    }

    /// The file as something to download.
    pub(crate) fn remote(self: &Arc<Self>, file: &HubFile) -> Arc<dyn Remote> {
        Arc::new(HubRemote { client: Arc::clone(self), url: file.url.clone() })
    }

    fn file_url(&self, repo: &str, revision: &str, file: &str) -> String {
        format!("{}/{}/resolve/{}/{}", self.endpoint, encode_path(repo), encode_path(revision), encode_path(file))
    }

    /// Looks through the repository for the one GGUF file that fits.
    fn choose(&self, name: &HuggingFaceName) -> Result<String, SourceError> {
        #[derive(serde::Deserialize)]
        struct Listing {
            #[serde(default)]
            siblings: Vec<Sibling>,
        }
        #[derive(serde::Deserialize)]
        struct Sibling {
            rfilename: String,
        }
        let revision = name.revision.as_ref().map(|r| format!("/revision/{}", encode_path(r))).unwrap_or_default();
        let url = format!("{}/api/models/{}{revision}", self.endpoint, encode_path(&name.repository()));
        let response = self.authorised(self.agent.get(&url)).call().map_err(|error| no_answer(&url, &error))?;
        if response.status() != 200 {
            return Err(self.refused(&url, &name.to_string(), &response));
        }
        let bytes = text(response, &url, MAX_LISTING_BYTES)?;
        let listing: Listing = serde_json::from_slice(&bytes).map_err(|error| {
            SourceError::new(SourceErrorKind::Server, format!("{} sent no readable listing: {error}", self.endpoint))
        })?;
        let files: Vec<String> = listing.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
        let fitting: Vec<&String> = files.iter().filter(|file| name.admits(file)).collect();
        let whole: Vec<&&String> = fitting.iter().filter(|file| !is_split_part(file)).collect();
        match (whole.as_slice(), fitting.as_slice()) {
            ([one], _) => Ok((**one).clone()),
            ([], [part, ..]) => Ok((*part).clone()),
            ([], []) => {
                let mut found: Vec<String> = files.iter().filter_map(|file| quantization_in(file)).collect();
                found.sort();
                found.dedup();
                Err(SourceError::new(
                    SourceErrorKind::NotFound,
                    format!("no file of {} fits `{name}`", name.repository()),
                )
                .with_hint(format!("quantisations there: {}", found.join(", "))))
            }
            (several, _) => {
                let names: Vec<&str> = several.iter().map(|file| file.as_str()).collect();
                Err(SourceError::new(
                    SourceErrorKind::InvalidName,
                    format!("`{name}` fits several files: {}", names.join(", ")),
                )
                .with_hint(format!("name one: hf:{}/{}", name.repository(), names[0])))
            }
        }
    }

    fn authorised<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn refused(&self, url: &str, name: &str, response: &Response<Body>) -> SourceError {
        match response.status().as_u16() {
            // The hub answers 401 for repositories that do not exist, so that private ones stay hidden.
            401 | 403 => SourceError::new(
                SourceErrorKind::Server,
                format!(
                    "{} does not give `{name}` to {}",
                    self.endpoint,
                    if self.token.is_some() { "this token" } else { "anonymous users" }
                ),
            )
            .with_hint("check the spelling; for a gated model accept its licence on its page and set HF_TOKEN"),
            404 => SourceError::new(SourceErrorKind::NotFound, format!("{} has no `{name}`", self.endpoint))
                .with_hint("check the spelling of organisation, repository and file"),
            _ => bad_status(url, response),
        }
    }
}

struct HubRemote {
    client: Arc<HubClient>,
    url: String,
}

impl Remote for HubRemote {
    fn open(&self, offset: u64, if_range: Option<&str>) -> Result<Response<Body>, SourceError> {
        let mut request = self.client.authorised(self.client.agent.get(&self.url));
        if offset > 0 {
            request = request.header("range", format!("bytes={offset}-"));
            if let Some(etag) = if_range {
                request = request.header("if-range", etag);
            }
        }
        request.call().map_err(|error| no_answer(&self.url, &error))
    }

    fn url(&self) -> &str {
        &self.url
    }
}
