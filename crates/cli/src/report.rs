//! The machine-readable shape of a run: what `run`, `show` and `quickstart` print with `--json`.

use puma_core::event::DatasetIdentity;
use puma_core::{BackendIdentity, JobRecord, ModelIdentity, Outcome, RecordedRun, RunStatus};
use puma_eval::baseline::AgainstBaseline;
use puma_eval::measured::{self, EnergySummary, HealthSummary};
use puma_eval::metric::{
    Baseline, CounterfactualReport, DivisionReport, GroupReport, MetricReport, MetricValue, OutcomeCounts,
    RobustnessReport, StabilityReport, Task,
};
use puma_eval::run::{logprobs_digest, predictions_summary_hash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run and everything measured on it. Documented in `docs/reference/json.md`.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    pub run_id: String,
    pub status: RunStatus,
    /// False while jobs are missing or failed in the backend: the numbers are not final.
    pub comparable: bool,
    pub scenario: String,
    /// Jobs in the plan.
    pub jobs: usize,
    pub outcomes: OutcomeCounts,
    /// Why jobs failed in the backend, the most frequent reason first.
    pub failures: Vec<FailureRow>,
    pub predictions_summary_hash: String,
    /// `null` when no logprobs were asked for or given.
    pub logprobs_digest: Option<String>,
    /// The first model; `models` has all.
    pub model: ModelReport,
    pub models: Vec<ModelIdentity>,
    pub backend: BackendIdentity,
    pub metrics: Vec<MetricValue>,
    pub baselines: Vec<Baseline>,
    /// Each model and strategy, paired with the strongest trivial baseline and with the judge of text.
    pub against_baselines: Vec<AgainstBaseline>,
    pub timing: Timing,
    /// `null` when none was measured.
    pub energy: Option<EnergySummary>,
    /// `null` when the machine was not watched.
    pub health: Option<HealthSummary>,
    pub dataset: DatasetIdentity,
    pub spec_hash: String,
    /// What the machine was taken for; `null` in runs that kept no profile.
    pub machine: Option<MachineReport>,
    /// Confusion, per-class and per-bin tables, one entry a model × strategy × perturbation.
    pub groups: Vec<GroupReport>,
    /// Perturbed against unperturbed, one entry a model × strategy that was perturbed.
    pub robustness: Vec<RobustnessReport>,
    /// Forms that differ in a cue that must not matter.
    pub counterfactuals: Vec<CounterfactualReport>,
    /// Parts of the data: projects, lengths, right answers.
    pub fairness: Vec<DivisionReport>,
    /// Repetitions, one entry a model × strategy × perturbation that was repeated.
    pub stability: Vec<StabilityReport>,
}

/// What a reader needs to know of a model.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ModelReport {
    pub name: String,
    pub digest: Option<String>,
    pub quantization: Option<String>,
    pub architecture: Option<String>,
}

/// What a reader needs to know of the machine of a run; `puma profile` has the rest.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct MachineReport {
    pub cpu: Option<String>,
    /// True where the facts come from a recording: the run happened elsewhere.
    pub recorded: bool,
    pub profile: StoredProfile,
    pub mode: StoredMode,
}

/// The profile as the run kept it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct StoredProfile {
    pub id: String,
    /// The id for submissions.
    pub upstream_id: Option<String>,
    pub rule: String,
}

/// The mode as the run kept it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct StoredMode {
    pub kind: String,
}

/// A reason for which jobs failed in the backend.
#[derive(Debug, Serialize)]
pub(crate) struct FailureRow {
    pub error: String,
    pub jobs: usize,
}

/// Where the time went, over every job of the run.
#[derive(Debug, Serialize)]
pub(crate) struct Timing {
    /// From the first job's start to the last job's end, in seconds; pauses between a run and its resumption count.
    pub wall_s: f64,
    /// Loading models, in seconds.
    pub load_s: f64,
    /// `null` where the backend does not tell.
    pub prompt_tokens: Option<u64>,
    /// Prompt tokens that had to be computed: all but reused prefixes and cached answers; `null` where the backend does
    /// not tell what it reused.
    pub unique_prompt_tokens: Option<u64>,
    /// `null` where the backend does not tell.
    pub generated_tokens: Option<u64>,
}

impl RunReport {
    pub(crate) fn new(
        stored: &RecordedRun,
        report: MetricReport,
        against_baselines: Vec<AgainstBaseline>,
        task: &Task,
    ) -> Self {
        let RecordedRun { header, records, sessions, .. } = stored;
        let costs = measured::sustainability(task, sessions, records, &report.metrics);
        Self {
            run_id: header.run_id.to_string(),
            status: stored.status,
            comparable: report.comparable && records.len() == header.jobs,
            scenario: header.scenario.clone(),
            jobs: header.jobs,
            outcomes: report.outcomes,
            failures: failures(records),
            predictions_summary_hash: predictions_summary_hash(records),
            logprobs_digest: logprobs_digest(records),
            model: header.models.first().map(model_report).unwrap_or_default(),
            models: header.models.clone(),
            backend: header.backend.clone(),
            metrics: [report.metrics, report.across.metrics, costs].concat(),
            baselines: report.baselines,
            against_baselines,
            timing: timing(records),
            energy: measured::energy(sessions, records, task.kind),
            health: measured::health(sessions, records),
            // Every single answer of a baseline is no part of a report; what they are worth is.
            dataset: DatasetIdentity { baseline_answers: Vec::new(), ..header.dataset.clone() },
            spec_hash: header.spec_hash.to_string(),
            // Runs of upstream and of earlier versions kept less, or something else.
            machine: serde_json::from_value(header.machine.clone()).ok(),
            groups: report.groups,
            robustness: report.across.robustness,
            counterfactuals: report.across.counterfactuals,
            fairness: report.across.fairness,
            stability: report.across.stability,
        }
    }
}

fn model_report(model: &ModelIdentity) -> ModelReport {
    ModelReport {
        name: model.name.clone(),
        digest: model.digest.clone(),
        quantization: model.quantization.clone(),
        architecture: model.architecture.clone(),
    }
}

fn failures(records: &[JobRecord]) -> Vec<FailureRow> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| record.outcome == Outcome::BackendFailed) {
        *counts.entry(record.error.as_deref().unwrap_or("no reason was given")).or_default() += 1;
    }
    let mut rows: Vec<FailureRow> =
        counts.into_iter().map(|(error, jobs)| FailureRow { error: error.to_owned(), jobs }).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.jobs));
    rows
}

fn timing(records: &[JobRecord]) -> Timing {
    let completions = || records.iter().flat_map(|record| &record.completions);
    let fresh = || completions().filter(|completion| !completion.from_cache);
    let mut timing = Timing {
        wall_s: 0.0,
        load_s: fresh().filter_map(|completion| completion.phases.load_ms).map(|load| load.0 / 1000.0).sum(),
        prompt_tokens: completions().map(|completion| completion.usage.prompt_tokens.map(u64::from)).sum(),
        unique_prompt_tokens: fresh().map(|completion| completion.usage.computed_tokens().map(u64::from)).sum(),
        generated_tokens: completions().map(|completion| completion.usage.generated_tokens.map(u64::from)).sum(),
    };
    let first = records.iter().map(|record| record.started_at.0).min();
    let last = records.iter().map(|record| record.finished_at.0).max();
    if let (Some(first), Some(last)) = (first, last) {
        timing.wall_s = (last - first) as f64 / 1000.0;
    }
    timing
}
