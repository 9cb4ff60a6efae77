//! An open model file.

use super::cursor::Cursor;
use super::directory::{TensorInfo, read_directory};
use super::error::{GgufError, GgufErrorKind};
use super::metadata::Metadata;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// Bytes an entry of the metadata or of the tensor directory takes at least.
pub(super) const SMALLEST_METADATA_ENTRY: usize = 13;
pub(super) const SMALLEST_TENSOR_ENTRY: usize = 24;
const DEFAULT_ALIGNMENT: u32 = 32;

/// A GGUF file, checked and ready to be read. Its bytes are mapped, not loaded.
#[derive(Debug)]
pub struct Gguf {
    bytes: Bytes,
    version: u32,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    by_name: BTreeMap<String, usize>,
}

#[derive(Debug)]
pub(super) enum Bytes {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl Gguf {
    /// Maps and checks the file at `path`.
    ///
    /// # Errors
    /// The file cannot be opened, is no GGUF file of version 2 or 3, is truncated, contradicts itself, or has a tensor
    /// type the engine does not compute with.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        Self::parse(map(path)?, path)
    }

    /// Checks a file that is already in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open), except for opening.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, GgufError> {
        Self::parse(Bytes::Owned(bytes), Path::new("file in memory"))
    }

    fn parse(bytes: Bytes, path: &Path) -> Result<Self, GgufError> {
        let mut cursor = Cursor::new(&bytes, path);
        let version = read_version(&mut cursor, &bytes)?;
        let tensor_count = cursor.u64()?;
        let metadata_count = cursor.u64()?;
        let tensor_count = cursor.check_count(tensor_count, SMALLEST_TENSOR_ENTRY, "tensors")?;
        let metadata_count = cursor.check_count(metadata_count, SMALLEST_METADATA_ENTRY, "metadata entries")?;
        let metadata = Metadata::read(&mut cursor, metadata_count)?;
        let alignment = alignment(&metadata)?;
        let (tensors, by_name) = read_directory(&mut cursor, tensor_count, alignment, bytes.len() as u64)?;
        Ok(Self { version, metadata, tensors, by_name, bytes })
    }

    /// The format's version, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Every tensor, in file order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The tensor called `name`, if there is one.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.by_name.get(name).map(|&index| &self.tensors[index])
    }

    /// The bytes of `tensor`, as they lie in the file.
    ///
    /// # Panics
    /// If `tensor` came from another, larger file.
    pub fn data(&self, tensor: &TensorInfo) -> &[u8] {
        &self.bytes[tensor.range.clone()]
    }

    /// Size of the whole file.
    pub fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Tells the system how the file will be read. Only speed depends on it, so that a system that does not listen is
    /// no error.
    #[cfg_attr(unix, expect(unsafe_code, reason = "dropping pages is only sound for a mapping that is not written to"))]
    pub fn advise(&self, reading: Reading) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = &self.bytes {
            use memmap2::Advice;
            // Which pages a system keeps is its own choice; advice can be refused, and nothing follows from that.
            let _refused = match reading {
                Reading::Whole => map.advise(Advice::WillNeed),
                Reading::Streamed { resident_bytes } => {
                    let resident = usize::try_from(resident_bytes).unwrap_or(usize::MAX).min(map.len());
                    map.advise(Advice::Sequential).and_then(|()| map.advise_range(Advice::WillNeed, 0, resident))
                }
                Reading::Seldom => {
                    // SAFETY: the mapping is read only, so a dropped page is read again from the file with the same bytes.
                    let dropped = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
                    // One row needs its page alone; neighbours that come unasked made up half of a run's memory.
                    dropped.and_then(|()| map.advise(Advice::Random))
                }
            };
        }
        #[cfg(not(unix))]
        let _ = reading;
    }

    /// The whole file, for hashing.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// How a file that is mapped will be read, for the system to plan its reading ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It fits into memory: read it at once, before it is asked for.
    Whole,
    /// It is larger than the memory left: only this many bytes from its start stay; the rest passes through in order,
    /// every time.
    Streamed { resident_bytes: u64 },
    /// Its weights were copied; only a row of embeddings is read now and then, and no page need stay with this process.
    Seldom,
}

/// Maps the file at `path`.
pub(super) fn map(path: &Path) -> Result<Bytes, GgufError> {
    let file = File::open(path).map_err(|source| GgufError::io(path, "open", source))?;
    let length = file.metadata().map_err(|source| GgufError::io(path, "inspect", source))?;
    if length.is_dir() {
        let message = "this is a folder, not a file";
        return Err(
            GgufError::new(GgufErrorKind::NotGguf, path, "byte 0", message).with_hint("name the .gguf file inside it")
        );
    }
    // Mapping nothing fails on some systems with a message about arguments; an empty file deserves a better one.
    if length.len() == 0 {
        return Ok(Bytes::Owned(Vec::new()));
    }
    #[expect(
        unsafe_code,
        reason = "a model is larger than what should be copied; mapping is unsafe only because another program may \
                  change the file meanwhile"
    )]
    // SAFETY: the map is read-only and private to this value. If another program truncates or rewrites the file
    // while it is mapped, the process may be killed (SIGBUS) or compute with other weights; model files are
    // replaced by renaming, never written in place, by PUMA itself and by the stores it reads from.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|source| GgufError::io(path, "map", source))?;
    Ok(Bytes::Mapped(map))
}

pub(super) fn read_version(cursor: &mut Cursor<'_>, bytes: &[u8]) -> Result<u32, GgufError> {
    if !bytes.starts_with(b"GGUF") {
        return Err(not_gguf(cursor, bytes));
    }
    cursor.take(4)?;
    let version = cursor.u32()?;
    match version {
        2 | 3 => Ok(version),
        1 => Err(cursor
            .error(GgufErrorKind::Version, "GGUF version 1 is not read; it was replaced in August 2023".to_owned())
            .with_hint("fetch a newer conversion of the model")),
        _ if version.swap_bytes() <= 0xffff && version != 0 => Err(cursor
            .error(
                GgufErrorKind::Version,
                format!(
                    "the file is big-endian (GGUF version {}), only little-endian files are read",
                    version.swap_bytes()
                ),
            )
            .with_hint("fetch the little-endian conversion of the model")),
        _ => Err(cursor
            .error(GgufErrorKind::Version, format!("GGUF version {version} is unknown, versions 2 and 3 are read"))),
    }
}

fn not_gguf(cursor: &Cursor<'_>, bytes: &[u8]) -> GgufError {
    let start = &bytes[..bytes.len().min(16)];
    let message = if bytes.is_empty() {
        "the file is empty".to_owned()
    } else {
        format!("this is not a GGUF file: it begins with \"{}\" instead of \"GGUF\"", start.escape_ascii())
    };
    let error = cursor.error(GgufErrorKind::NotGguf, message);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).trim_start().to_ascii_lowercase();
    if text.starts_with("version https://git-lfs") {
        error.with_hint("this is a Git LFS pointer; run `git lfs pull`, or download the file itself")
    } else if text.starts_with("<!doctype") || text.starts_with("<html") {
        error.with_hint("this is a web page, probably a login or error page; download the file itself")
    } else if text.starts_with('{') {
        error.with_hint("this looks like JSON, perhaps a server's error message; download the file itself")
    } else if bytes.starts_with(b"PK") {
        error.with_hint("this is a ZIP archive, perhaps PyTorch weights; a GGUF conversion is needed")
    } else if bytes.is_empty() {
        error.with_hint("the download did not begin; fetch it again")
    } else {
        error.with_hint("weights in other formats (safetensors, PyTorch) must be converted to GGUF first")
    }
}

fn alignment(metadata: &Metadata) -> Result<u64, GgufError> {
    let alignment = metadata.u32("general.alignment")?.unwrap_or(DEFAULT_ALIGNMENT);
    if alignment.is_power_of_two() {
        Ok(alignment.into())
    } else {
        let message = format!("the alignment {alignment} is no power of two");
        let place = "metadata key general.alignment";
        Err(GgufError::new(GgufErrorKind::Malformed, metadata.file(), place, message))
    }
}
