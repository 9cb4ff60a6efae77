//! SHA-256 of model files: the value, computing it while bytes stream by, and a memory of files already hashed.

use super::error::{SourceError, SourceErrorKind};
use super::progress::{NoProgress, Phase, Progress, PullProgress};
use puma_core::Cancel;
use puma_core::canon::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A SHA-256 digest. Written and serialised as `sha256:` and 64 lowercase hex digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelDigest(String);

impl ModelDigest {
    /// Reads `sha256:HEX`, `sha256-HEX` (Ollama's file names) or bare `HEX`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256-")).unwrap_or(text);
        let valid = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| Self(digits.to_ascii_lowercase()))
    }

    /// The 64 hex digits without prefix.
    pub fn hex(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, as Ollama shows them.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    fn finish(hasher: Sha256) -> Self {
        Self(hex(&hasher.finalize()))
    }
}

impl fmt::Display for ModelDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl fmt::Debug for ModelDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl From<ModelDigest> for String {
    fn from(digest: ModelDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for ModelDigest {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a SHA-256 digest (64 hex digits)"))
    }
}

/// A digest in the making.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    inner: Sha256,
    bytes: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes went in.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn finish(self) -> ModelDigest {
        ModelDigest::finish(self.inner)
    }
}

const CHUNK_BYTES: usize = 1 << 20;

/// Hashes what is left of `file` to its end.
pub(crate) fn hash_reader(
    file: &mut File,
    path: &Path,
    total_bytes: u64,
    progress: &mut dyn Progress,
    cancel: &Cancel,
) -> Result<Hasher, SourceError> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0_u8; CHUNK_BYTES];
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    loop {
        if cancel.is_cancelled() {
            return Err(SourceError::cancelled("checking the model file"));
        }
        let read = file.read(&mut buffer).map_err(|error| SourceError::io("read", path, &error))?;
        if read == 0 {
            return Ok(hasher);
        }
        hasher.update(&buffer[..read]);
        progress.report(&PullProgress {
            phase: Phase::Checking,
            what: &shown,
            done_bytes: hasher.bytes(),
            total_bytes: Some(total_bytes),
        });
    }
}

/// What identifies the content of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    size_bytes: u64,
    modified_ns: u128,
    inode: u64,
}

impl Fingerprint {
    fn of(metadata: &std::fs::Metadata) -> Option<Self> {
        let modified_ns = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        Some(Self { size_bytes: metadata.len(), modified_ns, inode: inode(metadata) })
    }

    /// Whether a write now would still get the same time stamp: such a file must not be remembered.
    fn is_fresh(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_nanos() < self.modified_ns.saturating_add(Duration::from_secs(2).as_nanos())
    }
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &std::fs::Metadata) -> u64 {
    0
}

#[derive(Default, Serialize, Deserialize)]
struct Memory {
    files: BTreeMap<String, (Fingerprint, ModelDigest)>,
}

/// Digests of files hashed before, keyed by path and valid while size, time stamp and inode stay the same.
/// Losing it costs one more hashing, so trouble with its file is not reported.
#[derive(Clone, Debug)]
pub(crate) struct DigestCache {
    file: PathBuf,
}

impl DigestCache {
    /// The memory kept beside the models in `folder`.
    pub(crate) fn beside(folder: &Path) -> Self {
        Self { file: folder.join("digests.json") }
    }

    fn load(&self) -> Memory {
        std::fs::read(&self.file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// The digest and size of the file at `path`, from memory or by reading it.
    ///
    /// # Errors
    /// The file cannot be read, or `cancel` was set.
    pub(crate) fn digest_of(
        &self,
        path: &Path,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<(ModelDigest, u64), SourceError> {
        let io = |error| SourceError::io("read", path, &error);
        let mut file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        let fingerprint = Fingerprint::of(&metadata);
        let key = std::fs::canonicalize(path).map_err(io)?.to_string_lossy().into_owned();
        if let (Some(now), Some((then, digest))) = (&fingerprint, self.load().files.get(&key))
            && now == then
        {
            return Ok((digest.clone(), metadata.len()));
        }
        let hasher = hash_reader(&mut file, path, metadata.len(), progress, cancel)?;
        let after = Fingerprint::of(&file.metadata().map_err(io)?);
        if after != fingerprint || hasher.bytes() != metadata.len() {
            return Err(SourceError::new(
                SourceErrorKind::UnusableFile,
                format!("{} changed while it was being read", path.display()),
            )
            .with_hint("wait until the program that writes it has finished"));
        }
        let digest = hasher.finish();
        if let Some(fingerprint) = fingerprint.filter(|f| !f.is_fresh()) {
            self.remember(key, fingerprint, digest.clone());
        }
        Ok((digest, metadata.len()))
    }

    /// Remembers the digest of a file that PUMA itself has just written and verified.
    pub(crate) fn remember_own(&self, path: &Path, digest: &ModelDigest) {
        let fingerprint = std::fs::metadata(path).ok().as_ref().and_then(Fingerprint::of);
        if let (Some(fingerprint), Ok(key)) = (fingerprint, std::fs::canonicalize(path)) {
            self.remember(key.to_string_lossy().into_owned(), fingerprint, digest.clone());
        }
    }

    fn remember(&self, key: String, fingerprint: Fingerprint, digest: ModelDigest) {
        let mut memory = self.load();
        memory.files.retain(|path, _| Path::new(path).exists());
        memory.files.insert(key, (fingerprint, digest));
        if let Ok(text) = serde_json::to_vec_pretty(&memory) {
            let _ = super::place::write_atomically(&self.file, &text);
        }
    }
}

/// The digest of any file; `folder` remembers it as long as the file stays as it is.
///
/// # Errors
/// The file cannot be read.
pub fn file_digest(folder: &Path, path: &Path) -> Result<ModelDigest, SourceError> {
    let (digest, _) = DigestCache::beside(folder).digest_of(path, &mut NoProgress, &Cancel::default())?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(path: &Path, seconds: u64) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn a_digest_reads_every_spelling_and_nothing_else() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for text in [hex.to_owned(), format!("sha256:{hex}"), format!("sha256-{hex}"), hex.to_uppercase()] {
            assert_eq!(ModelDigest::parse(&text).unwrap(), ModelDigest::of_bytes(b"abc"));
        }
        for text in ["", "abc", &hex[1..], &format!("sha512:{hex}"), &hex.replace('b', "g")] {
            assert!(ModelDigest::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_file_hashed_before_is_not_read_again_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DigestCache::beside(folder.path());
        let path = folder.path().join("a.gguf");
        std::fs::write(&path, b"first").unwrap();
        age(&path, 60);
        let mut reads = 0;
        let mut count = |_: &PullProgress<'_>| reads += 1;
        let (first, size) = cache.digest_of(&path, &mut count, &Cancel::default()).unwrap();
        assert_eq!((first.clone(), size), (ModelDigest::of_bytes(b"first"), 5));
        assert_eq!(cache.digest_of(&path, &mut count, &Cancel::default()).unwrap().0, first);
        std::fs::write(&path, b"other").unwrap();
        age(&path, 50);
        assert_eq!(cache.digest_of(&path, &mut count, &Cancel::default()).unwrap().0, ModelDigest::of_bytes(b"other"));
        assert_eq!(reads, 2, "once for each content, not for the repeat");
    }

    #[test]
    fn a_file_written_this_moment_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DigestCache::beside(folder.path());
        let path = folder.path().join("a.gguf");
        std::fs::write(&path, b"first").unwrap();
        cache.digest_of(&path, &mut NoProgress, &Cancel::default()).unwrap();
        assert!(!folder.path().join("digests.json").exists());
    }

    #[test]
    fn a_broken_memory_costs_a_hashing_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("digests.json"), b"{not json").unwrap();
        let path = folder.path().join("a.gguf");
        std::fs::write(&path, b"abc").unwrap();
        let cache = DigestCache::beside(folder.path());
        assert_eq!(
            cache.digest_of(&path, &mut NoProgress, &Cancel::default()).unwrap().0,
            ModelDigest::of_bytes(b"abc")
        );
    }
}
