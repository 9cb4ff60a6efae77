//! Laws of example selection.

use super::*;
use crate::dataset::{Dataset, Row};
use crate::scenario::{Estimation, Prioritization, Scenario, Triage};
use proptest::prelude::*;
use puma_core::InstanceId;

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn dataset(rows: &[(usize, Option<Split>)]) -> Dataset {
    let rows = rows
        .iter()
        .enumerate()
        .map(|(number, (class, split))| Row {
            id: InstanceId::new(format!("KEY-{number}")),
            key: Some(format!("KEY-{number}")),
            fields: [
                ("title", format!("title {number}")),
                ("description", format!("It happens in part {number}. More text.")),
                ("priority", LABELS[*class].to_owned()),
                ("story_points", ["1", "3", "8", "13"][*class].to_owned()),
            ]
            .map(|(name, text)| (name.to_owned(), text))
            .into(),
            split: *split,
            line: number as u64 + 2,
        })
        .collect();
    Dataset { rows, ..Dataset::default() }
}

fn counts(examples: &[&Example], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for example in examples {
        *counts.entry(example.fields[field].clone()).or_default() += 1;
    }
    counts
}

#[test]
fn held_out_examples_are_balanced_and_the_same_for_every_instance() {
    let dataset = dataset(&(0..80).map(|number| (number / 20, None)).collect::<Vec<_>>());
    let instances = Triage.instances(&dataset, 40, 42).unwrap();
    let examples = Triage.examples(&dataset, &instances, 8, 42).unwrap();
    assert_eq!(examples.source(), ExampleSource::HeldOutRows);
    let first = examples.for_instance(&instances[0]).unwrap();
    assert_eq!(counts(&first, "priority").values().copied().collect::<Vec<_>>(), [2, 2, 2, 2]);
    for instance in &instances {
        assert_eq!(examples.for_instance(instance).unwrap(), first);
    }
}

#[test]
fn the_train_split_is_preferred_and_only_the_test_split_is_judged() {
    let splits = [Some(Split::Train), Some(Split::Validation), Some(Split::Test)];
    let dataset = dataset(&(0..60).map(|number| (number % 4, splits[number % 3])).collect::<Vec<_>>());
    let instances = Estimation.instances(&dataset, 1000, 42).unwrap();
    assert_eq!(instances.len(), 20);
    let examples = Estimation.examples(&dataset, &instances, 4, 42).unwrap();
    assert_eq!(examples.source(), ExampleSource::TrainSplit);
    let shown = examples.for_instance(&instances[0]).unwrap();
    assert_eq!(counts(&shown, "story_points").len(), 4, "one of each quarter of the points");
}

#[test]
fn without_other_rows_the_judged_ones_serve_each_other() {
    let dataset = dataset(&(0..12).map(|number| (number % 4, None)).collect::<Vec<_>>());
    let instances = Prioritization.instances(&dataset, 10, 42).unwrap();
    let examples = Prioritization.examples(&dataset, &instances, 3, 42).unwrap();
    assert_eq!(examples.source(), ExampleSource::LeaveOneOut);
    for instance in &instances {
        assert_eq!(examples.for_instance(instance).unwrap().len(), 3);
    }
}

#[test]
fn too_small_a_dataset_gives_none() {
    let dataset = dataset(&[(0, None), (1, None), (2, None)]);
    let instances = Triage.instances(&dataset, 10, 42).unwrap();
    let examples = Triage.examples(&dataset, &instances, 3, 42).unwrap();
    assert_eq!(examples.for_instance(&instances[0]), None);
}

#[test]
fn a_first_sentence_is_cut_at_a_word() {
    assert_eq!(first_sentence("One. Two."), "One.");
    assert_eq!(first_sentence("No stop\nnext line"), "No stop");
    let long = "word ".repeat(100);
    let cut = first_sentence(&long);
    assert!(cut.ends_with("word…") && cut.chars().count() <= 161, "{cut}");
    assert_eq!(first_sentence(&"é".repeat(300)).chars().count(), 161);
}

proptest! {
    #[test]
    fn no_instance_is_ever_its_own_example(
        rows in proptest::collection::vec((0usize..4, proptest::option::of(0usize..2)), 2..40),
        count in 1usize..40, shots in 1u32..9, seed in 0u64..1000,
    ) {
        let splits = [Split::Train, Split::Test];
        let rows: Vec<_> = rows.into_iter().map(|(class, split)| (class, split.map(|split| splits[split]))).collect();
        let dataset = dataset(&rows);
        let scenarios: [&dyn Scenario; 3] = [&Triage, &Estimation, &Prioritization];
        for scenario in scenarios {
            let Ok(instances) = scenario.instances(&dataset, count, seed) else { continue };
            let examples = scenario.examples(&dataset, &instances, shots, seed).unwrap();
            for instance in &instances {
                let judged = issue_texts(instance);
                let Some(shown) = examples.for_instance(instance) else { continue };
                prop_assert_eq!(shown.len(), shots as usize);
                let mut names = BTreeSet::new();
                for example in &shown {
                    prop_assert!(example.texts.iter().all(|text| !judged.contains(text)));
                    prop_assert!(names.insert(&example.name), "an example is shown twice");
                }
                prop_assert_eq!(examples.for_instance(instance), Some(shown));
            }
        }
    }
}
