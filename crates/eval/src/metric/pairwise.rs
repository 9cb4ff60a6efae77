//! Which of two comes first: how often the answer is right, and whether the model prefers a place over a content.

use super::compute::Values;
use super::issues::issues_shown;
use super::judge::{Group, Verdict, verdict};
use super::report::Confusion;
use super::sampled::{Sampled, of_each};
use super::task::{MissingAnswers, Options, Task};
use crate::stats::Tally;
use puma_core::JobRecord;
use std::collections::BTreeMap;

/// The metrics in the tally's order.
const METRICS: [&str; 4] = ["accuracy", "pairwise_accuracy", "position_share_a", "position_bias"];

/// Right answers: A, B.
const GOLDS: usize = 2;
/// Given answers: A, B, none.
const ANSWERS: usize = 3;

/// What became of one pair.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    gold: usize,
    answer: usize,
    /// Both issues have the same priority, so neither answer is righter than the other.
    tie: bool,
}

/// Counts choices by right answer, given answer, and whether the pair is a tie.
#[derive(Clone, Default)]
pub(super) struct ChoiceTally {
    counts: [[[u32; 2]; ANSWERS]; GOLDS],
}

impl ChoiceTally {
    fn sum(&self, counted: impl Fn(&Choice) -> bool) -> f64 {
        let mut sum = 0;
        for (gold, answers) in self.counts.iter().enumerate() {
            for (answer, ties) in answers.iter().enumerate() {
                for (tie, count) in [false, true].into_iter().zip(ties) {
                    sum += if counted(&Choice { gold, answer, tie }) { *count } else { 0 };
                }
            }
        }
        f64::from(sum)
    }

    /// The matrix as counted so far.
    fn confusion(&self, task: &Task) -> Confusion {
        let row = |answers: &[[u32; 2]; ANSWERS]| answers.iter().map(|ties| ties.iter().sum()).collect();
        Confusion { labels: task.labels.clone(), rows: self.counts.iter().map(row).collect() }
    }
}

impl Tally for ChoiceTally {
    type Item = Choice;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, choice: &Choice) {
        self.add_times(choice, 1);
    }

    fn kind(&self, choice: &Choice) -> Option<u128> {
        Some(((choice.gold * ANSWERS + choice.answer) * 2 + usize::from(choice.tie)) as u128)
    }

    fn add_times(&mut self, choice: &Choice, times: u32) {
        self.counts[choice.gold][choice.answer][usize::from(choice.tie)] += times;
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn read(&mut self, values: &mut [f64]) {
        let all = self.sum(|_| true);
        let answered = |choice: &Choice| choice.answer < GOLDS;
        let right = |choice: &Choice| choice.answer == choice.gold;
        let half_right = self.sum(|choice| choice.tie && answered(choice)) / 2.0;
        let of_place = |place: usize| {
            let shown_there = self.sum(|choice| !choice.tie && choice.gold == place);
            self.sum(|choice| !choice.tie && choice.gold == place && right(choice)) / shown_there
        };
        // 0/0 is NaN, which is how a tally says "undefined".
        values.copy_from_slice(&[
            self.sum(right) / all,
            (self.sum(|choice| !choice.tie && right(choice)) + half_right) / all,
            self.sum(|choice| choice.answer == 0) / self.sum(answered),
            of_place(0) - of_place(1),
        ]);
    }
}

/// The choices of each instance's records, and the tally that reads them.
pub(super) fn choices(
    task: &Task,
    instances: &[&[&JobRecord]],
    missing: MissingAnswers,
    priorities: &BTreeMap<String, u32>,
) -> Sampled<ChoiceTally> {
    let place = |text: &str| task.labels.iter().position(|label| label == text);
    let items = of_each(instances, |record| {
        let answer = match verdict(record, missing) {
            Verdict::Answer(answer) => place(answer).unwrap_or(GOLDS),
            Verdict::NoAnswer => GOLDS,
            Verdict::Excluded => return None,
        };
        let tie = issues_shown(record, priorities).is_some_and(|[a, b]| priorities.get(a) == priorities.get(b));
        Some(Choice { gold: place(&record.gold)?, answer, tie })
    });
    let count = |counted: fn(&Choice) -> bool| items.iter().flatten().filter(|choice| counted(choice)).count();
    let all = count(|_| true);
    let counts = vec![all, all, count(|choice| choice.answer < GOLDS), count(|choice| !choice.tie)];
    Sampled { names: METRICS.map(str::to_owned).to_vec(), counts, instances: items, tally: ChoiceTally::default() }
}

/// Scores one group: writes its metrics, gives its matrix.
pub(super) fn score(task: &Task, group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> Confusion {
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    let sampled = choices(task, &instances, options.missing, &options.priorities);
    sampled.score(&instances, options, values).confusion(task)
}
