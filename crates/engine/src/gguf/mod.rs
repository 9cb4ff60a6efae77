//! Reads GGUF model files (versions 2 and 3, little-endian) without trusting them.
//!
//! Start at [`Gguf::open`]. Every length and offset is checked against the file before it is used, so a truncated or
//! corrupted file gives a [`GgufError`] and never a panic, a wrong slice or a huge allocation. The layout is the GGUF
//! specification's: header, metadata, tensor directory, padding, tensor data. What the metadata mean to a model is
//! not decided here.

mod cursor;
mod directory;
mod error;
mod file;
mod header;
mod metadata;
mod value;

pub use directory::TensorInfo;
pub use error::{GgufError, GgufErrorKind};
pub use file::{Gguf, Reading};
pub use header::{AnnouncedTensor, GgufHeader};
pub use metadata::Metadata;
pub use value::{StringList, Value};
