//! A reading position in the file that cannot leave it.

use super::error::{GgufError, GgufErrorKind};
use std::path::Path;

/// Keys and tensor names longer than this are refused; the specification allows keys of 65,535 bytes.
const MAX_NAME_BYTES: usize = 65_535;

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    file: &'a Path,
    /// What is being read, for messages: `metadata key llama.block_count`.
    subject: String,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], file: &'a Path) -> Self {
        Self { bytes, position: 0, file, subject: "the header".to_owned() }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn file(&self) -> &'a Path {
        self.file
    }

    pub(super) fn set_subject(&mut self, subject: String) {
        self.subject = subject;
    }

    /// An error about what is being read here.
    pub(super) fn error(&self, kind: GgufErrorKind, message: String) -> GgufError {
        let place = format!("in {}, near byte {}", self.subject, self.position);
        GgufError::new(kind, self.file, place, message)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], GgufError> {
        let rest = &self.bytes[self.position..];
        if count > rest.len() {
            return Err(self
                .error(
                    GgufErrorKind::Truncated,
                    format!(
                        "the file ends too early: it has {} bytes, but {count} more were expected at byte {}",
                        self.bytes.len(),
                        self.position
                    ),
                )
                .with_hint("the download was cut, or the file is damaged; fetch it again"));
        }
        self.position += count;
        Ok(&rest[..count])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("take returns as many bytes as asked for"))
    }

    pub(super) fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A length-prefixed UTF-8 string.
    pub(super) fn string(&mut self) -> Result<&'a str, GgufError> {
        let length = self.u64()?;
        let length = self.check_count(length, 1, "bytes of text")?;
        let start = self.position;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|error| {
            let offset = start + error.valid_up_to();
            self.error(GgufErrorKind::Malformed, format!("the text at byte {offset} is not UTF-8"))
        })
    }

    /// A key or a tensor name: a short, non-empty string.
    pub(super) fn name(&mut self, what: &str) -> Result<&'a str, GgufError> {
        let name = self.string()?;
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let message = format!("a {what} has {} bytes, allowed are 1 to {MAX_NAME_BYTES}", name.len());
            return Err(self.error(GgufErrorKind::Malformed, message));
        }
        Ok(name)
    }

    /// Checks that `count` things of at least `smallest` bytes each can still follow.
    pub(super) fn check_count(&self, count: u64, smallest: usize, what: &str) -> Result<usize, GgufError> {
        let rest = self.bytes.len() - self.position;
        match usize::try_from(count) {
            Ok(fitting) if fitting <= rest / smallest => Ok(fitting),
            _ => Err(self
                .error(
                    GgufErrorKind::Truncated,
                    format!(
                        "{count} {what} are announced, but only {rest} bytes follow; the file has {} bytes",
                        self.bytes.len()
                    ),
                )
                .with_hint("the download was cut, or the file is damaged; fetch it again")),
        }
    }
}
