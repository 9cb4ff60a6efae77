//! The schema's versions and how a file gets from any of them to the newest.
//!
//! All pending steps run in one `BEGIN IMMEDIATE` transaction that also reads the version, so that two programs that
//! open a new file at once cannot both migrate it, and a cut in the middle leaves the old version.

use crate::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Steps in order; step `n` leads from version `n` to `n + 1`. Forward only: a step that was released never changes.
const MIGRATIONS: [&str; 6] = [
    include_str!("../migrations/0001_upstream.sql"),
    include_str!("../migrations/0002_repeatable_runs.sql"),
    include_str!("../migrations/0003_failed_attempts.sql"),
    include_str!("../migrations/0004_run_sessions.sql"),
    include_str!("../migrations/0005_speed_ledger.sql"),
    include_str!("../migrations/0006_imported_runs.sql"),
];

/// The newest schema version, kept in `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// `PUMA` in ASCII, kept in `PRAGMA application_id`, so that no other program's file is taken for ours.
const APPLICATION_ID: i64 = 0x5055_4D41;

/// What a file is before it is touched.
pub(crate) enum Kind {
    /// No tables at all.
    Empty,
    /// Ours, with its schema version.
    Ours(i64),
    /// Made by upstream PUMA and never opened by this program.
    Upstream,
    /// Another program's.
    Foreign,
}

/// Tells whose file it is, without writing.
pub(crate) fn kind(conn: &Connection) -> rusqlite::Result<Kind> {
    let application_id: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application_id == APPLICATION_ID {
        return conn.pragma_query_value(None, "user_version", |row| row.get(0)).map(Kind::Ours);
    }
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Kind::Empty);
    }
    // Columns that only upstream PUMA's `runs` and `predictions` have together.
    let upstream: i64 = conn.query_row(
        "SELECT (SELECT count(*) FROM pragma_table_info('runs') WHERE name IN ('run_id', 'spec_hash', 'spec_yaml')) \
              + (SELECT count(*) FROM pragma_table_info('predictions') WHERE name IN ('parsed_label', 'prompt_hash'))",
        [],
        |row| row.get(0),
    )?;
    Ok(if application_id == 0 && upstream == 5 { Kind::Upstream } else { Kind::Foreign })
}

/// Brings the file to [`SCHEMA_VERSION`].
pub(crate) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    migrate_to(conn, path, SCHEMA_VERSION)
}

fn migrate_to(conn: &mut Connection, path: &Path, target: i64) -> Result<(), StoreError> {
    let failed = |source| StoreError::from_sqlite(path, "prepare the tables", source);
    if let Kind::Ours(version) = kind(conn).map_err(failed)?
        && version == target
    {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version = match kind(&transaction).map_err(failed)? {
        Kind::Empty | Kind::Upstream => 0,
        Kind::Ours(version) if version > SCHEMA_VERSION => {
            return Err(StoreError::NewerSchema { path: path.to_path_buf(), found: version, known: SCHEMA_VERSION });
        }
        Kind::Ours(version) => version,
        Kind::Foreign => return Err(StoreError::NotPuma { path: path.to_path_buf() }),
    };
    for (step, sql) in MIGRATIONS.iter().enumerate() {
        if (version..target).contains(&(step as i64)) {
            transaction.execute_batch(sql).map_err(failed)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", version.max(target)).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The inference cache's one table, with upstream's name and columns and a count of uses. `created` is in seconds since
/// 1970.
const CACHE: &str = "
CREATE TABLE inferences (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    created REAL NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0
);
";

/// `PUMC` in ASCII: a cache is not a run database.
const CACHE_APPLICATION_ID: i64 = 0x5055_4D43;

/// Makes the cache's table in a new file; refuses any other program's.
pub(crate) fn prepare_cache(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::from_sqlite(path, "open the inference cache", source);
    let is_cache = |conn: &Connection| {
        conn.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0)).map(|id| id == CACHE_APPLICATION_ID)
    };
    if is_cache(conn).map_err(failed)? {
        return conn.execute_batch("PRAGMA synchronous = NORMAL;").map_err(failed);
    }
    if !matches!(kind(conn).map_err(failed)?, Kind::Empty) {
        return Err(StoreError::NotPuma { path: path.to_path_buf() });
    }
    crate::open::enter_wal_mode(conn).map_err(failed)?;
    conn.execute_batch("PRAGMA synchronous = NORMAL;").map_err(failed)?;
    let transaction = rusqlite::Transaction::new_unchecked(conn, TransactionBehavior::Immediate).map_err(failed)?;
    if !is_cache(&transaction).map_err(failed)? {
        transaction.execute_batch(CACHE).map_err(failed)?;
        transaction.pragma_update(None, "application_id", CACHE_APPLICATION_ID).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_core::canon::sha256_hex;

    /// Each table with its columns, types and keys.
    fn shape(conn: &Connection) -> Vec<String> {
        let sql = "SELECT concat_ws(' ', t.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk) \
                   FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' ORDER BY 1";
        let mut statement = conn.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_past_version_ends_at_the_same_schema() {
        let path = Path::new("test");
        let mut newest = Connection::open_in_memory().unwrap();
        migrate(&mut newest, path).unwrap();
        for version in 1..SCHEMA_VERSION {
            let mut conn = Connection::open_in_memory().unwrap();
            migrate_to(&mut conn, path, version).unwrap();
            assert_eq!(conn.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), version);
            conn.execute_batch(
                "INSERT INTO runs (run_id, spec_hash, spec_yaml, status) \
                 VALUES ('a', 'ffff', '{\"scenario\": \"triage_jira\"}', 'done'), ('b', 'ffff', 'no json', 'error')",
            )
            .unwrap();
            migrate(&mut conn, path).unwrap();
            assert_eq!(shape(&conn), shape(&newest), "from version {version}");
            let scenarios: Vec<Option<String>> = conn
                .prepare("SELECT scenario FROM runs ORDER BY run_id")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            // Only upstream's own version keeps the scenario nowhere but in the spec.
            let filled_in = (version == 1).then(|| "triage_jira".to_owned());
            assert_eq!(scenarios, [filled_in, None]);
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_version() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate_to(&mut conn, Path::new("test"), 1).unwrap();
        let before = shape(&conn);
        conn.execute_batch("CREATE TABLE job_failures (mine TEXT)").unwrap();
        assert!(migrate(&mut conn, Path::new("test")).is_err());
        conn.execute_batch("DROP TABLE job_failures").unwrap();
        assert_eq!(shape(&conn), before);
        assert_eq!(conn.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[test]
    fn released_migrations_never_change() {
        let hashes = MIGRATIONS.map(|sql| sha256_hex(sql.as_bytes())[..16].to_owned());
        assert_eq!(
            hashes,
            [
                "489713b42fd014c7",
                "2f7f814b4a22b745",
                "d8f72ca1dc5c1252",
                "e362d90c4a6efa51",
                "5a36bb7b9f13fb67",
                "c3ace5b903a8fdd8"
            ],
            "write a new step instead"
        );
    }

    #[test]
    fn the_queries_that_grow_use_an_index() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, Path::new("test")).unwrap();
        for (query, index) in [
            ("SELECT * FROM predictions WHERE run_id = 'a' AND job_id = 'b'", "ux_predictions_run_job"),
            ("SELECT * FROM predictions WHERE model = 'a' AND run_id = 'b'", "ix_predictions"),
            ("SELECT value FROM metrics WHERE run_id = 'a' AND metric_name = 'mae'", "ix_metrics_run_name"),
            ("SELECT * FROM runs ORDER BY started_at DESC LIMIT 5", "ix_runs_started"),
            ("SELECT 1 FROM predictions WHERE prompt_sha256 = 'a'", "ix_predictions_prompt"),
        ] {
            let plan: String =
                conn.query_row(&format!("EXPLAIN QUERY PLAN {query}"), [], |row| row.get("detail")).unwrap();
            assert!(plan.contains(index), "{query}: {plan}");
        }
    }
}
