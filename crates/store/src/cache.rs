//! The inference cache: completions by key, in a file of its own.
//!
//! Losing an entry costs time, never correctness. So a cache that cannot be opened, read or written behaves as an
//! empty one and keeps the reason for [`CacheStore::warning`]; a run never stops because of it.

use crate::columns::{completion_from_json, completion_to_json};
use crate::{StoreError, schema};
use puma_core::{Clock as _, Completion, CompletionCache, FinishReason, SystemClock};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheStats {
    pub entries: u64,
    /// Size of the file and its journal.
    pub size_bytes: u64,
    /// How often an entry was used instead of a model, since the entries were made.
    pub hits: u64,
}

/// Completions in a SQLite file. Safe to share between threads, and the file between processes.
#[derive(Debug)]
pub struct CacheStore {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    conn: Option<Connection>,
    warning: Option<String>,
}

impl CacheStore {
    /// Opens or makes the cache at `path`. Never fails: see [`CacheStore::warning`].
    pub fn open(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_path_buf();
        let inner = match connect(&path) {
            Ok(conn) => Inner { conn: Some(conn), warning: None },
            Err(error) => Inner { conn: None, warning: Some(error.to_string()) },
        };
        Self { path, inner: Mutex::new(inner) }
    }

    /// Why completions are not remembered, if something went wrong: the first reason since opening.
    pub fn warning(&self) -> Option<String> {
        self.lock().warning.as_ref().map(|reason| format!("the inference cache is not used: {reason}"))
    }

    /// What it holds.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn stats(&self) -> Result<CacheStats, StoreError> {
        let conn = connect(&self.path)?;
        let (entries, hits): (i64, i64) = conn
            .query_row("SELECT count(*), coalesce(sum(hits), 0) FROM inferences", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .map_err(|source| StoreError::from_sqlite(&self.path, "read the cache", source))?;
        let size_bytes = self.files().iter().filter_map(|file| std::fs::metadata(file).ok()).map(|m| m.len()).sum();
        Ok(CacheStats { entries: entries.unsigned_abs(), size_bytes, hits: hits.unsigned_abs() })
    }

    /// Forgets every completion; returns how many there were. A damaged file is replaced.
    ///
    /// # Errors
    /// The file cannot be written, or it is another program's.
    pub fn clear(&self) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        let conn = match connect(&self.path) {
            Ok(conn) => conn,
            Err(StoreError::NotADatabase { .. } | StoreError::Damaged { .. }) => {
                inner.conn = None;
                self.remove_files()?;
                connect(&self.path)?
            }
            Err(error) => return Err(error),
        };
        let failed = |source| StoreError::from_sqlite(&self.path, "clear the cache", source);
        let entries = conn.execute("DELETE FROM inferences", []).map_err(failed)?;
        conn.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(failed)?;
        *inner = Inner { conn: Some(conn), warning: None };
        Ok(entries as u64)
    }

    fn files(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|suffix| {
            let mut path = self.path.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        })
    }

    fn remove_files(&self) -> Result<(), StoreError> {
        for path in self.files() {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::File { path, attempted: "remove the damaged cache", source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A panic elsewhere leaves the connection as usable as before.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CompletionCache for CacheStore {
    fn get(&self, key: &str) -> Option<Completion> {
        let mut inner = self.lock();
        let json = find(inner.conn.as_ref()?, key);
        let found = json
            .map_err(|source| StoreError::from_sqlite(&self.path, "read the cache", source).to_string())
            .and_then(|json| {
                json.map(|text| completion_from_json(&text))
                    .transpose()
                    .map_err(|error| format!("{} holds an entry that cannot be read ({error})", self.path.display()))
            });
        match found {
            Ok(completion) => completion.map(|completion| Completion { from_cache: true, ..completion }),
            Err(reason) => {
                inner.warning.get_or_insert(reason);
                None
            }
        }
    }

    /// Keeps `completion`, unless it was cancelled: that is not the model's whole answer.
    fn put(&self, key: &str, completion: &Completion) {
        if completion.finish == FinishReason::Cancelled {
            return;
        }
        let mut inner = self.lock();
        let Some(conn) = inner.conn.as_ref() else { return };
        let original = Completion { from_cache: false, ..completion.clone() };
        let kept = completion_to_json(&original).map_err(|error| error.to_string()).and_then(|json| {
            keep(conn, key, &json)
                .map_err(|source| StoreError::from_sqlite(&self.path, "write the cache", source).to_string())
        });
        if let Err(reason) = kept {
            inner.warning.get_or_insert(reason);
        }
    }
}

/// The JSON under `key`, counting the use. The count may be lost to a busy or full disk, the answer may not.
fn find(conn: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let json = conn
        .prepare_cached("SELECT value FROM inferences WHERE key = ?1")?
        .query_row([key], |r| r.get(0))
        .optional()?;
    if json.is_some() {
        let _ = conn
            .prepare_cached("UPDATE inferences SET hits = hits + 1 WHERE key = ?1")
            .and_then(|mut statement| statement.execute([key]));
    }
    Ok(json)
}

fn keep(conn: &Connection, key: &str, json: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO inferences (key, value, created) VALUES (?1, ?2, ?3) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, created = excluded.created",
    )?
    .execute(params![key, json, SystemClock::default().now().0 as f64 / 1000.0])?;
    Ok(())
}

/// Opens the file. `synchronous = NORMAL`: a power cut may lose the last entries, never the file.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::File {
            path: folder.to_path_buf(),
            attempted: "make the folder of the cache",
            source,
        })?;
    }
    let failed = |source| StoreError::from_sqlite(path, "open the inference cache", source);
    let conn = Connection::open(path).map_err(failed)?;
    conn.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    schema::prepare_cache(&conn, path)?;
    Ok(conn)
}
