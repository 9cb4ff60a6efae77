//! Every way a file can be: new, old, foreign, damaged, forbidden, busy.

use crate::fixture::{ended, finished, record, started};
use puma_core::{EventSink as _, RunId, RunStatus};
use puma_store::{SCHEMA_VERSION, Store, StoreError};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

const READ_ONLY_DATABASE: &str = "PUMA_STORE_TEST_READ_ONLY_DATABASE";

fn store_with_a_run(path: &Path) {
    let store = Store::open(path).unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 50)).unwrap();
    for index in 0..50 {
        recorder.emit(&finished("a", record(index))).unwrap();
    }
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();
}

#[test]
fn a_new_file_is_made_with_its_folders_and_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/puma.db");
    let store = Store::open(&path).unwrap();
    let status = store.status().unwrap();
    assert_eq!(status.schema_version, SCHEMA_VERSION);
    assert_eq!((status.journal_mode.as_str(), status.problems.len(), status.rows["runs"]), ("wal", 0, 0));
    assert!(path.is_file());
}

#[test]
fn many_programs_may_open_a_new_file_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("puma.db");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    let store = Store::open(path).unwrap();
                    store.recorder().emit(&started(&format!("run-{number}"), 1)).unwrap();
                });
            }
        });
        let status = Store::open(&path).unwrap().status().unwrap();
        assert_eq!((status.rows["runs"], status.problems.len()), (8, 0));
    }
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "This is a letter, long enough to be mistaken for a header of a database file.".repeat(9))
        .unwrap();
    let error = Store::open(&text).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is not a SQLite database", text.display()));
    assert_eq!(error.hint().as_deref(), Some("name another file with `--db FILE`, or move this one away"));

    let foreign = folder.path().join("music.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE runs (run_id TEXT, miles REAL)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    assert!(matches!(Store::open(&foreign), Err(StoreError::NotPuma { .. })));
    assert!(matches!(Store::open_read_only(&foreign), Err(StoreError::NotPuma { .. })));
    assert_eq!(std::fs::read(&foreign).unwrap(), before);

    let in_the_way = folder.path().join("notes.txt/puma.db");
    assert!(matches!(Store::open(&in_the_way), Err(StoreError::File { .. })));
    assert!(matches!(Store::open(folder.path()), Err(StoreError::CannotOpen { .. })));
}

#[test]
fn a_newer_schema_is_refused_and_an_older_one_needs_write_access() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    drop(Store::open(&path).unwrap());
    let set = |version: i64| Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
    set(99);
    for error in [Store::open(&path).unwrap_err(), Store::open_read_only(&path).unwrap_err()] {
        assert!(matches!(error, StoreError::NewerSchema { found: 99, known: SCHEMA_VERSION, .. }), "{error}");
        assert_eq!(error.hint().as_deref(), Some("update puma, or name another file with `--db FILE`"));
    }
    set(1);
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::OlderSchema { found: 1, .. })));
}

#[test]
fn a_damaged_file_gives_one_clear_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    store_with_a_run(&path);
    let whole = std::fs::read(&path).unwrap();
    let mut noticed = 0;
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..][..4096].fill(0xA5);
        noticed += u32::from(damage_is_noticed(folder.path().join(format!("{page}.db")), &damaged));
    }
    assert_eq!(noticed as usize, whole.len() / 4096, "every damaged page is noticed");
    for length in [100, 4096, 5000, whole.len() / 2, whole.len() - 4096] {
        assert!(damage_is_noticed(folder.path().join(format!("cut-{length}.db")), &whole[..length]), "cut to {length}");
    }
}

fn damage_is_noticed(path: PathBuf, bytes: &[u8]) -> bool {
    std::fs::write(&path, bytes).unwrap();
    let known = |error: &StoreError| {
        let expected = matches!(
            error,
            StoreError::NotADatabase { .. } | StoreError::Damaged { .. } | StoreError::Unreadable { .. }
        );
        assert!(expected && error.hint().is_some() && error.to_string().contains("db"), "{error:?}");
        true
    };
    match Store::open(&path) {
        Err(error) => known(&error),
        Ok(store) => match store.status() {
            Err(error) => known(&error),
            Ok(status) => !status.problems.is_empty(),
        },
    }
}

#[test]
fn a_value_that_cannot_be_understood_is_reported_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    for (change, place) in [
        ("UPDATE predictions SET completions_json = '[{}]'", "cannot read the jobs of the run"),
        ("UPDATE predictions SET outcome = 'great'", "cannot read the jobs of the run"),
        ("UPDATE predictions SET started_at = 'soon'", "cannot read the jobs of the run"),
        ("UPDATE predictions SET repeat = -1", "cannot read the jobs of the run"),
        ("UPDATE runs SET models_json = '7'", "cannot read the run"),
        ("UPDATE runs SET status = 'asleep'", "holds the status of a that cannot be read: asleep"),
    ] {
        store_with_a_run(&path);
        Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let error = Store::open(&path).unwrap().load_run(&RunId::new("a")).unwrap_err();
        assert!(error.to_string().contains(place), "{change}: {error}");
        assert!(error.hint().unwrap().starts_with("restore a copy made by `puma db backup`"), "{change}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn readers_see_whole_jobs_while_a_run_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    let writer = Store::open(&path).unwrap();
    let mut recorder = writer.recorder();
    recorder.emit(&started("a", 200)).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let store = Store::open_read_only(&path).unwrap();
            let (mut last, mut reads) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                let run = store.load_run(&RunId::new("a")).unwrap();
                assert!(run.records.len() >= last, "what was there stays there");
                assert!(run.records.iter().enumerate().all(|(index, each)| *each == record(index)));
                (last, reads) = (run.records.len(), reads + 1);
            }
            reads
        });
        for index in 0..200 {
            recorder.emit(&finished("a", record(index))).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(reader.join().unwrap() > 0);
    });
}

/// The unprivileged half of the next test: this same program, as another user where the tests run as root.
#[cfg(unix)]
#[test]
fn child_that_may_only_read() {
    let Some(path) = std::env::var_os(READ_ONLY_DATABASE) else { return };
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().ends_with("cannot be written"), "{error}");
    assert!(error.hint().unwrap().starts_with("give yourself write access to"));
    let store = Store::open_read_only(&path).unwrap();
    assert_eq!(store.load_run(&RunId::new("a")).unwrap().records.len(), 50);
    let error = store.recorder().emit(&started("b", 1)).unwrap_err();
    assert!(
        error.message.starts_with("cannot lock the run") || error.message.ends_with("cannot be written"),
        "{error}"
    );
    assert!(error.hint.is_some());
    let forbidden = Path::new(&path).with_file_name("new.db");
    assert!(matches!(Store::open(&forbidden), Err(StoreError::CannotOpen { .. })));
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_can_be_read_and_says_so_when_written() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma #1?.db");
    store_with_a_run(&path);
    let chmod = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    chmod(&path, 0o444);
    chmod(folder.path(), 0o555);
    let am_root = std::fs::metadata(folder.path()).unwrap().uid() == 0;
    let mut program = std::env::current_exe().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    if am_root {
        // Root may write anything, and another user may not see the folder this program was built in.
        let copy = elsewhere.path().join("tests");
        std::fs::copy(&program, &copy).unwrap();
        chmod(elsewhere.path(), 0o755);
        program = copy;
    }
    let mut child = std::process::Command::new(program);
    child.args(["--exact", "opening::child_that_may_only_read"]).env(READ_ONLY_DATABASE, &path).current_dir("/");
    if am_root {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    chmod(folder.path(), 0o755);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}
