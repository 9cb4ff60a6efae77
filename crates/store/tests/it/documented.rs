//! `docs/reference/database.md` names every table and column, and no others.

use std::collections::{BTreeMap, BTreeSet};

fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/database.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut table = None;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            table = heading.split('`').nth(1).map(str::to_owned);
        } else if let (Some(table), Some(row)) = (&table, line.strip_prefix("| `")) {
            let column = row.split('`').next().unwrap().to_owned();
            tables.entry(table.clone()).or_default().insert(column);
        }
    }
    tables
}

fn actual(path: &std::path::Path) -> BTreeMap<String, BTreeSet<String>> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let mut statement = conn
        .prepare("SELECT t.name, c.name FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table'")
        .unwrap();
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        let (table, column): (String, String) = row.unwrap();
        tables.entry(table).or_default().insert(column);
    }
    tables
}

#[test]
fn every_column_of_both_files_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, cache) = (folder.path().join("puma.db"), folder.path().join("cache.db"));
    drop(puma_store::Store::open(&runs).unwrap());
    drop(puma_store::CacheStore::open(&cache));
    let mut tables = actual(&runs);
    tables.extend(actual(&cache));
    assert_eq!(documented(), tables);
}
