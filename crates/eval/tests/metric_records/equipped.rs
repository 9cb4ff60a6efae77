//! Runs of each kind of task whose records hold everything that some metric looks at.

use super::build::{Records, completion};
use puma_core::{InstanceId, JobRecord, Millis, Timestamp};
use puma_eval::metric::{Options, Task};
use puma_eval::stats::Bootstrap;
use std::collections::BTreeMap;

/// Records with the task and the options to score them by.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) task: Task,
    pub(crate) options: Options,
    pub(crate) records: Vec<JobRecord>,
}

/// A run of each kind of task. In each, some answers are right, some wrong, one is missing, and each right one can be
/// taken away without emptying a class or a bin.
pub(crate) fn runs() -> Vec<Run> {
    vec![triage(), estimation(), prioritization()]
}

fn options(resamples: u32) -> Options {
    Options { bootstrap: Bootstrap { resamples, seed: 42, confidence: 0.95 }, ..Options::default() }
}

fn triage() -> Run {
    let labels = ["Critical", "Major", "Minor", "Trivial"];
    let golds: Vec<&str> = (0..20).map(|i| labels[i % 4]).collect();
    let answers: Vec<Option<&str>> = (0..20)
        .map(|i| match i {
            2 | 8 => Some(labels[(i + 1) % 4]),
            14 => None,
            i => Some(labels[i % 4]),
        })
        .collect();
    let mut records = equip(Records::new(&golds, &answers).records);
    for (index, record) in records.iter_mut().enumerate() {
        let sure = 0.4 + 0.02 * index as f64;
        let favourite = record.answer.clone().unwrap_or_else(|| record.gold.clone());
        let rest = |place: usize| (1.0 - sure) * [0.5, 0.3, 0.2][place % 3];
        record.label_probabilities = labels
            .iter()
            .enumerate()
            .map(|(place, label)| ((*label).to_owned(), if **label == *favourite { sure } else { rest(place + index) }))
            .collect();
        record.confidence = record.answer.is_some().then_some(sure);
    }
    Run { task: Task::classification(labels), options: options(10), records }
}

fn estimation() -> Run {
    let golds: Vec<String> = (0..20).map(|i| ["2", "5", "13", "34"][i % 4].to_owned()).collect();
    let answers: Vec<Option<String>> = (0..20)
        .map(|i| match i {
            1 | 6 | 11 => Some("8".to_owned()),
            15 => None,
            i => Some(golds[i].clone()),
        })
        .collect();
    let mut records = equip(Records::new(&golds, &answers).records);
    for (index, record) in records.iter_mut().enumerate() {
        record.confidence = record.answer.is_some().then_some(0.3 + 0.03 * index as f64);
        let deck = ["2", "5", "8", "13", "34"];
        record.label_probabilities = deck.iter().map(|card| ((*card).to_owned(), 0.19)).collect();
    }
    Run { task: Task::regression(["2", "5", "8", "13", "34"]), options: options(10), records }
}

/// Ten pairs, each in both orders.
fn prioritization() -> Run {
    let straight: Vec<(String, &str, Option<&str>)> = (0..10)
        .map(|i| {
            let gold = if i % 2 == 0 { "A" } else { "B" };
            let answer = match i {
                2 => Some("B"),
                5 => Some("A"),
                7 => None,
                _ => Some(gold),
            };
            (format!("P-{}|P-{}", i, (i + 3) % 10), gold, answer)
        })
        .collect();
    let other = |place: &str| if place == "A" { "B" } else { "A" };
    let golds: Vec<&str> = straight.iter().map(|(_, gold, _)| *gold).collect();
    let answers: Vec<Option<&str>> = straight.iter().map(|(_, _, answer)| *answer).collect();
    let turned: Vec<&str> = golds.iter().map(|gold| other(gold)).collect();
    let steady: Vec<Option<&str>> = answers.iter().map(|answer| answer.map(other)).collect();
    let mut swapped = Records::new(&turned, &steady).records;
    swapped.iter_mut().for_each(|record| record.perturbation = Some("pair_swap".to_owned()));
    let mut records = equip(Records::new(&golds, &answers).records);
    records.extend(equip(swapped));
    for (index, record) in records.iter_mut().enumerate() {
        record.instance_id = InstanceId::new(straight[index % 10].0.clone());
        record.confidence = record.answer.is_some().then_some(0.5 + 0.04 * (index % 10) as f64);
        record.label_probabilities = BTreeMap::from([("A".to_owned(), 0.6), ("B".to_owned(), 0.4)]);
    }
    let priorities = (0..10).map(|i| (format!("P-{i}"), i % 4)).collect();
    Run { task: Task::pairwise(), options: Options { priorities, ..options(10) }, records }
}

/// Gives every record a project, tokens, and times in every phase.
fn equip(mut records: Vec<JobRecord>) -> Vec<JobRecord> {
    for (index, record) in records.iter_mut().enumerate() {
        let start = 1_000 + 100 * index as i64;
        (record.started_at, record.finished_at) = (Timestamp(start), Timestamp(start + 90));
        record.group = Some(["MESOS", "XD"][index % 2].to_owned());
        let mut answer = completion(80.0 + index as f64);
        answer.phases.load_ms = Some(Millis(1.0));
        answer.phases.prompt_ms = Some(Millis(20.0));
        answer.phases.generation_ms = Some(Millis(50.0 + index as f64));
        answer.phases.first_token_ms = Some(Millis(22.0));
        record.completions = vec![answer];
    }
    records
}
