//! Whether the disk has room.

use crate::sources::error::{SourceError, SourceErrorKind};
use std::io;
use std::path::Path;

/// Bytes that this user can still write on the file system of `folder`.
///
/// # Errors
/// The system does not say.
#[cfg(unix)]
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Not known on this system: downloads start without the check and stop at the first failed write.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub(crate) fn free_bytes(_folder: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// Left free for everything else on the disk, and for records.
const RESERVE_BYTES: u64 = 32 << 20;

/// Refuses to begin when `needed` more bytes would not fit.
pub(super) fn require(
    folder: &Path,
    needed_bytes: u64,
    free_space: fn(&Path) -> io::Result<u64>,
) -> Result<(), SourceError> {
    // A file system that does not answer is no reason to refuse: a full disk still ends in a clear error.
    let Ok(free) = free_space(folder) else { return Ok(()) };
    if free >= needed_bytes.saturating_add(RESERVE_BYTES) {
        return Ok(());
    }
    Err(SourceError::new(
        SourceErrorKind::NoSpace,
        format!(
            "not enough disk space in {}: {} needed, {} free",
            folder.display(),
            megabytes(needed_bytes.saturating_add(RESERVE_BYTES)),
            megabytes(free)
        ),
    )
    .with_hint("free some space, or put the models on another disk with PUMA_MODELS"))
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
