//! From a name to a weights file: the catalogue joined with what lies on this machine.

use super::catalogue::{Catalogue, CatalogueEntry, Place};
use super::digest::{DigestCache, ModelDigest};
use super::error::{SourceError, SourceErrorKind};
use super::local::{self, Location, OllamaLayers, StoreKind};
use super::name::{DEFAULT_REGISTRY, FileChoice, HuggingFaceName, ModelName, RegistryReference, refuse_split};
use super::progress::{NoProgress, Progress};
use super::stores::Stores;
use puma_core::Cancel;
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The models this machine can name: what the catalogue lists and what the stores hold.
#[derive(Clone, Debug)]
pub struct Library {
    pub catalogue: Catalogue,
    pub stores: Stores,
}

/// A weights file, checked: it exists, begins like GGUF, and has this digest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResolvedModel {
    /// The name as given.
    pub name: String,
    pub path: PathBuf,
    /// SHA-256 of the weights file.
    pub digest: ModelDigest,
    pub quantization: Option<String>,
    pub store: StoreKind,
    /// The catalogue source or store that `NAME@SOURCE` would choose it by.
    pub source: String,
    /// Where the bytes came from, without personal parts; for [`puma_core::ModelIdentity::source`].
    pub origin: String,
    pub size_bytes: u64,
    /// What Ollama keeps beside the weights, for models from its store or registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<OllamaLayers>,
}

impl ResolvedModel {
    /// `location`, whose bytes have `digest`, as the answer to `name`.
    pub(super) fn new(name: &str, location: Location, digest: ModelDigest) -> Self {
        Self {
            name: name.to_owned(),
            path: location.path,
            digest,
            quantization: location.quantization,
            store: location.store,
            source: location.source,
            origin: location.origin,
            size_bytes: location.size_bytes,
            layers: location.layers,
        }
    }
}

impl Library {
    /// The built-in catalogue over `stores`.
    pub fn new(stores: Stores) -> Self {
        Self { catalogue: Catalogue::embedded(), stores }
    }

    /// [`resolve_with`](Self::resolve_with) without progress and cancel.
    ///
    /// # Errors
    /// As there.
    pub fn resolve(&self, name: &str) -> Result<ResolvedModel, SourceError> {
        self.resolve_with(name, &mut NoProgress, &Cancel::default())
    }

    /// The weights file that `name` means. Of several, PUMA's own goes before Ollama's, the Hugging Face cache's and
    /// LM Studio's; `NAME@SOURCE` chooses. The file is hashed unless it was hashed before and has not changed since.
    ///
    /// # Errors
    /// The name has no known form; nothing on this machine has it (with the nearest names and how to pull it); the
    /// file is one part of several, is not GGUF, or its SHA-256 is not the one its store states.
    pub fn resolve_with(
        &self,
        name: &str,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<ResolvedModel, SourceError> {
        let parsed = ModelName::parse(name)?;
        let Some(location) = self.locations(&parsed).into_iter().next() else {
            return Err(self.not_found(name, &parsed));
        };
        check_usable(&location.path, &location.origin)?;
        let (digest, size_bytes) = DigestCache::beside(&self.stores.own).digest_of(&location.path, progress, cancel)?;
        if let Some(stated) = location.digest.as_ref().filter(|stated| **stated != digest) {
            return Err(SourceError::new(
                SourceErrorKind::DigestMismatch,
                format!(
                    "{} holds other bytes than {} states: expected {stated}, found {digest}",
                    location.path.display(),
                    location.store.title()
                ),
            )
            .with_hint(format!(
                "the file was changed or damaged; fetch it again with `puma models pull {name} --force`"
            )));
        }
        Ok(ResolvedModel::new(name, Location { size_bytes, ..location }, digest))
    }

    /// Every place on this machine that has what `name` means; the first is the one that resolving takes.
    pub(super) fn locations(&self, name: &ModelName) -> Vec<Location> {
        match name {
            ModelName::Path(path) => path_location(path).into_iter().collect(),
            ModelName::LmStudio { publisher, repo, file } => local::find_lm_studio(&self.stores, publisher, repo, file),
            ModelName::HuggingFace(name) => self.hub_locations(name),
            ModelName::Registry { reference, source } => {
                let mut found = self.tag_locations(reference);
                if let Some(source) = source {
                    found.retain(|location| location.source == *source);
                }
                found
            }
        }
    }

    /// The catalogue's entry for a registry name, if it has one.
    pub(super) fn entry(&self, reference: &RegistryReference) -> Option<&CatalogueEntry> {
        if reference.host != DEFAULT_REGISTRY {
            return None;
        }
        let name = reference.repository.strip_prefix("library/").unwrap_or(&reference.repository);
        self.catalogue.get(&format!("{name}:{}", reference.tag))
    }

    fn hub_locations(&self, name: &HuggingFaceName) -> Vec<Location> {
        let mut found: Vec<Location> =
            local::find_own(&self.stores, &name.to_string(), "hugging-face").into_iter().collect();
        found.extend(local::find_hugging_face(&self.stores, name));
        match &name.file {
            FileChoice::Exact(file) => {
                found.extend(local::find_lm_studio(&self.stores, &name.org, &name.repo, file));
            }
            FileChoice::Quantization(_) | FileChoice::Only => {
                let tag = match &name.file {
                    FileChoice::Quantization(quantization) => quantization,
                    _ => "latest",
                };
                let reference = RegistryReference::parse(&format!("hf.co/{}:{tag}", name.repository()));
                found.extend(reference.iter().flat_map(|r| local::find_ollama(&self.stores, r)));
            }
        }
        found
    }

    fn tag_locations(&self, reference: &RegistryReference) -> Vec<Location> {
        let mut found = Vec::new();
        let entry = self.entry(reference);
        let sources = entry.map_or(&[][..], |entry| &entry.sources);
        for source in sources {
            let own = local::find_own(&self.stores, &own_name(reference), &source.id);
            found.extend(own.map(|mut location| {
                location.digest = location.digest.or_else(|| source.sha256.clone());
                location.quantization = location.quantization.or_else(|| source.quantization.clone());
                location
            }));
        }
        found.extend(local::find_own(&self.stores, &own_name(reference), AD_HOC_SOURCE));
        found.extend(local::find_ollama(&self.stores, reference));
        for source in sources {
            let Place::HuggingFace { repo, file, .. } = &source.place else { continue };
            let Some((org, repo)) = repo.split_once('/') else { continue };
            let name = HuggingFaceName {
                org: org.to_owned(),
                repo: repo.to_owned(),
                revision: None,
                file: FileChoice::Exact(file.clone()),
            };
            let elsewhere = local::find_hugging_face(&self.stores, &name).into_iter().chain(local::find_lm_studio(
                &self.stores,
                org,
                repo,
                file,
            ));
            found.extend(elsewhere.map(|location| Location { source: source.id.clone(), ..location }));
        }
        found
    }

    pub(super) fn not_found(&self, text: &str, name: &ModelName) -> SourceError {
        let error = |message: String| SourceError::new(SourceErrorKind::NotFound, message);
        if let ModelName::Path(path) = name {
            let problem = if path.is_dir() { "is a folder, not a model file" } else { "does not exist" };
            return error(format!("{} {problem}", path.display()))
                .with_hint("give the path of a .gguf file, or a name from `puma models list`");
        }
        if let ModelName::Registry { reference, source } = name
            && let Some(entry) = self.entry(reference)
        {
            let chosen = source.as_ref().map(|source| format!(" --source {source}")).unwrap_or_default();
            if let Some(source) = source.as_ref().filter(|source| entry.source(source).is_none()) {
                let known: Vec<&str> = entry.sources.iter().map(|source| source.id.as_str()).collect();
                return error(format!("`{}` has no source `{source}`", entry.tag))
                    .with_hint(format!("its sources are {}", known.join(", ")));
            }
            return error(format!("`{text}` is in the catalogue but not on this machine"))
                .with_hint(format!("fetch it with `puma models pull {}{chosen}`", entry.tag));
        }
        let nearest = self.nearest(text);
        let hint = match (nearest.as_slice(), name) {
            ([], ModelName::LmStudio { .. }) => "see what is there with `puma models list`".to_owned(),
            ([], _) => format!("fetch it with `puma models pull {text}`, or see `puma models list`"),
            (names, _) => format!("did you mean {}? see also `puma models list`", names.join(" or ")),
        };
        error(format!("no model named `{text}` is on this machine or in the catalogue")).with_hint(hint)
    }

    /// Up to three known names that look like `text`, best first.
    fn nearest(&self, text: &str) -> Vec<String> {
        let catalogue = self.catalogue.models.iter().map(|entry| entry.tag.clone());
        let known = catalogue.chain(self.scan().into_iter().map(|(name, _)| name));
        let mut scored: Vec<(f64, String)> = known
            .map(|name| (strsim::normalized_damerau_levenshtein(text, &name).max(same_family(text, &name)), name))
            .filter(|(score, _)| *score >= 0.6)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        scored.dedup_by(|a, b| a.1 == b.1);
        scored.into_iter().take(3).map(|(_, name)| format!("`{name}`")).collect()
    }

    /// Every model in every store with a name that finds it.
    pub(super) fn scan(&self) -> Vec<(String, Location)> {
        let mut found = local::scan_own(&self.stores);
        found.extend(local::scan_ollama(&self.stores));
        found.extend(local::scan_hugging_face(&self.stores));
        found.extend(local::scan_lm_studio(&self.stores));
        found
    }
}

/// Source id of models that were pulled from a registry without a catalogue entry.
pub(super) const AD_HOC_SOURCE: &str = "registry";

/// The name under which PUMA's own folder keeps a registry model: short for the default registry.
pub(super) fn own_name(reference: &RegistryReference) -> String {
    let full = reference.to_string();
    let short = full.strip_prefix(DEFAULT_REGISTRY).map(|rest| rest.trim_start_matches('/'));
    let short = short.map(|rest| rest.strip_prefix("library/").unwrap_or(rest));
    short.map_or(full.clone(), str::to_owned)
}

/// A name with the same part before the colon is worth suggesting whatever its tag.
fn same_family(text: &str, name: &str) -> f64 {
    let family = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
    if !text.is_empty() && family(text) == family(name) { 0.7 } else { 0.0 }
}

fn path_location(path: &Path) -> Option<Location> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let file = path.file_name()?.to_string_lossy().into_owned();
    Some(Location {
        store: StoreKind::Path,
        source: "path".to_owned(),
        quantization: super::name::quantization_in(&file),
        origin: file,
        path: path.to_owned(),
        size_bytes: metadata.len(),
        digest: None,
        layers: None,
    })
}

/// Refuses files that cannot be a whole GGUF model before anything is spent on them.
pub(super) fn check_usable(path: &Path, origin: &str) -> Result<(), SourceError> {
    refuse_split(origin)?;
    let mut magic = [0_u8; 4];
    let mut file = std::fs::File::open(path).map_err(|e| SourceError::io("open", path, &e))?;
    if file.read_exact(&mut magic).is_err() || &magic != b"GGUF" {
        return Err(SourceError::new(
            SourceErrorKind::UnusableFile,
            format!("{} is not a GGUF file: it does not begin with `GGUF`", path.display()),
        )
        .with_hint("the embedded engine reads .gguf files only; a cut-off download or a web page saved by mistake looks like this"));
    }
    Ok(())
}
