//! Every baseline of a set of instances.

use super::expected::{DrawTally, MeanTally, one_each};
use super::judge::{Golds, Judge, Said, Says, record, reported};
use super::report::Baseline;
use super::trivial::{of_labels, of_numbers, of_pairs};
use crate::metric::{MissingAnswers, Options, Task, TaskKind, scores};
use crate::stats::Estimate;
use puma_core::JobRecord;

/// The baselines of the instances in `golds`. Trivial ones learn from [`Options::train_gold`]; without it labels learn
/// from the judged data itself, and numbers from the other instances. Those that read the text come from
/// [`Options::baseline_answers`].
///
/// The right answers must fit the task; [`compute`](crate::metric::compute) checks that.
pub fn baselines(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Baseline> {
    judges(task, golds, options).iter().flat_map(|judge| scored(task, golds, options, judge)).collect()
}

/// Every judge there is for the task.
pub(super) fn judges(task: &Task, golds: &Golds<'_>, options: &Options) -> Vec<Judge> {
    if golds.is_empty() {
        return Vec::new();
    }
    let mut judges = match task.kind {
        TaskKind::Classification => of_labels(task, golds, options),
        TaskKind::Regression => of_numbers(golds, options),
        TaskKind::Pairwise => of_pairs(golds),
    };
    for kept in &options.baseline_answers {
        let answers = golds.keys().filter_map(|id| kept.answers.get_key_value(*id));
        let answers: std::collections::BTreeMap<_, _> =
            answers.map(|(id, answer)| (id.clone(), Said::plain(answer))).collect();
        if !answers.is_empty() {
            let (name, basis) = (kept.name.clone(), kept.basis.clone());
            judges.push(Judge { name, basis, metrics: reported(task.kind), says: Says::Answers(answers) });
        }
    }
    judges
}

fn scored(task: &Task, golds: &Golds<'_>, options: &Options, judge: &Judge) -> Vec<Baseline> {
    let row = |metric: &str, estimate: Estimate| {
        let value = estimate.value.filter(|_| judge.metrics.contains(&metric))?;
        Some(Baseline {
            name: judge.name.clone(),
            metric: metric.to_owned(),
            value,
            ci_low: estimate.interval.map(|(low, _)| low),
            ci_high: estimate.interval.map(|(_, high)| high),
            basis: judge.basis.clone(),
            n: golds.len(),
        })
    };
    match &judge.says {
        Says::Answers(answers) => {
            let records: Vec<JobRecord> = golds.iter().map(|(id, gold)| record(id, gold, answers.get(*id))).collect();
            // What upstream leaves out are answers of models.
            let options = Options { missing: MissingAnswers::Wrong, ..options.clone() };
            let values = scores(task, &records, &options).into_iter();
            values
                .filter_map(|value| {
                    let interval = value.ci_low.zip(value.ci_high);
                    row(&value.name, Estimate { value: Some(value.value), interval, ..Estimate::default() })
                })
                .collect()
        }
        Says::Draws(draws) => {
            let sample = one_each(positions(task, golds));
            let count = DrawTally::METRICS.len();
            let estimates = options.bootstrap.estimate(&sample, &mut DrawTally::new(draws), count);
            DrawTally::METRICS.iter().zip(estimates).filter_map(|(metric, estimate)| row(metric, estimate)).collect()
        }
        Says::Errors(errors) => {
            let sample = one_each(errors.values().copied());
            let mae = options.bootstrap.estimate(&sample, &mut MeanTally::default(), 1)[0];
            // Guessing is the zero of standardised accuracy.
            let zero = Estimate { value: mae.value.map(|_| 0.0), ..Estimate::default() };
            [row("mae", mae), row("standardised_accuracy", zero)].into_iter().flatten().collect()
        }
    }
}

/// The position of each right answer among the labels.
pub(super) fn positions(task: &Task, golds: &Golds<'_>) -> Vec<usize> {
    golds.values().filter_map(|gold| task.labels.iter().position(|label| label == gold)).collect()
}
