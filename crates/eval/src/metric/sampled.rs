//! What one family counts of every instance, and the tally that reads its statistics off the counts.

use super::compute::Values;
use super::task::Options;
use crate::stats::{Clustered, Tally};
use puma_core::{JobRecord, Outcome};

/// The statistics of one metric family over the instances of a group.
pub(super) struct Sampled<T: Tally> {
    /// The metrics, in the order in which the tally reads them.
    pub(super) names: Vec<String>,
    /// How many records each of them rests on.
    pub(super) counts: Vec<usize>,
    /// What is counted of each instance's records.
    pub(super) instances: Vec<Vec<T::Item>>,
    pub(super) tally: T,
}

impl<T: Tally> Sampled<T> {
    /// Writes every metric with its interval and gives back the tally, which then has counted each instance once.
    /// Instances whose every request failed in the backend are not drawn.
    pub(super) fn score(self, instances: &[&[&JobRecord]], options: &Options, values: &mut Values<'_, '_>) -> T {
        let Self { names, counts, instances: items, mut tally } = self;
        let mut sample = Clustered::default();
        for (records, items) in instances.iter().zip(items) {
            if records.iter().any(|record| is_completed(record)) {
                sample.push(items);
            }
        }
        let mut whole = vec![f64::NAN; names.len()];
        count(&mut tally, &sample);
        tally.read(&mut whole);
        // Resampling what is undefined on the whole tells nothing.
        if whole.iter().any(|value| !value.is_nan()) {
            let estimates = options.bootstrap.estimate(&sample, &mut tally, names.len());
            for ((name, n), estimate) in names.iter().zip(counts).zip(estimates) {
                values.push(name, estimate, n);
            }
            count(&mut tally, &sample);
        }
        tally
    }
}

fn count<T: Tally>(tally: &mut T, sample: &Clustered<T::Item>) {
    tally.clear();
    sample.items().iter().for_each(|item| tally.add(item));
}

/// Whether a backend completed the record.
pub(super) fn is_completed(record: &JobRecord) -> bool {
    record.outcome != Outcome::BackendFailed
}

/// What `item` makes of the completed records of each instance.
pub(super) fn of_each<'a, I>(instances: &[&[&'a JobRecord]], item: impl Fn(&'a JobRecord) -> Option<I>) -> Vec<Vec<I>> {
    let completed = |records: &[&'a JobRecord]| -> Vec<I> {
        records.iter().copied().filter(|record| is_completed(record)).filter_map(&item).collect()
    };
    instances.iter().map(|records| completed(records)).collect()
}
