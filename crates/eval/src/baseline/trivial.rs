//! Judges that look at no text: constants and draws.

use super::answers::{Golds, Said, judged, reported};
use super::expected::{drawn_labels, mean_of};
use super::report::Baseline;
use crate::metric::{GuessErrors, Options, Task, number};
use crate::stats::median;
use puma_core::InstanceId;
use std::collections::BTreeMap;

const ITSELF: &str = "the judged data itself";
const NOTHING: &str = "nothing";

/// Constants and draws over labels.
pub(super) fn of_labels(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Baseline> {
    let position = |gold: &str| task.labels.iter().position(|label| label == gold);
    let judged_classes: Vec<usize> = golds.values().filter_map(|gold| position(gold)).collect();
    let (learned, basis) = if options.train_gold.is_empty() {
        (judged_classes.clone(), ITSELF.to_owned())
    } else {
        let classes: Vec<usize> = options.train_gold.iter().filter_map(|gold| position(gold)).collect();
        (classes, format!("train pool of {}", options.train_gold.len()))
    };
    let mut shares = vec![0.0; task.labels.len()];
    learned.iter().for_each(|class| shares[*class] += 1.0);
    shares.iter_mut().for_each(|share| *share /= learned.len() as f64);
    // Ties go to the first label.
    let most = (0..shares.len()).rev().max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(0);
    let constant = task.labels.get(most).map(|label| Said {
        answer: label.clone(),
        probabilities: task.labels.iter().cloned().zip(shares.iter().copied()).collect(),
    });
    let say = |_: &InstanceId| constant.clone();
    let metrics = reported(task.kind);
    let calibration = ["brier_multiclass", "log_loss"];
    let mut rows = judged(task, golds, options, ("most_frequent", &basis), metrics, say);
    rows.extend(judged(task, golds, options, ("prior", &basis), &calibration, say));
    rows.extend(drawn_labels(&judged_classes, &shares, &options.bootstrap, ("stratified", &basis)));
    let alike = vec![1.0 / task.labels.len() as f64; task.labels.len()];
    rows.extend(drawn_labels(&judged_classes, &alike, &options.bootstrap, ("uniform", NOTHING)));
    rows
}

/// Constants and draws over numbers.
pub(super) fn of_numbers(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Baseline> {
    let judged_golds: Vec<f64> = golds.values().filter_map(|gold| number(gold)).collect();
    let mut train: Vec<f64> = options.train_gold.iter().filter_map(|gold| number(gold)).collect();
    train.sort_unstable_by(f64::total_cmp);
    let mut sorted = judged_golds.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut rows = Vec::new();
    for (name, statistic) in [("median", median as fn(&[f64]) -> Option<f64>), ("mean", mean)] {
        let trained = statistic(&train);
        let basis = match trained {
            Some(_) => format!("train pool of {}", train.len()),
            None => "leave one out".to_owned(),
        };
        // Estimates take few values, so what is left out of the sample is worked out once for each.
        let mut left_out: BTreeMap<u64, Option<f64>> = BTreeMap::new();
        let guesses: BTreeMap<&InstanceId, Option<f64>> = golds
            .iter()
            .filter_map(|(id, gold)| Some((*id, number(gold)?)))
            .map(|(id, gold)| {
                let alone = || without(&sorted, gold, statistic);
                (id, trained.or_else(|| *left_out.entry(gold.to_bits()).or_insert_with(alone)))
            })
            .collect();
        // Without another instance there is nothing to learn, and so no such judge.
        if guesses.values().any(Option::is_none) {
            continue;
        }
        // The shortest decimal that reads back as the same number.
        let say = |id: &InstanceId| Some(Said::plain((*guesses.get(id)?)?.to_string()));
        rows.extend(judged(task, golds, options, (name, &basis), reported(task.kind), say));
    }
    let guess = GuessErrors::new(&judged_golds);
    let errors: Option<Vec<f64>> = judged_golds.iter().map(|gold| guess.of(*gold)).collect();
    let of = ("random_guess", "another judged instance");
    if let Some(guess) = errors.and_then(|errors| mean_of(&errors, &options.bootstrap, "mae", of)) {
        // It is the zero of that scale.
        let metric = "standardised_accuracy".to_owned();
        let zero = Baseline { metric, value: 0.0, ci_low: None, ci_high: None, ..guess.clone() };
        rows.extend([guess, zero]);
    }
    rows
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

/// A fixed place and a coin.
pub(super) fn of_pairs(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Baseline> {
    let say = |_: &InstanceId| Some(Said::plain("A"));
    let mut rows = judged(task, golds, options, ("always_a", NOTHING), reported(task.kind), say);
    // Whichever is right, half of the draws are: there is no doubt about it.
    rows.push(Baseline {
        name: "uniform".to_owned(),
        metric: "accuracy".to_owned(),
        value: 0.5,
        ci_low: None,
        ci_high: None,
        basis: NOTHING.to_owned(),
        n: golds.len(),
    });
    rows
}
