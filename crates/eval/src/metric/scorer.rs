//! The judged metrics of one group over any choice of its instances.
//!
//! Two judges are compared on the same draws of the same instances, so their metrics must be computable for a draw that
//! somebody else made. [`Scorer`] is that: the tallies of the metric families behind one call.

use super::calibration::{BetTally, bet};
use super::classification::{self, ConfusionTally};
use super::judge::verdict;
use super::pairwise::PairTally;
use super::regression;
use super::task::{MissingAnswers, Task, TaskKind};
use crate::stats::Tally;
use puma_core::{JobRecord, Outcome};

/// Reads the judged metrics (accuracy, errors, calibration) of draws of instances.
pub struct Scorer {
    names: Vec<String>,
    families: Vec<Box<dyn Sampled>>,
}

/// The statistics of one metric family over the instances of a group.
trait Sampled {
    /// How many statistics there are.
    fn width(&self) -> usize;
    /// How many records they rest on.
    fn count(&self) -> usize;
    /// Writes the statistics over the instances in `draw`, each counted as often as it stands there.
    fn read(&mut self, draw: &[u32], values: &mut [f64]);
}

struct FamilySample<T: Tally> {
    instances: Vec<Vec<T::Item>>,
    tally: T,
    width: usize,
}

impl<T: Tally> Sampled for FamilySample<T> {
    fn width(&self) -> usize {
        self.width
    }

    fn count(&self) -> usize {
        self.instances.iter().map(Vec::len).sum()
    }

    fn read(&mut self, draw: &[u32], values: &mut [f64]) {
        self.tally.clear();
        for instance in draw {
            self.instances[*instance as usize].iter().for_each(|item| self.tally.add(item));
        }
        self.tally.read(values);
    }
}

impl Scorer {
    /// Takes the records of each instance, in an order the draws refer to. Requests that failed in the backend count for
    /// nothing; answers that could not be read count as `missing` says, in errors of numbers they are left out.
    pub fn new(task: &Task, instances: &[Vec<&JobRecord>], missing: MissingAnswers) -> Self {
        let mut scorer = Self { names: Vec::new(), families: Vec::new() };
        match task.kind {
            TaskKind::Classification => {
                let items = of_each(instances, |r| ConfusionTally::cell(task, &r.gold, verdict(r, missing)));
                scorer.push(classification::names(task), items, ConfusionTally::new(task.labels.len()));
            }
            TaskKind::Regression => {
                let records: Vec<&[&JobRecord]> = instances.iter().map(Vec::as_slice).collect();
                let (items, tally) = regression::errors(&records, missing);
                scorer.push(regression::names(), items, tally);
            }
            TaskKind::Pairwise => {
                let items = of_each(instances, |r| ConfusionTally::cell(task, &r.gold, verdict(r, missing)));
                let names = ["accuracy", "position_share_a"].map(str::to_owned).to_vec();
                scorer.push(names, items, PairTally::new(task));
            }
        }
        let names = ["ece", "ece_10", "mce", "brier"].map(str::to_owned).to_vec();
        scorer.push(names, of_each(instances, |record| bet(task, record)), BetTally::default());
        scorer
    }

    fn push<T: Tally + 'static>(&mut self, names: Vec<String>, instances: Vec<Vec<T::Item>>, tally: T) {
        self.families.push(Box::new(FamilySample { instances, tally, width: names.len() }));
        self.names.extend(names);
    }

    /// The names of the metrics, in the order in which they are read.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many records each metric rests on.
    pub fn counts(&self) -> Vec<usize> {
        self.families.iter().flat_map(|family| std::iter::repeat_n(family.count(), family.width())).collect()
    }

    /// Writes each metric over the instances in `draw` (indices, each counted as often as it stands there); NaN where it
    /// is undefined. `values` has room for every name.
    pub fn read(&mut self, draw: &[u32], values: &mut [f64]) {
        let mut rest = values;
        for family in &mut self.families {
            let (own, others) = rest.split_at_mut(family.width());
            family.read(draw, own);
            rest = others;
        }
    }
}

fn of_each<'a, I>(instances: &[Vec<&'a JobRecord>], item: impl Fn(&'a JobRecord) -> Option<I>) -> Vec<Vec<I>> {
    let completed = |record: &&&'a JobRecord| record.outcome != Outcome::BackendFailed;
    instances
        .iter()
        .map(|records| records.iter().filter(completed).filter_map(|record| item(record)).collect())
        .collect()
}
