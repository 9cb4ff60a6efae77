//! Backup, compaction and deletion.

use crate::fixture::{START, finished, header, instances, measured, record, session, started};
use puma_core::{EventSink as _, RunId};
use puma_store::{MetricRow, Store, StoreError};

fn with_two_runs(path: &std::path::Path) -> Store {
    let store = Store::open(path).unwrap();
    for run_id in ["a", "b"] {
        let mut recorder = store.recorder();
        recorder.emit(&started(run_id, 30)).unwrap();
        for index in 0..30 {
            let mut each = record(index);
            if run_id == "b" {
                each.prompt.push_str(" Think of the users.");
            }
            recorder.emit(&finished(run_id, each)).unwrap();
        }
        recorder.emit(&measured(run_id, session(START, Some(1.0), Some(1.0)))).unwrap();
        let metric = MetricRow {
            name: "f1_macro".to_owned(),
            scope: "global".to_owned(),
            model: None,
            strategy: None,
            perturbation: None,
            subgroup: None,
            value: 0.5,
            ci_low: None,
            ci_high: None,
            n: None,
            unit: None,
        };
        store.save_metrics(&RunId::new(run_id), &[metric], START).unwrap();
    }
    store
}

#[test]
fn deleting_a_run_takes_all_of_it_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_two_runs(&folder.path().join("puma.db"));
    let (a, b) = (RunId::new("a"), RunId::new("b"));
    let before = store.load_run(&a).unwrap();
    assert_eq!(store.status().unwrap().rows["texts"], 30 + 30 + 30, "fields are shared, prompts differ");
    let deleted = store.delete_run(&b).unwrap();
    assert_eq!((deleted.predictions, deleted.metrics), (30, 1));
    assert_eq!(store.load_run(&a).unwrap(), before);
    assert!(matches!(store.load_run(&b), Err(StoreError::RunNotFound { .. })));
    assert!(matches!(store.delete_run(&b), Err(StoreError::RunNotFound { .. })));
    let rows = store.status().unwrap().rows;
    assert_eq!((rows["texts"], rows["instances"], rows["metrics"], rows["emissions"]), (60, 30, 1, 1));

    store.delete_run(&a).unwrap();
    let status = store.status().unwrap();
    assert!(status.rows.values().all(|count| *count == 0), "{:?}", status.rows);
    assert!(status.free_bytes > 0);
    store.compact().unwrap();
    let compact = store.status().unwrap();
    assert_eq!((compact.free_bytes, compact.wal_bytes), (0, 0));
    assert!(compact.size_bytes < status.size_bytes + status.wal_bytes);
}

#[test]
fn a_backup_is_a_whole_database_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_two_runs(&folder.path().join("puma.db"));
    let mut recorder = store.recorder();
    recorder.start(&header("c", 1), &instances(1), false).unwrap();
    let target = folder.path().join("back'up.db");
    store.backup_to(&target).unwrap();
    let copy = Store::open(&target).unwrap();
    for run_id in ["a", "b", "c"].map(RunId::new) {
        assert_eq!(copy.load_run(&run_id).unwrap(), store.load_run(&run_id).unwrap());
    }
    assert!(matches!(store.backup_to(&target), Err(StoreError::TargetExists { .. })));
    let nowhere = store.backup_to(folder.path().join("none/backup.db")).unwrap_err();
    assert!(matches!(nowhere, StoreError::CannotOpen { .. }), "{nowhere:?}");
    recorder.emit(&finished("c", record(0))).expect("a backup does not disturb the run");
}
