//! One of several labels: F1 in its forms, accuracy, confusion.

use super::compute::Values;
use super::judge::{Group, Verdict, verdict};
use super::report::{ClassScore, Confusion};
use super::task::{Options, Task};
use crate::stats::Tally;

/// What is counted of one class. Floats, so that expected counts of a random judge fit too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ClassCounts {
    /// Records of the class answered so.
    pub(crate) hits: f64,
    /// Records answered so, of any class.
    pub(crate) predicted: f64,
    /// Records of the class.
    pub(crate) support: f64,
}

impl ClassCounts {
    pub(super) fn precision(&self) -> f64 {
        ratio_or_zero(self.hits, self.predicted)
    }
    pub(super) fn recall(&self) -> f64 {
        ratio_or_zero(self.hits, self.support)
    }
    /// 2·TP / (2·TP + FP + FN): the form that reproduces upstream's published scores to the last bit.
    pub(super) fn f1(&self) -> f64 {
        ratio_or_zero(2.0 * self.hits, self.predicted + self.support)
    }
}

fn ratio_or_zero(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Names of the scores in [`headline`]'s order.
pub(crate) const HEADLINE: [&str; 7] =
    ["f1_macro", "f1_weighted", "f1_micro", "accuracy", "balanced_accuracy", "precision_macro", "recall_macro"];

/// Scores over all classes, NaN without records.
pub(crate) fn headline(classes: &[ClassCounts]) -> [f64; HEADLINE.len()] {
    let records: f64 = classes.iter().map(|class| class.support).sum();
    if records == 0.0 {
        return [f64::NAN; HEADLINE.len()];
    }
    let hits: f64 = classes.iter().map(|class| class.hits).sum();
    let predicted: f64 = classes.iter().map(|class| class.predicted).sum();
    let f1_sum: f64 = classes.iter().map(ClassCounts::f1).sum();
    let f1_weighted: f64 = classes.iter().map(|class| class.f1() * class.support).sum();
    let precision_sum: f64 = classes.iter().map(ClassCounts::precision).sum();
    let occurring = classes.iter().filter(|class| class.support > 0.0);
    let recall_sum: f64 = occurring.clone().map(ClassCounts::recall).sum();
    [
        f1_sum / classes.len() as f64,
        f1_weighted / records,
        2.0 * hits / (predicted + records),
        hits / records,
        recall_sum / occurring.count() as f64,
        precision_sum / classes.len() as f64,
        recall_sum / classes.len() as f64,
    ]
}

/// Counts answers in a confusion matrix; an item is the index of its cell.
pub(super) struct ConfusionTally {
    labels: usize,
    /// Row-major, `labels` × (`labels` + 1).
    cells: Vec<u32>,
    classes: Vec<ClassCounts>,
}

impl ConfusionTally {
    pub(super) fn new(labels: usize) -> Self {
        Self { labels, cells: vec![0; labels * (labels + 1)], classes: vec![ClassCounts::default(); labels] }
    }

    /// The cell of a record, `None` if it is excluded. An answer that is no label lands in the last column.
    pub(super) fn cell(task: &Task, gold: &str, verdict: Verdict<'_>) -> Option<u32> {
        let labels = task.labels.len();
        let index = |text: &str| task.labels.iter().position(|label| label == text);
        let column = match verdict {
            Verdict::Answer(answer) => index(answer).unwrap_or(labels),
            Verdict::NoAnswer => labels,
            Verdict::Excluded => return None,
        };
        Some((index(gold)? * (labels + 1) + column) as u32)
    }

    /// The matrix as counted so far.
    pub(super) fn confusion(&self, task: &Task) -> Confusion {
        Confusion {
            labels: task.labels.clone(),
            rows: self.cells.chunks(self.labels + 1).map(<[u32]>::to_vec).collect(),
        }
    }

    /// The counts of each class as counted so far.
    pub(super) fn classes(&mut self) -> &[ClassCounts] {
        let columns = self.labels + 1;
        for (label, class) in self.classes.iter_mut().enumerate() {
            let row = &self.cells[label * columns..(label + 1) * columns];
            let column = self.cells.iter().skip(label).step_by(columns);
            *class = ClassCounts {
                hits: f64::from(row[label]),
                predicted: f64::from(column.sum::<u32>()),
                support: f64::from(row.iter().sum::<u32>()),
            };
        }
        &self.classes
    }
}

impl Tally for ConfusionTally {
    type Item = u32;

    fn clear(&mut self) {
        self.cells.fill(0);
    }

    fn add(&mut self, cell: &u32) {
        self.cells[*cell as usize] += 1;
    }

    fn read(&mut self, values: &mut [f64]) {
        let classes = self.classes();
        let scores = headline(classes);
        if scores[0].is_nan() {
            return values.fill(f64::NAN);
        }
        let (over_all, per_class) = values.split_at_mut(scores.len());
        over_all.copy_from_slice(&scores);
        for (class, values) in classes.iter().zip(per_class.chunks_exact_mut(3)) {
            values.copy_from_slice(&[class.precision(), class.recall(), class.f1()]);
        }
    }
}

/// The names of what [`ConfusionTally`] reads, in its order.
pub(super) fn names(task: &Task) -> Vec<String> {
    let by_class = task.labels.iter().flat_map(|label| {
        ["precision", "recall", "f1"].into_iter().map(move |part| format!("per_class.{label}.{part}"))
    });
    HEADLINE.into_iter().map(str::to_owned).chain(by_class).collect()
}

/// Scores one group: writes its metrics, gives its matrix and its classes.
pub(super) fn score(
    task: &Task,
    group: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
) -> (Confusion, Vec<ClassScore>) {
    let sample = group.sample(|record| ConfusionTally::cell(task, &record.gold, verdict(record, options.missing)));
    let n = sample.items().len();
    let mut tally = ConfusionTally::new(task.labels.len());
    let estimates = options.bootstrap.estimate(&sample, &mut tally, HEADLINE.len() + 3 * task.labels.len());
    let (over_all, by_class) = estimates.split_at(HEADLINE.len());
    for (name, estimate) in HEADLINE.iter().zip(over_all) {
        values.push(name, *estimate, n);
    }
    for (label, estimates) in task.labels.iter().zip(by_class.chunks_exact(3)) {
        for (part, estimate) in ["precision", "recall", "f1"].iter().zip(estimates) {
            values.push(&format!("per_class.{label}.{part}"), *estimate, n);
        }
    }
    tally.clear();
    sample.items().iter().for_each(|cell| tally.add(cell));
    let confusion = tally.confusion(task);
    let scores = task.labels.iter().zip(tally.classes()).map(|(label, class)| ClassScore {
        label: label.clone(),
        precision: class.precision(),
        recall: class.recall(),
        f1: class.f1(),
        support: class.support as u32,
        predicted: class.predicted as u32,
    });
    (confusion, scores.collect())
}
