//! One writer a run: an operating-system lock on a file beside the database.
//!
//! The system drops the lock when its process ends, however it ends, so a crash leaves nothing to take over and no
//! heartbeat is needed. The file's text only tells others who holds it.

use crate::StoreError;
use puma_core::canon::sha256_hex;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Held while a run is written; dropping it lets others write.
#[derive(Debug)]
pub(crate) struct RunLock {
    file: File,
    path: PathBuf,
}

/// A reader that asks who holds a lock has it for a moment itself; a writer tries again this often.
const TRIES: u32 = 10;

impl RunLock {
    /// Takes the lock of `run_id` for the database file `database`.
    ///
    /// # Errors
    /// Another process holds it, or the lock file cannot be made.
    pub(crate) fn take(database: &Path, run_id: &str) -> Result<Self, StoreError> {
        let path = lock_path(database, run_id);
        let failed = |source| StoreError::File { path: path.clone(), attempted: "lock the run", source };
        for _ in 0..TRIES {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let file = match opened {
                Ok(file) => file,
                // Its last user removed the folder between the two calls above.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            match file.try_lock() {
                Ok(()) if still_at(&file, &path) => {
                    let mut lock = Self { file, path };
                    lock.sign();
                    return Ok(lock);
                }
                // It was removed between opening and locking: this lock keeps nobody out.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(StoreError::RunBusy { run_id: run_id.to_owned(), holder: signature(&path) })
    }

    /// Says who holds it. Only for messages, so failing is harmless.
    fn sign(&mut self) {
        let text = format!("process {}", std::process::id());
        let _ = self.file.set_len(0);
        let _ = self.file.rewind();
        let _ = self.file.write_all(text.as_bytes());
        let _ = self.file.flush();
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Only where `still_at` can tell a removed file from the one that replaced it.
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
            if let Some(folder) = self.path.parent() {
                let _ = std::fs::remove_dir(folder);
            }
        }
    }
}

/// Who writes `run_id` now, in words; `None` if nobody does.
pub(crate) fn holder(database: &Path, run_id: &str) -> Option<String> {
    let path = lock_path(database, run_id);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(signature(&path).unwrap_or_else(|| "another process".to_owned())),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn signature(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

/// `puma.db` → `puma.db.locks/<hash of the run id>`: run ids may hold what file names may not.
fn lock_path(database: &Path, run_id: &str) -> PathBuf {
    let mut folder = database.as_os_str().to_owned();
    folder.push(".locks");
    PathBuf::from(folder).join(&sha256_hex(run_id.as_bytes())[..32])
}

#[cfg(unix)]
fn still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn still_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_writer_and_the_next_may_follow() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("puma.db");
        assert_eq!(holder(&database, "a"), None);
        let first = RunLock::take(&database, "a").unwrap();
        let me = format!("process {}", std::process::id());
        assert_eq!(holder(&database, "a").as_deref(), Some(me.as_str()));
        let error = RunLock::take(&database, "a").unwrap_err();
        assert_eq!(error.to_string(), format!("run a is being written by {me}"));
        let other = RunLock::take(&database, "b/../c").unwrap();
        drop(first);
        RunLock::take(&database, "a").unwrap();
        drop(other);
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "lock files are removed");
    }

    #[test]
    fn of_many_threads_exactly_one_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("puma.db");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let taken = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        if let Ok(lock) = RunLock::take(&database, "a") {
                            use std::sync::atomic::Ordering::SeqCst;
                            assert_eq!(inside.fetch_add(1, SeqCst), 0, "two writers at once");
                            taken.fetch_add(1, SeqCst);
                            std::thread::yield_now();
                            inside.fetch_sub(1, SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
    }
}
