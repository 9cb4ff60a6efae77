//! The file that a download grows in: `NAME.puma-part`, with a note beside it that says what it is part of.

use crate::sources::digest::{Hasher, hash_reader};
use crate::sources::error::SourceError;
use crate::sources::place::{with_suffix, write_atomically};
use crate::sources::progress::Progress;
use puma_core::Cancel;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What the bytes in a part file are part of. Bytes of another thing are never continued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartNote {
    /// The digest where known, else the address.
    pub(super) identity: String,
    /// The server's strong entity tag for these bytes.
    pub(super) etag: Option<String>,
}

/// A part file, open at its end, with the hash of what it holds.
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    pub(super) note: PartNote,
}

impl PartFile {
    /// Opens the part file at `path`, keeping its bytes if they are of `identity`; they are hashed again.
    pub(super) fn open(
        path: &Path,
        identity: &str,
        progress: &mut dyn Progress,
        cancel: &Cancel,
    ) -> Result<Self, SourceError> {
        let old: Option<PartNote> =
            std::fs::read(note_path(path)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let kept = old.filter(|note| note.identity == identity);
        let note = kept.clone().unwrap_or_else(|| PartNote { identity: identity.to_owned(), etag: None });
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| SourceError::io("create", folder, &error))?;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(kept.is_none())
            .open(path)
            .map_err(|error| SourceError::io("open", path, &error))?;
        let size = file.metadata().map_err(|error| SourceError::io("read", path, &error))?.len();
        let mut part = Self { path: path.to_owned(), file, hasher: Hasher::default(), note };
        part.save_note()?;
        if size > 0 {
            part.hasher = hash_reader(&mut part.file, path, size, progress, cancel)?;
        }
        Ok(part)
    }

    /// Bytes held.
    pub(super) fn len(&self) -> u64 {
        self.hasher.bytes()
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), SourceError> {
        self.file.write_all(bytes).map_err(|error| SourceError::io("write", &self.path, &error))?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Drops every byte: what comes next is another content.
    pub(super) fn restart(&mut self) -> Result<(), SourceError> {
        let io = |error| SourceError::io("write", &self.path, &error);
        self.file.set_len(0).map_err(io)?;
        self.file.seek(SeekFrom::Start(0)).map_err(io)?;
        self.hasher = Hasher::default();
        self.note.etag = None;
        self.save_note()
    }

    /// Remembers the entity tag under which the bytes can be continued.
    pub(super) fn set_etag(&mut self, etag: Option<String>) -> Result<(), SourceError> {
        if self.note.etag == etag {
            return Ok(());
        }
        self.note.etag = etag;
        self.save_note()
    }

    fn save_note(&self) -> Result<(), SourceError> {
        let path = note_path(&self.path);
        let text = serde_json::to_vec(&self.note).expect("a note is two strings");
        write_atomically(&path, &text).map_err(|error| SourceError::io("write", &path, &error))
    }

    pub(super) fn hasher(&self) -> &Hasher {
        &self.hasher
    }
}

fn note_path(part: &Path) -> PathBuf {
    with_suffix(part, ".json")
}

/// Removes a part file and its note; nothing happens if they are not there.
pub(crate) fn discard(part: &Path) {
    let _ = std::fs::remove_file(part);
    let _ = std::fs::remove_file(note_path(part));
}
