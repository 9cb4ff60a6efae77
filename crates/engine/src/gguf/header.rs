//! The part of a model file before the tensor data, read for its own sake: also of models the engine cannot run.

use super::cursor::Cursor;
use super::directory::read_shape;
use super::error::GgufError;
use super::file::{Bytes, SMALLEST_METADATA_ENTRY, SMALLEST_TENSOR_ENTRY, map, read_version};
use super::metadata::Metadata;
use std::path::Path;

/// What a GGUF file announces: metadata and tensors, whatever their types. Tensor data are not looked at.
#[derive(Clone, Debug)]
pub struct GgufHeader {
    version: u32,
    metadata: Metadata,
    tensors: Vec<AnnouncedTensor>,
    file_bytes: u64,
}

/// One entry of the tensor directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncedTensor {
    pub name: String,
    /// Length of each dimension, fastest first.
    pub shape: Vec<u64>,
    /// Number of the tensor type in ggml (`enum ggml_type`), known to the engine or not.
    pub type_id: u32,
}

impl GgufHeader {
    /// Reads the header of the file at `path`; the file is mapped, so that only its first pages are fetched.
    ///
    /// # Errors
    /// The file cannot be opened, is no GGUF file of version 2 or 3, or ends inside its header.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        Self::parse(&map(path)?, path)
    }

    /// Reads the header of a file that is already in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open), except for opening.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, GgufError> {
        Self::parse(&Bytes::Owned(bytes), Path::new("file in memory"))
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, GgufError> {
        let mut cursor = Cursor::new(bytes, path);
        let version = read_version(&mut cursor, bytes)?;
        let tensor_count = cursor.u64()?;
        let metadata_count = cursor.u64()?;
        let tensor_count = cursor.check_count(tensor_count, SMALLEST_TENSOR_ENTRY, "tensors")?;
        let metadata_count = cursor.check_count(metadata_count, SMALLEST_METADATA_ENTRY, "metadata entries")?;
        let metadata = Metadata::read(&mut cursor, metadata_count)?;
        let mut tensors = Vec::new();
        for index in 0..tensor_count {
            cursor.set_subject(format!("tensor entry {} of {tensor_count}", index + 1));
            let name = cursor.name("tensor name")?.to_owned();
            let shape = read_shape(&mut cursor)?;
            let type_id = cursor.u32()?;
            cursor.u64()?;
            tensors.push(AnnouncedTensor { name, shape, type_id });
        }
        Ok(Self { version, metadata, tensors, file_bytes: bytes.len() as u64 })
    }

    /// The format's version, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Every tensor, in the order of the directory.
    pub fn tensors(&self) -> &[AnnouncedTensor] {
        &self.tensors
    }

    /// Size of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }
}
