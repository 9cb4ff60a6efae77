//! Scoring 10,000 records with 1,000 resamples, for each kind of answer.
//!
//! `cargo bench -p puma-eval`; the item counter is records.

#[path = "../tests/metric_records/build.rs"]
#[expect(dead_code, reason = "the tests compare values, a benchmark does not")]
mod build;

use build::Records;
use divan::counter::ItemsCount;
use puma_core::JobRecord;
use puma_eval::metric::{MetricReport, Options, Task, compute};

const RECORDS: usize = 10_000;
const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5)]
fn classification(bencher: divan::Bencher<'_, '_>) {
    let latencies: Vec<f64> = (0..RECORDS).map(|i| (i * 7919 % 10_007) as f64).collect();
    let golds: Vec<&str> = (0..RECORDS).map(|i| LABELS[i % 4]).collect();
    let answers: Vec<Option<&str>> = (0..RECORDS).map(|i| LABELS.get(i * 7 % 5).copied()).collect();
    let mut records = Records::new(&golds, &answers).with_latencies(&latencies).records;
    for (record, ms) in records.iter_mut().zip(&latencies) {
        record.confidence = Some(ms / 10_007.0);
        record.label_probabilities = LABELS.iter().map(|label| ((*label).to_owned(), 0.2)).collect();
    }
    score(bencher, &Task::classification(LABELS), &records);
}

#[divan::bench(sample_count = 5)]
fn regression(bencher: divan::Bencher<'_, '_>) {
    let golds: Vec<String> = (0..RECORDS).map(|i| ((i * 31 % 89) + 1).to_string()).collect();
    let answers: Vec<Option<&String>> = golds.iter().rev().map(Some).collect();
    score(bencher, &Task::regression(["1"]), &Records::new(&golds, &answers).records);
}

fn score(bencher: divan::Bencher<'_, '_>, task: &Task, records: &[JobRecord]) {
    let run = || -> MetricReport { compute(task, records, &Options::default()).expect("the answers fit the task") };
    bencher.counter(ItemsCount::new(records.len())).bench(run);
}
