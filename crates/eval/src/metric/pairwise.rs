//! Which of two comes first: accuracy, and whether the model prefers a place over a content.

use super::classification::ConfusionTally;
use super::compute::Values;
use super::judge::{Group, verdict};
use super::report::Confusion;
use super::task::{Options, Task};
use crate::stats::Tally;

/// Counts right answers and choices of `A`.
pub(super) struct PairTally(ConfusionTally);

impl PairTally {
    pub(super) fn new(task: &Task) -> Self {
        Self(ConfusionTally::new(task.labels.len()))
    }
}

impl Tally for PairTally {
    type Item = u32;

    fn clear(&mut self) {
        self.0.clear();
    }

    fn add(&mut self, cell: &u32) {
        self.0.add(cell);
    }

    fn read(&mut self, values: &mut [f64]) {
        let classes = self.0.classes();
        let records: f64 = classes.iter().map(|class| class.support).sum();
        let answered: f64 = classes.iter().map(|class| class.predicted).sum();
        let hits: f64 = classes.iter().map(|class| class.hits).sum();
        // 0/0 is NaN, which is how a tally says "undefined".
        values.copy_from_slice(&[hits / records, classes[0].predicted / answered]);
    }
}

/// Scores one group: writes its metrics, gives its matrix.
pub(super) fn score(task: &Task, group: &Group<'_>, options: &Options, values: &mut Values<'_, '_>) -> Confusion {
    let sample = group.sample(|record| ConfusionTally::cell(task, &record.gold, verdict(record, options.missing)));
    let n = sample.items().len();
    let mut tally = PairTally::new(task);
    let estimates = options.bootstrap.estimate(&sample, &mut tally, 2);
    tally.clear();
    sample.items().iter().for_each(|cell| tally.add(cell));
    let answered = tally.0.classes().iter().map(|class| class.predicted as usize).sum();
    values.push("accuracy", estimates[0], n);
    values.push("position_share_a", estimates[1], answered);
    tally.0.confusion(task)
}
