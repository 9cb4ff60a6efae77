//! The embedded sample sets: balanced, without duplicates, and without words that give the answer away.

use puma_eval::dataset::{Dataset, Split, embedded};
use std::collections::{BTreeMap, BTreeSet};

/// Word beginnings that name a label or a scale, in lower case.
const TRIAGE_LEAKS: [&str; 35] = [
    "critical",
    "major",
    "minor",
    "trivial",
    "urgen",
    "severe",
    "severit",
    "priorit",
    "blocker",
    "blocking",
    "asap",
    "immediate",
    "showstopper",
    "emergency",
    "cosmetic",
    "nitpick",
    "important",
    "highest",
    "lowest",
    "catastroph",
    "harmless",
    "negligible",
    "insignificant",
    "crucial",
    "essential",
    "serious",
    "p0",
    "p1",
    "p2",
    "p3",
    "p4",
    "sev1",
    "sev2",
    "sev3",
    "unimportant",
];
const TRIAGE_PHRASES: [&str; 5] = ["nice to have", "as soon as possible", "low prio", "high prio", "quick fix"];
const STORY_LEAKS: [&str; 18] = [
    "point",
    "estimat",
    "easy",
    "easily",
    "simpl",
    "trivial",
    "complex",
    "huge",
    "tiny",
    "small",
    "effort",
    "quick",
    "sprint",
    "difficult",
    "hard",
    "straightforward",
    "epic",
    "velocity",
];

fn text_of(dataset: &Dataset, row: usize) -> String {
    let fields = &dataset.rows[row].fields;
    format!("{}\n{}", fields["title"], fields["description"]).to_lowercase()
}

fn assert_no_leaks(dataset: &Dataset, beginnings: &[&str], phrases: &[&str]) {
    for row in 0..dataset.rows.len() {
        let text = text_of(dataset, row);
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let leak = beginnings.iter().find(|leak| word.starts_with(*leak));
            assert!(leak.is_none(), "{} says {word:?}", dataset.rows[row].id);
        }
        let phrase = phrases.iter().find(|phrase| text.contains(*phrase));
        assert!(phrase.is_none(), "{} says {phrase:?}", dataset.rows[row].id);
    }
}

fn counts<'a>(dataset: &'a Dataset, field: &str, split: Split) -> BTreeMap<&'a str, usize> {
    let rows = dataset.rows.iter().filter(|row| row.split == Some(split));
    rows.fold(BTreeMap::new(), |mut counts, row| {
        *counts.entry(row.fields[field].as_str()).or_default() += 1;
        counts
    })
}

fn assert_all_different(dataset: &Dataset) {
    let unique =
        |field: &str| dataset.rows.iter().map(|row| row.fields[field].to_lowercase()).collect::<BTreeSet<_>>().len();
    assert_eq!(unique("title"), dataset.rows.len());
    assert_eq!(unique("description"), dataset.rows.len());
    assert_eq!(dataset.rows.iter().map(|row| row.id.clone()).collect::<BTreeSet<_>>().len(), dataset.rows.len());
    assert!(dataset.rows.iter().all(|row| row.key.is_some() && row.split.is_some()));
}

/// Mean, shortest and longest description of the rows with each answer, in characters.
fn lengths(dataset: &Dataset, field: &str) -> BTreeMap<String, (f64, usize, usize)> {
    let mut all: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in &dataset.rows {
        all.entry(row.fields[field].clone()).or_default().push(row.fields["description"].chars().count());
    }
    all.into_iter()
        .map(|(answer, lengths)| {
            let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
            (answer, (mean, lengths.iter().copied().min().unwrap_or(0), lengths.iter().copied().max().unwrap_or(0)))
        })
        .collect()
}

#[test]
fn the_triage_sample_is_balanced_and_says_no_label() {
    let dataset = embedded("triage_jira").unwrap();
    assert_eq!((dataset.rows.len(), dataset.skipped.len()), (84, 0));
    assert_eq!(dataset.identity.source, "embedded");
    for (split, each) in [(Split::Train, 5), (Split::Test, 16)] {
        let expected: BTreeMap<&str, usize> =
            ["Critical", "Major", "Minor", "Trivial"].map(|label| (label, each)).into();
        assert_eq!(counts(&dataset, "priority", split), expected);
    }
    assert_all_different(&dataset);
    assert_no_leaks(&dataset, &TRIAGE_LEAKS, &TRIAGE_PHRASES);
    let products: BTreeSet<&str> = dataset.rows.iter().map(|row| row.id.as_str().split('-').next().unwrap()).collect();
    assert!(products.len() >= 8, "{products:?}");
}

#[test]
fn the_length_of_an_issue_hardly_tells_its_priority() {
    let lengths = lengths(&embedded("triage_jira").unwrap(), "priority");
    let means: Vec<f64> = lengths.values().map(|(mean, _, _)| *mean).collect();
    let (least, most) = (means.iter().copied().fold(f64::MAX, f64::min), means.iter().copied().fold(0.0, f64::max));
    assert!(most / least < 1.6, "{lengths:?}");
    for (label, (_, shortest, longest)) in &lengths {
        assert!(*shortest < 110 && *longest > 200, "{label}: {shortest} to {longest} characters");
    }
}

#[test]
fn classes_alternate_so_that_any_beginning_of_the_file_is_balanced() {
    let dataset = embedded("prioritization_jira").unwrap();
    for block in dataset.rows.chunks(4) {
        let labels: BTreeSet<&str> = block.iter().map(|row| row.fields["priority"].as_str()).collect();
        assert_eq!(labels.len(), 4, "around line {}", block[0].line);
    }
}

#[test]
fn the_story_sample_is_spread_as_teams_spread_points_and_says_no_number_of_them() {
    let dataset = embedded("effort_tawos").unwrap();
    assert_eq!((dataset.rows.len(), dataset.skipped.len()), (84, 0));
    let test = counts(&dataset, "story_points", Split::Test);
    assert_eq!(test, BTreeMap::from([("1", 7), ("13", 3), ("2", 13), ("3", 17), ("5", 16), ("8", 8)]));
    assert_eq!(counts(&dataset, "story_points", Split::Train).values().sum::<usize>(), 20);
    assert_eq!(counts(&dataset, "project", Split::Test).into_values().collect::<Vec<_>>(), [16; 4]);
    assert_eq!(counts(&dataset, "project", Split::Train).into_values().collect::<Vec<_>>(), [5; 4]);
    assert_all_different(&dataset);
    assert_no_leaks(&dataset, &STORY_LEAKS, &[]);
}

#[test]
fn every_scenario_has_a_sample_and_nothing_else_has() {
    for (scenario, name) in [
        ("triage_jira", "triage_sample"),
        ("prioritization_jira", "triage_sample"),
        ("estimation_tawos", "stories_sample"),
    ] {
        assert_eq!(embedded(scenario).unwrap().identity.name, name);
    }
    assert!(embedded("poetry").is_none());
}
