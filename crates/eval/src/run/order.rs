//! In which order jobs are asked. It must not change any result; that it does not is tested.

use crate::plan::{Job, Plan};
use puma_core::JobId;
use puma_core::canon::sha256_hex;
use std::collections::BTreeSet;

/// The order of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobOrder {
    /// As planned: the order in which prompts share their beginnings.
    #[default]
    Given,
    /// Shuffled within each model, to show that order does not matter.
    Shuffled(u64),
}

/// The jobs left to do, model by model so that no model is loaded twice.
pub(super) fn jobs_to_do<'a>(plan: &'a Plan, finished: &BTreeSet<JobId>, order: JobOrder) -> Vec<&'a Job> {
    let mut jobs: Vec<&Job> = plan.jobs.iter().filter(|job| !finished.contains(&job.id)).collect();
    if let JobOrder::Shuffled(seed) = order {
        jobs.sort_by_cached_key(|job| (job.model, sha256_hex(format!("{seed}:{}", job.id).as_bytes())));
    }
    jobs
}
