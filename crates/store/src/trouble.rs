//! Tests of what happens when writing fails: full disk, busy file, read-only file. They reach for the connection.

use crate::fixture::{ended, finished, record, resumed, started};
use crate::{Store, StoreError};
use puma_core::{EventSink as _, RunId, RunStatus};
use rusqlite::Connection;
use std::time::Duration;

#[test]
fn a_full_disk_stops_the_run_with_a_hint_and_loses_no_earlier_job() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    let store = Store::open(&path).unwrap();
    let run_id = RunId::new("a");
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 2000)).unwrap();
    let pages: i64 = store.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.conn.pragma_update(None, "max_page_count", pages + 20).unwrap();
    let mut kept = 0;
    let error = loop {
        match recorder.emit(&finished("a", record(kept))) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(kept > 10, "some jobs fit");
    assert_eq!(error.message, format!("cannot record a job: no space left for {}", path.display()));
    assert_eq!(error.hint.as_deref(), Some("free some space; every job recorded so far is kept"));
    assert_eq!(store.load_run(&run_id).unwrap().records.len(), kept);
    recorder.emit(&ended("a", RunStatus::Interrupted)).expect("the end of the run needs no new page");
    drop(recorder);
    drop(store);

    let store = Store::open(&path).unwrap();
    assert_eq!(store.status().unwrap().problems, Vec::<String>::new());
    let run = store.load_run(&run_id).unwrap();
    assert_eq!((run.records.len(), run.status), (kept, RunStatus::Interrupted));
    let mut recorder = store.recorder();
    recorder.emit(&resumed("a", 2000)).unwrap();
    recorder.emit(&finished("a", record(kept))).expect("with space it goes on");
}

#[test]
fn a_file_that_another_process_keeps_busy_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    let store = Store::open(&path).unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 1)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.conn.busy_timeout(Duration::from_millis(30)).unwrap();
    let error = recorder.emit(&finished("a", record(0))).unwrap_err();
    assert_eq!(error.message, format!("cannot record a job: {} is locked by another process", path.display()));
    assert!(error.hint.unwrap().starts_with("wait until"));
    other.execute_batch("COMMIT").unwrap();
    recorder.emit(&finished("a", record(0))).expect("nothing of the failed try is left in the way");
}

#[test]
fn a_read_only_store_refuses_to_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    drop(Store::open(&path).unwrap());
    let store = Store::open_read_only(&path).unwrap();
    let error = store.recorder().emit(&started("a", 1)).unwrap_err();
    assert_eq!(error.message, format!("cannot begin the run: {} cannot be written", path.display()));
    assert!(error.hint.unwrap().starts_with("give yourself write access"));
    assert!(matches!(store.delete_run(&RunId::new("a")), Err(StoreError::RunNotFound { .. })));
}

#[test]
fn a_job_waits_for_the_system_and_an_end_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("puma.db")).unwrap();
    let level = || store.conn.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap();
    let (normal, full) = (1, 2);
    assert_eq!(level(), normal);
    assert_eq!(store.on_disk(|| Ok(level())).unwrap(), full);
    assert_eq!(level(), normal);
    store.recorder().emit(&started("a", 1)).unwrap();
    assert!(store.recorder().emit(&started("a", 1)).is_err());
    assert_eq!(level(), normal, "also after a failure");
}
