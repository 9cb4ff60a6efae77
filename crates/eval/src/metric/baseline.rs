//! What trivial judges reach on the same instances: the floor under every score.

use super::classification::{ClassCounts, HEADLINE, headline};
use super::judge::number;
use super::regression::GuessErrors;
use super::report::Baseline;
use super::task::{Options, Task, TaskKind};
use crate::stats::median;
use puma_core::JobRecord;
use std::collections::BTreeMap;

/// The baselines of the distinct instances in `records`, whether they were answered or not.
pub(super) fn baselines(task: &Task, records: &[JobRecord], options: &Options) -> Vec<Baseline> {
    let golds: BTreeMap<_, &str> = records.iter().map(|record| (&record.instance_id, record.gold.as_str())).collect();
    let golds: Vec<&str> = golds.into_values().collect();
    if golds.is_empty() {
        return Vec::new();
    }
    match task.kind {
        TaskKind::Classification => of_labels(task, &golds, &options.train_gold),
        TaskKind::Regression => of_numbers(&golds, &options.train_gold),
        TaskKind::Pairwise => of_pairs(&golds),
    }
}

fn of_labels(task: &Task, golds: &[&str], train_gold: &[String]) -> Vec<Baseline> {
    let count = |golds: &mut dyn Iterator<Item = &str>| {
        let mut counts = vec![0.0; task.labels.len()];
        for gold in golds {
            if let Some(index) = task.labels.iter().position(|label| label == gold) {
                counts[index] += 1.0;
            }
        }
        counts
    };
    let support = count(&mut golds.iter().copied());
    let (learned, basis) = if train_gold.is_empty() {
        (support.clone(), "the judged data itself".to_owned())
    } else {
        (count(&mut train_gold.iter().map(String::as_str)), format!("train pool of {}", train_gold.len()))
    };
    let labels = task.labels.len() as f64;
    let total: f64 = learned.iter().sum();
    // Ties go to the first label.
    let most = (0..learned.len()).rev().max_by(|a, b| learned[*a].total_cmp(&learned[*b])).unwrap_or(0);
    let judges = [
        (
            "majority_class",
            (0..learned.len()).map(|i| if i == most { 1.0 } else { 0.0 }).collect::<Vec<f64>>(),
            &*basis,
        ),
        ("class_prior", learned.iter().map(|count| count / total).collect(), &*basis),
        ("uniform_random", vec![1.0 / labels; learned.len()], "nothing"),
    ];
    let mut baselines = Vec::new();
    for (name, guess, basis) in judges {
        let classes: Vec<ClassCounts> = support
            .iter()
            .zip(&guess)
            .map(|(support, guess)| ClassCounts {
                hits: support * guess,
                predicted: golds.len() as f64 * guess,
                support: *support,
            })
            .collect();
        for (metric, value) in HEADLINE.iter().zip(headline(&classes)) {
            baselines.push(baseline(name, metric, value, basis, golds.len()));
        }
    }
    baselines
}

fn of_numbers(golds: &[&str], train_gold: &[String]) -> Vec<Baseline> {
    let golds: Vec<f64> = golds.iter().filter_map(|gold| number(gold)).collect();
    let mut train: Vec<f64> = train_gold.iter().filter_map(|gold| number(gold)).collect();
    train.sort_unstable_by(f64::total_cmp);
    let mut sorted = golds.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut baselines = Vec::new();
    for (name, statistic) in [("median", median as fn(&[f64]) -> Option<f64>), ("mean", mean)] {
        let (guesses, basis) = match statistic(&train) {
            Some(guess) => (vec![Some(guess); golds.len()], format!("train pool of {}", train.len())),
            None => (leave_one_out(&golds, &sorted, statistic), "leave one out".to_owned()),
        };
        let errors: Option<Vec<f64>> =
            golds.iter().zip(guesses).map(|(gold, guess)| Some((guess? - gold).abs())).collect();
        let Some(mut errors) = errors else { continue };
        errors.sort_unstable_by(f64::total_cmp);
        let squares: Vec<f64> = errors.iter().map(|error| error * error).collect();
        for (metric, value) in
            [("mae", mean(&errors)), ("mdae", median(&errors)), ("rmse", mean(&squares).map(f64::sqrt))]
        {
            baselines.extend(value.map(|value| baseline(name, metric, value, &basis, golds.len())));
        }
    }
    let guess = GuessErrors::new(&golds).mean();
    baselines.extend(guess.map(|mae| baseline("random_guess", "mae", mae, "another judged instance", golds.len())));
    baselines
}

/// For each gold the statistic of the others. Estimates take few values, so each value is worked out once.
fn leave_one_out(golds: &[f64], sorted: &[f64], statistic: fn(&[f64]) -> Option<f64>) -> Vec<Option<f64>> {
    let mut known: BTreeMap<u64, Option<f64>> = BTreeMap::new();
    golds.iter().map(|gold| *known.entry(gold.to_bits()).or_insert_with(|| without(sorted, *gold, statistic))).collect()
}

/// The statistic of ascending `sorted` without one occurrence of `gold`.
fn without(sorted: &[f64], gold: f64, statistic: fn(&[f64]) -> Option<f64>) -> Option<f64> {
    let place = sorted.partition_point(|value| *value < gold);
    let others: Vec<f64> = [&sorted[..place], &sorted[place + 1..]].concat();
    statistic(&others)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn of_pairs(golds: &[&str]) -> Vec<Baseline> {
    let n = golds.len();
    let first = golds.iter().filter(|gold| **gold == "A").count() as f64 / n as f64;
    vec![
        baseline("always_a", "accuracy", first, "nothing", n),
        baseline("uniform_random", "accuracy", 0.5, "nothing", n),
    ]
}

fn baseline(name: &str, metric: &str, value: f64, basis: &str, n: usize) -> Baseline {
    Baseline { name: name.to_owned(), metric: metric.to_owned(), value, basis: basis.to_owned(), n }
}
