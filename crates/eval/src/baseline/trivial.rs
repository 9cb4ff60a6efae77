//! Judges that look at no text: constants and draws.

use super::judge::{Golds, Judge, Said, Says, reported};
use super::score::positions;
use crate::metric::{GuessErrors, Options, Task, TaskKind, number};
use crate::stats::median;
use puma_core::InstanceId;
use std::collections::BTreeMap;

const ITSELF: &str = "the judged data itself";
const NOTHING: &str = "nothing";

/// Constants and draws over labels.
pub(super) fn of_labels(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Judge> {
    let position = |gold: &String| task.labels.iter().position(|label| label == gold);
    let (learned, basis) = if options.train_gold.is_empty() {
        (positions(task, golds), ITSELF.to_owned())
    } else {
        let classes: Vec<usize> = options.train_gold.iter().filter_map(position).collect();
        (classes, format!("train pool of {}", options.train_gold.len()))
    };
    let mut shares = vec![0.0; task.labels.len()];
    learned.iter().for_each(|class| shares[*class] += 1.0);
    shares.iter_mut().for_each(|share| *share /= learned.len() as f64);
    // Ties go to the first label.
    let most = (0..shares.len()).rev().max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(0);
    let constant = Said {
        answer: task.labels.get(most).cloned().unwrap_or_default(),
        probabilities: task.labels.iter().cloned().zip(shares.iter().copied()).collect(),
    };
    let answers = || Says::Answers(golds.keys().map(|id| ((*id).clone(), constant.clone())).collect());
    let headline = reported(TaskKind::Classification);
    let alike = vec![1.0 / task.labels.len() as f64; task.labels.len()];
    vec![
        judge("most_frequent", &basis, headline, answers()),
        judge("prior", &basis, &["brier_multiclass", "log_loss"], answers()),
        judge("stratified", &basis, headline, Says::Draws(shares)),
        judge("uniform", NOTHING, headline, Says::Draws(alike)),
    ]
}

fn judge(name: &str, basis: &str, metrics: &'static [&'static str], says: Says) -> Judge {
    Judge { name: name.to_owned(), basis: basis.to_owned(), metrics, says }
}

/// Constants and draws over numbers.
pub(super) fn of_numbers(golds: &Golds<'_>, options: &Options) -> Vec<Judge> {
    let judged: BTreeMap<&InstanceId, f64> = golds.iter().filter_map(|(id, gold)| Some((*id, number(gold)?))).collect();
    let ascending = |values: Vec<f64>| {
        let mut values = values;
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let train = ascending(options.train_gold.iter().filter_map(|gold| number(gold)).collect());
    let sorted = ascending(judged.values().copied().collect());
    let mut judges = Vec::new();
    for (name, statistic) in [("median", median as fn(&[f64]) -> Option<f64>), ("mean", mean)] {
        let trained = statistic(&train);
        let basis = match trained {
            Some(_) => format!("train pool of {}", train.len()),
            None => "leave one out".to_owned(),
        };
        // Estimates take few values, so what is left out of the sample is worked out once for each.
        let mut left_out: BTreeMap<u64, Option<f64>> = BTreeMap::new();
        let mut guess = |gold: f64| {
            let alone = || without(&sorted, gold, statistic);
            trained.or_else(|| *left_out.entry(gold.to_bits()).or_insert_with(alone))
        };
        // The shortest decimal that reads back as the same number. Without another instance there is nothing to learn,
        // and so no such judge.
        let answers: Option<BTreeMap<InstanceId, Said>> =
            judged.iter().map(|(id, gold)| Some(((*id).clone(), Said::plain(guess(*gold)?.to_string())))).collect();
        judges.extend(answers.map(|said| judge(name, &basis, reported(TaskKind::Regression), Says::Answers(said))));
    }
    let guess = GuessErrors::new(&sorted);
    let errors: Option<BTreeMap<InstanceId, f64>> =
        judged.iter().map(|(id, gold)| Some(((*id).clone(), guess.of(*gold)?))).collect();
    let basis = "another judged instance";
    judges.extend(
        errors.map(|errors| judge("random_guess", basis, reported(TaskKind::Regression), Says::Errors(errors))),
    );
    judges
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
pub(super) fn of_pairs(golds: &Golds<'_>) -> Vec<Judge> {
    let first = golds.keys().map(|id| ((*id).clone(), Said::plain("A"))).collect();
    let metrics = reported(TaskKind::Pairwise);
    vec![
        judge("always_a", NOTHING, metrics, Says::Answers(first)),
        judge("uniform", NOTHING, metrics, Says::Draws(vec![0.5, 0.5])),
    ]
}
