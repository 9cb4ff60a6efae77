//! Readers that stop at a limit, and that count and hash what passes.

use puma_core::canon::hex;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, Read};

/// Fails instead of giving more than its limit: what stands behind a few compressed bytes is unknown.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    limit_bytes: u64,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(inner: R, limit_bytes: u64) -> Self {
        Self { inner, left: limit_bytes, limit_bytes }
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(format!("it unpacks to more than {} bytes", self.limit_bytes)))?;
        Ok(read)
    }
}

/// Counts and hashes what is read through it.
pub(super) struct Hashing<R> {
    inner: R,
    hash: Sha256,
    size_bytes: u64,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), size_bytes: 0 }
    }

    /// Size in bytes and SHA-256 of everything that was read.
    pub(super) fn finish(self) -> (u64, String) {
        (self.size_bytes, hex(&self.hash.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.size_bytes += read as u64;
        Ok(read)
    }
}

/// The next line without its line feed, in `line`; `None` at the end.
///
/// # Errors
/// The line is longer than `limit_bytes`, the last one does not end with a line feed, or reading failed.
pub(super) fn next_line<'a>(
    reader: &mut impl BufRead,
    line: &'a mut Vec<u8>,
    limit_bytes: u64,
) -> io::Result<Option<&'a [u8]>> {
    line.clear();
    let read = reader.take(limit_bytes).read_until(b'\n', line)?;
    match line.strip_suffix(b"\n") {
        Some(text) => Ok(Some(text)),
        None if read == 0 => Ok(None),
        None if read as u64 == limit_bytes => Err(io::Error::other(format!("it is longer than {limit_bytes} bytes"))),
        None => Err(io::Error::other("it does not end with a line feed")),
    }
}
