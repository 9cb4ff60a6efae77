//! Care of the file: facts, backup, compaction, deletion.

use crate::lock::RunLock;
use crate::{SCHEMA_VERSION, Store, StoreError};
use puma_core::RunId;
use rusqlite::OptionalExtension as _;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Every table whose rows are worth counting.
const TABLES: [&str; 11] = [
    "runs",
    "instances",
    "run_instances",
    "predictions",
    "job_failures",
    "metrics",
    "emissions",
    "run_sessions",
    "speed_ledger",
    "profile_snapshots",
    "texts",
];

/// The state of a database.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DbStatus {
    /// `None` for a database in memory.
    pub path: Option<String>,
    /// The file itself.
    pub size_bytes: u64,
    /// Commits not yet folded into the file (`-wal`).
    pub wal_bytes: u64,
    /// Space inside the file that deleting freed and `compact` gives back.
    pub free_bytes: u64,
    pub schema_version: i64,
    /// The Alembic revision, where upstream PUMA made the file.
    pub upstream_revision: Option<String>,
    pub sqlite_version: String,
    pub journal_mode: String,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// What `PRAGMA integrity_check` and `foreign_key_check` found; empty when all is well.
    pub problems: Vec<String>,
}

/// What deleting a run took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DeletedRun {
    pub predictions: usize,
    pub metrics: usize,
}

impl Store {
    /// Facts about the file. Reads all of it, for the integrity check.
    ///
    /// # Errors
    /// The database cannot be read at all; damage is reported in `problems`.
    pub fn status(&self) -> Result<DbStatus, StoreError> {
        const ATTEMPTED: &str = "examine the database";
        let failed = self.failed(ATTEMPTED);
        let number = |pragma: &str| self.conn.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let free_pages = number("freelist_count").map_err(&failed)?;
        let page_bytes = number("page_size").map_err(&failed)?;
        let mut problems = self.problems()?;
        let mut rows = BTreeMap::new();
        for table in TABLES {
            let count = self.conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
            match count.map_err(&failed) {
                Ok(count) => {
                    rows.insert(table.to_owned(), count.unsigned_abs());
                }
                Err(error @ StoreError::Damaged { .. }) => problems.push(format!("cannot count {table}: {error}")),
                Err(error) => return Err(error),
            }
        }
        let file_bytes = |suffix: &str| {
            let mut path = self.path()?.as_os_str().to_owned();
            path.push(suffix);
            std::fs::metadata(path).ok().map(|metadata| metadata.len())
        };
        Ok(DbStatus {
            path: self.path().map(|path| path.display().to_string()),
            size_bytes: file_bytes("").unwrap_or_default(),
            wal_bytes: file_bytes("-wal").unwrap_or_default(),
            free_bytes: (free_pages * page_bytes).unsigned_abs(),
            schema_version: SCHEMA_VERSION,
            upstream_revision: self.upstream_revision()?,
            sqlite_version: rusqlite::version().to_owned(),
            journal_mode: self.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(&failed)?,
            rows,
            problems,
        })
    }

    fn upstream_revision(&self) -> Result<Option<String>, StoreError> {
        let failed = self.failed("read the Alembic revision");
        let exists: bool = self
            .conn
            .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version')", [], |r| r.get(0))
            .map_err(&failed)?;
        if !exists {
            return Ok(None);
        }
        self.conn.query_row("SELECT version_num FROM alembic_version", [], |row| row.get(0)).optional().map_err(failed)
    }

    /// What is wrong with the file, a sentence each.
    fn problems(&self) -> Result<Vec<String>, StoreError> {
        const ATTEMPTED: &str = "check the database";
        let mut problems = match self.rows(ATTEMPTED, "PRAGMA integrity_check", [], |row| row.get::<_, String>(0)) {
            Ok(problems) => problems,
            Err(error @ StoreError::Damaged { .. }) => return Ok(vec![error.to_string()]),
            Err(error) => return Err(error),
        };
        problems.retain(|problem| problem != "ok");
        if !problems.is_empty() {
            return Ok(problems);
        }
        // Upstream never enforced its foreign keys, so its files may hold rows that point nowhere.
        let orphans: Vec<(String, String)> =
            self.rows(ATTEMPTED, "PRAGMA foreign_key_check", [], |row| Ok((row.get(0)?, row.get(2)?)))?;
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for pair in orphans {
            *counts.entry(pair).or_default() += 1;
        }
        problems.extend(counts.into_iter().map(|((table, parent), count)| {
            format!("{count} rows of {table} point to rows of {parent} that do not exist")
        }));
        Ok(problems)
    }

    /// Writes a complete, compact copy to the new file `target`, also while a run is being recorded.
    ///
    /// # Errors
    /// `target` exists or cannot be written.
    pub fn backup_to(&self, target: impl AsRef<Path>) -> Result<(), StoreError> {
        let target = target.as_ref();
        if target.exists() {
            return Err(StoreError::TargetExists { path: target.to_path_buf() });
        }
        // `VACUUM INTO` takes text, so a path that is not UTF-8 has no place in it.
        let text = target.to_str().ok_or_else(|| StoreError::CannotOpen {
            path: target.to_path_buf(),
            reason: "its name is not valid Unicode".to_owned(),
        })?;
        self.conn
            .execute("VACUUM INTO ?1", [text])
            .map_err(|source| StoreError::from_sqlite(target, "write the backup", source))?;
        Ok(())
    }

    /// Gives the space of deleted runs back to the disk.
    ///
    /// # Errors
    /// The database is in use by another process or cannot be written.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.conn.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(self.failed("compact the database"))
    }

    /// Deletes a run with everything that belongs to it alone.
    ///
    /// # Errors
    /// The run does not exist, another process is writing it, or the database cannot be written.
    pub fn delete_run(&self, run_id: &RunId) -> Result<DeletedRun, StoreError> {
        const ATTEMPTED: &str = "delete the run";
        self.require_run(run_id)?;
        let _lock = self.path().map(|path| RunLock::take(path, run_id.as_str())).transpose()?;
        let transaction = self.begin(ATTEMPTED)?;
        let delete = |sql: &str| transaction.execute(sql, [run_id.as_str()]).map_err(self.failed(ATTEMPTED));
        let predictions = delete("DELETE FROM predictions WHERE run_id = ?1")?;
        let metrics = delete("DELETE FROM metrics WHERE run_id = ?1")?;
        delete("DELETE FROM emissions WHERE run_id = ?1")?;
        delete("DELETE FROM run_sessions WHERE run_id = ?1")?;
        delete("DELETE FROM speed_ledger WHERE run_id = ?1")?;
        delete("DELETE FROM profile_snapshots WHERE run_id = ?1")?;
        delete("DELETE FROM job_failures WHERE run_id = ?1")?;
        delete("DELETE FROM run_instances WHERE run_id = ?1")?;
        delete("DELETE FROM runs WHERE run_id = ?1")?;
        transaction
            .execute_batch(
                "DELETE FROM texts WHERE sha256 NOT IN (SELECT fields_sha256 FROM run_instances) \
                     AND sha256 NOT IN (SELECT prompt_sha256 FROM predictions WHERE prompt_sha256 IS NOT NULL); \
                 DELETE FROM instances WHERE instance_id NOT IN (SELECT instance_id FROM predictions) \
                     AND instance_id NOT IN (SELECT instance_id FROM run_instances);",
            )
            .and_then(|()| transaction.commit())
            .map_err(self.failed(ATTEMPTED))?;
        Ok(DeletedRun { predictions, metrics })
    }
}
