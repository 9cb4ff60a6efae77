//! Pulling: the sources of a model are tried in order until one delivers the right bytes.

use super::digest::{DigestCache, ModelDigest};
use super::error::{SourceError, SourceErrorKind};
use super::fetch;
use super::library::{Library, ResolvedModel, check_usable};
use super::local::{self, PullRecord, Verification};
use super::place::{move_into_place, with_suffix, write_atomically};
use super::progress::{Phase, Progress, PullProgress};
use super::target::Target;
use puma_core::Cancel;
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
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

impl PullOptions {
    /// The defaults, with the hub's address and token from `HF_ENDPOINT` and `HF_TOKEN`.
    pub fn from_environment(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let text = |name: &str| variable(name)?.into_string().ok().filter(|text| !text.trim().is_empty());
        let defaults = Self::default();
        Self {
            hugging_face_endpoint: text("HF_ENDPOINT").unwrap_or(defaults.hugging_face_endpoint),
            hugging_face_token: text("HF_TOKEN").map(|token| token.trim().to_owned()),
            ..defaults
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
                    model: ResolvedModel::new(name, location, digest),
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
            model: ResolvedModel::new(name, location, record.digest),
            verification,
            already_there: false,
            resumed_from_bytes: delivery.fetched.resumed_from_bytes,
            downloaded_bytes: delivery.fetched.downloaded_bytes,
            failures: Vec::new(),
        })
    }
}

/// Checks that the complete part file is a model and gives it its name, the record first.
fn place(part: &Path, weights: &Path, record: &PullRecord) -> Result<(), SourceError> {
    if let Err(error) = check_usable(part, &record.origin) {
        fetch::discard(part);
        return Err(error);
    }
    let record_path = local::record_path(weights);
    let text = serde_json::to_vec_pretty(record).expect("a record holds only texts and numbers");
    write_atomically(&record_path, &text).map_err(|error| SourceError::io("write", &record_path, &error))?;
    move_into_place(part, weights).map_err(|error| SourceError::io("move the download to", weights, &error))?;
    // Now only the note of the part file is left.
    fetch::discard(part);
    Ok(())
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
            // A file system without locks cannot keep two pulls apart; the digest still keeps the file right.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
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

#[cfg(test)]
mod tests {
    use super::PullOptions;

    #[test]
    fn the_hub_and_its_token_come_from_the_environment_and_empty_ones_do_not_count() {
        let options = PullOptions::from_environment(|name| match name {
            "HF_ENDPOINT" => Some("https://mirror.example".into()),
            "HF_TOKEN" => Some("secret\n".into()),
            _ => None,
        });
        assert_eq!(options.hugging_face_endpoint, "https://mirror.example");
        assert_eq!(options.hugging_face_token.as_deref(), Some("secret"));
        let empty = PullOptions::from_environment(|_| Some(" ".into()));
        assert_eq!((empty.hugging_face_endpoint.as_str(), empty.hugging_face_token), ("https://huggingface.co", None));
    }
}
