//! Reading data files: every format, and one clear message for everything that can be wrong with one.

mod dataset_files;

use puma_eval::dataset::{
    Dataset, DatasetError, DatasetErrorKind, Gold, ReadOptions, SkipReason, Split, content_id, read,
};
use std::collections::BTreeMap;

fn named(columns: &[(&str, &str)]) -> ReadOptions {
    let columns = columns.iter().map(|(field, column)| ((*field).to_owned(), (*column).to_owned())).collect();
    ReadOptions { columns, ..ReadOptions::named("my.csv") }
}

fn ok(text: &str) -> Dataset {
    read(text.as_bytes(), ReadOptions::named("my.csv")).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> DatasetError {
    read(text.as_bytes(), ReadOptions::named("my.csv")).unwrap_err()
}

/// (id, title, priority or points) of every row.
fn summary(dataset: &Dataset) -> Vec<(&str, &str, &str)> {
    dataset
        .rows
        .iter()
        .map(|row| {
            let gold = row.fields.get("priority").or(row.fields.get("story_points")).unwrap();
            (row.id.as_str(), row.fields["title"].as_str(), gold.as_str())
        })
        .collect()
}

#[test]
fn upstreams_triage_file_is_read_whole() {
    let Some(bytes) = dataset_files::file("jira_balanced_200.csv") else { return };
    let dataset = read(&bytes, ReadOptions::named("jira_balanced_200.csv").for_scenario("triage_jira")).unwrap();
    assert_eq!((dataset.rows.len(), dataset.skipped.len()), (200, 0));
    assert_eq!(dataset.identity.sha256, "bfec679f95f5f5f28ac62df2e2636ec4b80b4da9409942787b525c12598f505e");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &dataset.rows {
        *counts.entry(row.fields["priority"].as_str()).or_default() += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [50; 4]);
    assert_eq!(dataset.rows[13].id.as_str(), "CRIT-014");
    assert_eq!((dataset.rows[0].line, dataset.rows[199].line), (2, 201));
}

#[test]
fn upstreams_story_file_loses_its_artefact_quotes_unless_they_are_wanted() {
    let Some(bytes) = dataset_files::file("tawos_clean_head35.csv") else { return };
    let options = ReadOptions::named("tawos_clean_head35.csv").for_scenario("effort_tawos");
    let clean = read(&bytes, options.clone()).unwrap();
    assert_eq!(clean.rows.len(), 35);
    for row in &clean.rows {
        for field in ["title", "description"] {
            assert!(!row.fields[field].starts_with('"'), "line {}: {}", row.line, row.fields[field]);
        }
        assert!(row.id.as_str().starts_with('h') && row.id.as_str().len() == 17, "{}", row.id);
    }
    assert!(
        clean.rows[3].fields["description"].contains(r#"data-source="dataSource""#)
            || clean.rows[3].fields["description"].contains(r#"="dataSource""#)
    );
    assert!(clean.rows.iter().any(|row| row.fields["description"].is_empty()), "one story has no description");
    let kept = read(&bytes, ReadOptions { keep_artefact_quotes: true, ..options }).unwrap();
    assert!(kept.rows.iter().all(|row| row.fields["title"].starts_with('"')));
    let ids = |dataset: &Dataset| dataset.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&clean), ids(&kept), "ids do not depend on the quotes");
}

#[test]
fn deep_se_files_keep_their_keys_and_splits() {
    for (name, rows, train, test) in
        [("mesos", 1680, 1008, 336), ("springxd", 3526, 2115, 706), ("talenddataquality", 1381, 828, 277)]
    {
        let Some(bytes) = dataset_files::file(&format!("deepse/{name}.csv")) else { return };
        let dataset = read(&bytes, ReadOptions::named(name).for_scenario("estimation_tawos")).unwrap();
        let count = |split| dataset.rows.iter().filter(|row| row.split == Some(split)).count();
        assert_eq!((dataset.rows.len(), count(Split::Train), count(Split::Test)), (rows, train, test), "{name}");
        assert!(dataset.rows.iter().all(|row| row.key.is_some() && row.fields["story_points"].parse::<u32>().is_ok()));
    }
}
