//! The inference cache remembers, and failing it forgets without harm.

use crate::fixture::completion;
use puma_core::{Completion, CompletionCache as _, FinishReason};
use puma_store::{CacheStore, StoreError};

#[test]
fn a_completion_comes_back_marked_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheStore::open(folder.path().join("deep/cache.db"));
    assert_eq!(cache.get("k"), None);
    cache.put("k", &completion("Major", -0.1));
    cache.put("k", &completion("Minor", f32::NEG_INFINITY));
    let cached = Completion { from_cache: true, ..completion("Minor", f32::NEG_INFINITY) };
    assert_eq!(cache.get("k"), Some(cached.clone()));
    cache.put("copy", &cached);
    assert_eq!(cache.get("copy"), Some(cached));
    let stats = cache.stats().unwrap();
    assert_eq!((stats.entries, stats.hits), (2, 2));
    assert!(stats.size_bytes > 0);
    assert_eq!(cache.clear().unwrap(), 2);
    assert_eq!((cache.get("k"), cache.stats().unwrap().entries, cache.warning()), (None, 0, None));
}

#[test]
fn a_cancelled_completion_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheStore::open(folder.path().join("cache.db"));
    cache.put("k", &Completion { finish: FinishReason::Cancelled, ..completion("Maj", -0.1) });
    assert_eq!(cache.get("k"), None);
    assert_eq!(cache.warning(), None);
}

#[test]
fn threads_and_processes_may_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let shared = CacheStore::open(&path);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (shared, path) = (&shared, &path);
            scope.spawn(move || {
                // Half use one connection together, half have their own, as another process would.
                let own = (thread % 2 == 0).then(|| CacheStore::open(path));
                let cache = own.as_ref().unwrap_or(shared);
                for index in 0..50 {
                    let key = format!("{}", index % 20);
                    cache.put(&key, &completion(&key, -0.5));
                    assert_eq!(cache.get(&key).map(|found| found.text), Some(key));
                }
                assert_eq!(cache.warning(), None);
            });
        }
    });
    assert_eq!(shared.stats().unwrap().entries, 20);
    assert_eq!(shared.stats().unwrap().hits, 200);
}

#[test]
fn a_damaged_cache_is_an_empty_one_with_a_warning_until_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    std::fs::write(&path, "no database at all".repeat(100)).unwrap();
    let cache = CacheStore::open(&path);
    cache.put("k", &completion("Major", -0.1));
    assert_eq!(cache.get("k"), None);
    let warning = cache.warning().unwrap();
    assert_eq!(warning, format!("the inference cache is not used: {} is not a SQLite database", path.display()));
    assert!(matches!(cache.stats(), Err(StoreError::NotADatabase { .. })));
    cache.clear().unwrap();
    cache.put("k", &completion("Major", -0.1));
    assert!(cache.get("k").is_some());
    assert_eq!(cache.warning(), None);
}

#[test]
fn an_entry_that_cannot_be_read_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = CacheStore::open(&path);
    cache.put("k", &completion("Major", -0.1));
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE inferences SET value = '{'", []).unwrap();
    assert_eq!(cache.get("k"), None);
    assert!(cache.warning().unwrap().contains("holds an entry that cannot be read"));
    cache.put("k", &completion("Major", -0.1));
    assert!(cache.get("k").is_some(), "writing it anew repairs it");
}

#[test]
fn the_cache_never_takes_a_run_database_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    drop(puma_store::Store::open(&path).unwrap());
    let cache = CacheStore::open(&path);
    assert!(cache.warning().unwrap().ends_with("is a SQLite database of another program, not of PUMA"));
    assert!(matches!(cache.clear(), Err(StoreError::NotPuma { .. })));
    let other = folder.path().join("cache.db");
    drop(CacheStore::open(&other));
    assert!(matches!(puma_store::Store::open(&other), Err(StoreError::NotPuma { .. })));
}
