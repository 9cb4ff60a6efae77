//! Disturbances of a run and the jobs they touched.

use puma_core::measure::{Contamination, Disturbance, SessionMeasurement, Severity};
use puma_core::{JobId, JobRecord, Timestamp};
use serde::Serialize;

/// Whether a run's speed and energy may be compared with others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthSummary {
    /// True when a major disturbance touched the run: speed and energy say nothing of the model.
    pub void: bool,
    /// Every stretch of disturbance, oldest first, with how many jobs it touched.
    pub disturbances: Vec<DisturbedJobs>,
    /// Jobs that any of them touched.
    pub jobs_touched: usize,
    /// What could not be watched, and why.
    pub unavailable: Vec<String>,
}

/// One disturbance and its jobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DisturbedJobs {
    pub kind: Disturbance,
    pub severity: Severity,
    pub from: Timestamp,
    pub until: Timestamp,
    pub detail: String,
    pub jobs: Vec<JobId>,
}

/// Finds the jobs that ran during each disturbance; `None` if no session watched the machine.
pub fn health(sessions: &[SessionMeasurement], records: &[JobRecord]) -> Option<HealthSummary> {
    let reports: Vec<_> = sessions.iter().filter_map(|session| session.health.as_ref()).collect();
    if reports.is_empty() {
        return None;
    }
    let disturbances: Vec<DisturbedJobs> = reports
        .iter()
        .flat_map(|report| &report.contaminations)
        .map(|found| DisturbedJobs {
            kind: found.kind,
            severity: found.severity,
            from: found.from,
            until: found.until,
            detail: found.detail.clone(),
            jobs: records
                .iter()
                .filter(|record| ran_during(record, found))
                .map(|record| record.job_id.clone())
                .collect(),
        })
        .collect();
    let mut touched: Vec<&JobId> = disturbances.iter().flat_map(|disturbance| &disturbance.jobs).collect();
    touched.sort();
    touched.dedup();
    let mut unavailable: Vec<String> = Vec::new();
    for reason in reports.iter().flat_map(|report| &report.unavailable) {
        if !unavailable.contains(reason) {
            unavailable.push(reason.clone());
        }
    }
    let void = disturbances.iter().any(|found| found.severity == Severity::Major);
    Some(HealthSummary { void, jobs_touched: touched.len(), disturbances, unavailable })
}

/// A job that was answered from the cache cannot be disturbed.
fn ran_during(record: &JobRecord, found: &Contamination) -> bool {
    let asked = record.completions.is_empty() || record.completions.iter().any(|completion| !completion.from_cache);
    asked && record.started_at <= found.until && record.finished_at >= found.from
}
