//! Whether a number is still what it was.

use super::environment::{EnvironmentFact, environment};
use crate::execute;
use crate::failure::Failure;
use crate::report::RunReport;
use crate::state;
use puma_core::{JobRecord, RecordedRun};
use puma_eval::canonical::CanonicalReference;
use puma_eval::metric::{self, MissingAnswers};
use puma_eval::run::rescore;
use puma_eval::spec::{Compat, ParserMode, RunSpec, full_json};
use puma_eval::stats::Bootstrap;
use serde::Serialize;

/// What is expected of which metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectation {
    /// The published number, unless the user gave one.
    pub reference: Option<&'static CanonicalReference>,
    pub metric: &'static str,
    pub expected: f64,
    pub tolerance: f64,
}

/// What `validate-baseline --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// `pass` or `fail`.
    pub verdict: &'static str,
    /// Which of upstream's references; `null` for a number of the user's.
    pub reference: Option<&'static str>,
    pub metric: &'static str,
    pub value: f64,
    pub expected: f64,
    /// Value minus expected.
    pub delta: f64,
    pub tolerance: f64,
    /// Who set the tolerance.
    pub tolerance_source: &'static str,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Whether the expected number lies in the value's interval: if it does, this many instances cannot tell them apart.
    pub interval_holds_expected: Option<bool>,
    /// The same completions read as upstream reads them; `null` where the run did so anyway.
    pub upstream_reading: Option<UpstreamReading>,
    /// What upstream saw when it repeated its own number.
    pub observed_upstream: Option<&'static str>,
    /// In which state the server was before the first question; `null` when nothing was done about it.
    pub state: Option<String>,
    pub run_id: String,
    /// False when jobs are missing or failed in the backend, or the run is another experiment than the reference's.
    pub comparable: bool,
    pub differences: Vec<String>,
    /// The reference's server and machine beside this run's; empty for a number of the user's.
    pub reference_environment: Vec<EnvironmentFact>,
}

/// First match, answers that cannot be read left out.
#[derive(Debug, Serialize)]
pub(crate) struct UpstreamReading {
    pub value: f64,
    /// Answers that upstream's parser can read.
    pub n: usize,
    /// `pass` or `fail`.
    pub verdict: &'static str,
}

/// Holds `run` against `expectation`. `baseline` is the spec that repeats the reference, where it can be read.
///
/// # Errors
/// The run has no such metric, or several.
pub(crate) fn judge(
    run: &RecordedRun,
    report: &RunReport,
    expectation: Expectation,
    baseline: Option<&RunSpec>,
) -> Result<Verdict, Failure> {
    let Expectation { reference, metric, expected, tolerance } = expectation;
    let row = the_one(report, metric)?;
    let delta = row.value - expected;
    let differences = differences(run, reference, baseline);
    let interval = row.ci_low.zip(row.ci_high);
    Ok(Verdict {
        verdict: word(delta.abs() <= tolerance),
        reference: reference.map(|reference| reference.name),
        metric,
        value: row.value,
        expected,
        delta,
        tolerance,
        tolerance_source: reference
            .filter(|reference| reference.tolerance == tolerance)
            .map_or("given", |reference| reference.tolerance_source),
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        interval_holds_expected: interval.map(|(low, high)| low <= expected && expected <= high),
        upstream_reading: upstream_reading(run, metric, expected, tolerance)?,
        observed_upstream: reference.map(|reference| reference.observed),
        state: run.header.backend.settings.get(state::SETTING).cloned(),
        run_id: report.run_id.clone(),
        comparable: report.comparable && differences.is_empty(),
        differences,
        reference_environment: reference.map(|_| environment(&run.header)).unwrap_or_default(),
    })
}

fn word(holds: bool) -> &'static str {
    if holds { "pass" } else { "fail" }
}

/// The metric of the run's one model and strategy, unperturbed.
fn the_one<'a>(report: &'a RunReport, metric: &str) -> Result<&'a metric::MetricValue, Failure> {
    let originals: Vec<_> =
        report.metrics.iter().filter(|row| row.name == metric && row.perturbation.is_none()).collect();
    match originals.as_slice() {
        [row] => Ok(row),
        [] => Err(Failure::invalid(format!("run {} has no metric `{metric}`", report.run_id))
            .hint("estimation runs have `mae`: use --expected-mae; triage runs have `f1_macro`: use --expected-f1")),
        _ => Err(Failure::invalid(format!(
            "run {} has several models or strategies, so `{metric}` is not one number",
            report.run_id
        ))
        .hint("validate a run of one model and one strategy")),
    }
}

/// The number upstream would have read off the same completions.
fn upstream_reading(
    run: &RecordedRun,
    metric: &str,
    expected: f64,
    tolerance: f64,
) -> Result<Option<UpstreamReading>, Failure> {
    let spec: Option<RunSpec> = serde_json::from_value(run.header.spec.clone()).ok();
    if spec.is_some_and(|spec| spec.compat == Some(Compat::Puma4)) {
        return Ok(None);
    }
    let scenario = execute::find_scenario(&run.header.scenario)?;
    let originals = run.records.iter().filter(|record| record.perturbation.is_none());
    let read = originals.map(|record| rescore(record, scenario, ParserMode::FirstMatch));
    let Some(records) = read.collect::<Option<Vec<JobRecord>>>() else { return Ok(None) };
    let defaults = metric::Options::default();
    let options = metric::Options {
        bootstrap: Bootstrap { resamples: 0, ..defaults.bootstrap },
        missing: MissingAnswers::Dropped,
        ..defaults
    };
    let scored =
        metric::compute(&scenario.task(), &records, &options).map_err(|error| Failure::operation(error.to_string()))?;
    let found = scored.metrics.iter().find(|row| row.name == metric);
    Ok(found.map(|row| UpstreamReading {
        value: row.value,
        n: row.n,
        verdict: word((row.value - expected).abs() <= tolerance),
    }))
}

/// How the run departs from the reference's experiment.
fn differences(run: &RecordedRun, reference: Option<&CanonicalReference>, baseline: Option<&RunSpec>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(baseline) = baseline {
        let (stored, expected) = (&run.header.spec, full_json(baseline));
        for key in ["scenario", "sample_size", "models", "adaptation", "inference", "perturbations"] {
            if stored[key] != expected[key] {
                found.push(format!("{key}: {} instead of {}", stored[key], expected[key]));
            }
        }
    }
    let dataset = &run.header.dataset;
    if let Some(sha256) = reference.and_then(|reference| reference.dataset_sha256)
        && dataset.sha256 != sha256
    {
        found.push(format!(
            "data: {} (SHA-256 {}) instead of the file with SHA-256 {sha256}",
            dataset.name, dataset.sha256
        ));
    }
    if run.header.backend.kind != "ollama" {
        found.push(format!("backend: {} instead of ollama", run.header.backend.kind));
    }
    found
}
