//! One of several labels: F1 in its forms, accuracy, agreement beyond chance, confusion.

use super::agreement::{AGREEMENT, agreement};
use super::compute::Values;
use super::judge::{Group, Verdict, verdict};
use super::report::{ClassScore, Confusion};
use super::sampled::{Sampled, of_each};
use super::task::{MissingAnswers, Options, Task};
use crate::stats::Tally;
use puma_core::JobRecord;

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

/// The share of records whose right label is among the two most probable ones.
const TOP_2: &str = "top_2_accuracy";

/// What is said of every label.
const OF_A_CLASS: [&str; 3] = ["precision", "recall", "f1"];

/// Counts answers in a confusion matrix. An item is twice the index of its cell, plus 1 where the right label is among
/// the two most probable.
#[derive(Clone)]
pub(super) struct ConfusionTally {
    labels: usize,
    /// Row-major, `labels` × (`labels` + 1).
    cells: Vec<u32>,
    near: u32,
    /// Whether the records tell which labels are probable, and there are more than two.
    tells_near: bool,
    classes: Vec<ClassCounts>,
}

impl ConfusionTally {
    pub(super) fn new(labels: usize, tells_near: bool) -> Self {
        let cells = vec![0; labels * (labels + 1)];
        Self { labels, cells, near: 0, tells_near, classes: vec![ClassCounts::default(); labels] }
    }

    /// The item of a record, `None` if it is excluded. An answer that is no label lands in the last column.
    pub(super) fn item(task: &Task, record: &JobRecord, missing: MissingAnswers) -> Option<u32> {
        let labels = task.labels.len();
        let index = |text: &str| task.labels.iter().position(|label| label == text);
        let (column, near) = match verdict(record, missing) {
            Verdict::Answer(answer) => (index(answer).unwrap_or(labels), is_near(task, record, answer)),
            Verdict::NoAnswer => (labels, false),
            Verdict::Excluded => return None,
        };
        Some(((index(&record.gold)? * (labels + 1) + column) as u32) << 1 | u32::from(near))
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

    /// Records counted so far.
    pub(super) fn records(&self) -> u32 {
        self.cells.iter().sum()
    }
}

/// Whether the right label is among the two most probable ones; a tie at the border counts as missed. Without
/// probabilities only the answer itself is known to be near.
fn is_near(task: &Task, record: &JobRecord, answer: &str) -> bool {
    let probability = |label: &str| record.label_probabilities.get(label).copied().filter(|p| !p.is_nan());
    let Some(of_gold) = probability(&record.gold) else { return answer == record.gold };
    let others = task.labels.iter().filter(|label| **label != record.gold);
    others.filter(|label| probability(label).is_some_and(|p| p >= of_gold)).count() < 2
}

impl Tally for ConfusionTally {
    type Item = u32;

    fn clear(&mut self) {
        self.cells.fill(0);
        self.near = 0;
    }

    fn add(&mut self, item: &u32) {
        self.add_times(item, 1);
    }

    fn kind(&self, item: &u32) -> Option<u128> {
        Some(u128::from(*item))
    }

    fn add_times(&mut self, item: &u32, times: u32) {
        self.cells[(item >> 1) as usize] += times;
        self.near += (item & 1) * times;
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn read(&mut self, values: &mut [f64]) {
        let records = self.records();
        if records == 0 {
            return values.fill(f64::NAN);
        }
        let (over_all, per_class) = values.split_at_mut(HEADLINE.len() + AGREEMENT.len() + 1);
        let near = if self.tells_near { f64::from(self.near) / f64::from(records) } else { f64::NAN };
        let beyond_chance = agreement(&self.cells, self.labels);
        let classes = self.classes();
        over_all[..HEADLINE.len()].copy_from_slice(&headline(classes));
        over_all[HEADLINE.len()..HEADLINE.len() + AGREEMENT.len()].copy_from_slice(&beyond_chance);
        over_all[HEADLINE.len() + AGREEMENT.len()] = near;
        for (class, values) in classes.iter().zip(per_class.chunks_exact_mut(OF_A_CLASS.len())) {
            values.copy_from_slice(&[class.precision(), class.recall(), class.f1()]);
        }
    }
}

/// The answers of each instance's records, and the tally that reads them.
pub(super) fn answers(task: &Task, instances: &[&[&JobRecord]], missing: MissingAnswers) -> Sampled<ConfusionTally> {
    let items = of_each(instances, |record| ConfusionTally::item(task, record, missing));
    let mut records = instances.iter().flat_map(|records| records.iter());
    let tells_near = task.labels.len() > 2 && records.any(|record| !record.label_probabilities.is_empty());
    let over_all = HEADLINE.into_iter().chain(AGREEMENT).chain([TOP_2]).map(str::to_owned);
    let of_classes = task
        .labels
        .iter()
        .flat_map(|label| OF_A_CLASS.into_iter().map(move |part| format!("per_class.{label}.{part}")));
    let names: Vec<String> = over_all.chain(of_classes).collect();
    let n = items.iter().map(Vec::len).sum();
    let tally = ConfusionTally::new(task.labels.len(), tells_near);
    Sampled { counts: vec![n; names.len()], names, instances: items, tally }
}

/// Scores one group: writes its metrics, gives its matrix and its classes.
pub(super) fn score(
    task: &Task,
    group: &Group<'_>,
    options: &Options,
    values: &mut Values<'_, '_>,
) -> (Confusion, Vec<ClassScore>) {
    let instances: Vec<&[&JobRecord]> = group.instances().collect();
    let mut tally = answers(task, &instances, options.missing).score(&instances, options, values);
    let confusion = tally.confusion(task);
    let n = tally.records() as usize;
    let mut scores = Vec::with_capacity(task.labels.len());
    for (label, class) in task.labels.iter().zip(tally.classes()) {
        values.plain(&format!("per_class.{label}.support"), (n > 0).then_some(class.support), n);
        scores.push(ClassScore {
            label: label.clone(),
            precision: class.precision(),
            recall: class.recall(),
            f1: class.f1(),
            support: class.support as u32,
            predicted: class.predicted as u32,
        });
    }
    (confusion, scores)
}
