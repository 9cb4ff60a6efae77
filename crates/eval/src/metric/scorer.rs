//! The judged metrics of one group over any choice of its instances.
//!
//! Two judges are compared on the same draws of the same instances, so their metrics must be computable for a draw that
//! somebody else made. [`Scorer`] is that: the tallies of the metric families behind one call.

use super::sampled::Sampled;
use super::task::{MissingAnswers, Task, TaskKind};
use super::{calibration, classification, pairwise, regression};
use crate::stats::Tally;
use puma_core::JobRecord;
use std::collections::BTreeMap;

/// Reads the judged metrics (accuracy, errors, calibration) of draws of instances.
pub struct Scorer {
    names: Vec<String>,
    counts: Vec<usize>,
    /// Each family with the number of its statistics.
    families: Vec<(Box<dyn Family>, usize)>,
}

/// One metric family over the instances of a group.
trait Family {
    /// Writes the statistics over the instances in `draw`, each counted as often as it stands there.
    fn read(&mut self, draw: &[u32], values: &mut [f64]);
}

impl<T: Tally> Family for Sampled<T> {
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
        let records: Vec<&[&JobRecord]> = instances.iter().map(Vec::as_slice).collect();
        let mut scorer = Self { names: Vec::new(), counts: Vec::new(), families: Vec::new() };
        match task.kind {
            TaskKind::Classification => scorer.push(classification::answers(task, &records, missing)),
            TaskKind::Regression => scorer.push(regression::errors(&records, missing)),
            // Which pairs are ties is told by the data, not by the records.
            TaskKind::Pairwise => scorer.push(pairwise::choices(task, &records, missing, &BTreeMap::new())),
        }
        scorer.push(calibration::bets(task, &records, missing).0);
        scorer
    }

    fn push<T: Tally + 'static>(&mut self, family: Sampled<T>)
    where
        T::Item: 'static,
    {
        self.names.extend(family.names.iter().cloned());
        self.counts.extend(&family.counts);
        let width = family.names.len();
        self.families.push((Box::new(family), width));
    }

    /// The names of the metrics, in the order in which they are read.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many records each metric rests on.
    pub fn counts(&self) -> Vec<usize> {
        self.counts.clone()
    }

    /// Writes each metric over the instances in `draw` (indices, each counted as often as it stands there); NaN where it
    /// is undefined. `values` has room for every name.
    pub fn read(&mut self, draw: &[u32], values: &mut [f64]) {
        let mut rest = values;
        for (family, width) in &mut self.families {
            let (own, others) = rest.split_at_mut(*width);
            family.read(draw, own);
            rest = others;
        }
    }
}
