//! The file: made, found, migrated.

use crate::StoreError;
use crate::schema::{self, Kind, SCHEMA_VERSION};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for another process before it fails with [`StoreError::Locked`].
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// One SQLite file with every run. One connection; other processes may read and write the same file meanwhile.
///
/// The file is in WAL mode. A job's commit (`synchronous = NORMAL`) is in the system's hands when it returns, so it
/// survives `kill -9`; the begin and the end of a run (`FULL`) wait for the disk, which takes everything before them
/// along. A power cut can cost the last jobs of a run that was going on, which resuming asks again, and never damages
/// the file. Waiting for the disk at each job costs 7 ms instead of 0.6 ms (measured on a virtual disk under load).
///
/// # Examples
/// ```
/// use puma_core::SpecHash;
/// use puma_core::Timestamp;
/// use puma_store::{RunFilter, Store};
///
/// let store = Store::memory()?;
/// let run_id = store.allocate_run_id("smoke", &SpecHash::new("83ec5feaa8df4844"), Timestamp(1_780_218_857_225))?;
/// assert_eq!(run_id.as_str(), "smoke__83ec5feaa8df4844__20260531T091417");
/// assert!(store.list_runs(&RunFilter::default())?.is_empty(), "reserved, not begun");
/// # Ok::<(), puma_store::StoreError>(())
/// ```
#[derive(Debug)]
pub struct Store {
    pub(crate) conn: Connection,
    /// `None` for a store in memory.
    path: Option<PathBuf>,
}

impl Store {
    /// Opens the database at `path`; makes it and its parent folders if they do not exist, brings an older schema up
    /// to date and adopts a database made by upstream PUMA, whose rows, columns and Alembic revision stay as they are.
    ///
    /// # Errors
    /// The file is no database or another program's, is locked, damaged, read-only or of a newer schema, or its folder
    /// cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::File {
                path: folder.to_path_buf(),
                attempted: "make the folder of the database",
                source,
            })?;
        }
        let failed = |source| StoreError::from_sqlite(path, "open the database", source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        match schema::kind(&conn).map_err(failed)? {
            Kind::Foreign => return Err(StoreError::NotPuma { path: path.to_path_buf() }),
            Kind::Ours(found) if found > SCHEMA_VERSION => {
                return Err(StoreError::NewerSchema { path: path.to_path_buf(), found, known: SCHEMA_VERSION });
            }
            Kind::Empty | Kind::Upstream | Kind::Ours(_) => {}
        }
        // SQLite opens a file it may not write without a word; the first write would fail, perhaps hours later.
        if conn.is_readonly("main").map_err(failed)? {
            return Err(StoreError::ReadOnly { path: path.to_path_buf(), attempted: "open the database for writing" });
        }
        enter_wal_mode(&conn).map_err(failed)?;
        conn.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;").map_err(failed)?;
        schema::migrate(&mut conn, path)?;
        conn.set_prepared_statement_cache_capacity(64);
        Ok(Self { conn, path: Some(path.to_path_buf()) })
    }

    /// Opens the database at `path` for reading only: nothing is made, migrated or changed. Works in a folder that
    /// cannot be written, too.
    ///
    /// # Errors
    /// As [`Store::open`]; also when the schema is older than this program's, or the file does not exist.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let failed = |source| StoreError::from_sqlite(path, "open the database", source);
        let (conn, kind) = match connect_read_only(path, path) {
            // WAL mode makes a file beside the database even to read. Where that is forbidden nobody can be writing
            // either, unless a journal is there, so the file may be read as one that never changes.
            Err(error) if may_be_immutable(&error, path) => connect_read_only(&immutable_uri(path), path),
            result => result,
        }
        .map_err(failed)?;
        let found = match kind {
            Kind::Ours(SCHEMA_VERSION) => return Ok(Self { conn, path: Some(path.to_path_buf()) }),
            Kind::Foreign => return Err(StoreError::NotPuma { path: path.to_path_buf() }),
            Kind::Ours(found) => found,
            Kind::Empty | Kind::Upstream => 0,
        };
        let (path, known) = (path.to_path_buf(), SCHEMA_VERSION);
        Err(if found > known {
            StoreError::NewerSchema { path, found, known }
        } else {
            StoreError::OlderSchema { path, found, known }
        })
    }

    /// A store that lives only in memory, for tests and `--dry-run`.
    ///
    /// # Errors
    /// No memory is left.
    pub fn memory() -> Result<Self, StoreError> {
        let path = Path::new(":memory:");
        let failed = |source| StoreError::from_sqlite(path, "make a database in memory", source);
        let mut conn = Connection::open_in_memory().map_err(failed)?;
        conn.execute_batch("PRAGMA foreign_keys = ON;").map_err(failed)?;
        schema::migrate(&mut conn, path)?;
        Ok(Self { conn, path: None })
    }

    /// Where the database is; `None` for one in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The path as errors name it.
    pub(crate) fn name(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(":memory:"))
    }

    /// Turns SQLite's error, met while doing `attempted`, into ours.
    pub(crate) fn failed(&self, attempted: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        move |source| StoreError::from_sqlite(self.name(), attempted, source)
    }

    /// Does `work` so that its commits, and all before them, have reached the disk when it returns.
    pub(crate) fn on_disk<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let set = |level: &str| self.conn.pragma_update(None, "synchronous", level);
        set("FULL").map_err(self.failed("prepare to write"))?;
        let result = work();
        set("NORMAL").map_err(self.failed("prepare to write"))?;
        result
    }

    /// A transaction that takes the write lock at once: one that begins by reading can lose a race and then must not
    /// wait, whatever the timeout.
    pub(crate) fn begin(&self, attempted: &'static str) -> Result<Transaction<'_>, StoreError> {
        Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate).map_err(self.failed(attempted))
    }
}

fn connect_read_only(target: &Path, path: &Path) -> rusqlite::Result<(Connection, Kind)> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if target != path {
        flags |= OpenFlags::SQLITE_OPEN_URI;
    }
    let conn = Connection::open_with_flags(target, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    let kind = schema::kind(&conn)?;
    Ok((conn, kind))
}

fn may_be_immutable(error: &rusqlite::Error, path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    let forbidden = matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    forbidden && path.is_file() && !Path::new(&journal).exists()
}

/// `file:…?immutable=1`, with the characters escaped that a URI gives a meaning.
fn immutable_uri(path: &Path) -> PathBuf {
    let text = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    PathBuf::from(format!("file:{text}?immutable=1"))
}

/// Switches to WAL mode, which is kept in the file. SQLite does not wait by itself when two programs switch at once.
pub(crate) fn enter_wal_mode(conn: &Connection) -> rusqlite::Result<()> {
    let pause = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match conn.pragma_update(None, "journal_mode", "wal") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < BUSY_TIMEOUT => {
                std::thread::sleep(pause);
                waited += pause;
            }
            result => return result,
        }
    }
}
