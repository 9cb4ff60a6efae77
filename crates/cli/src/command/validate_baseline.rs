//! `puma validate-baseline`: is a number still what it was?

use crate::command::run::{DataArgs, read_spec};
use crate::context::Context;
use crate::execute::{self, Order};
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::options::{BackendArgs, MachineArgs};
use crate::report::RunReport;
use crate::runs;
use clap::Args;
use puma_eval::run::JobOrder;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `puma validate-baseline`. Ends with 0 inside the tolerance, 1 outside, 2 when the metric is missing.
#[derive(Debug, Args)]
pub(crate) struct ValidateBaselineArgs {
    /// Expected macro F1 [default without --expected-mae: 0.5867, upstream's reference].
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, conflicts_with = "expected_mae")]
    expected_f1: Option<f64>,
    /// Expected mean absolute error in story points.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    expected_mae: Option<f64>,
    /// How far off the value may be [default: 0.01 for F1, 0.05 for MAE].
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Spec to run [default: the shipped baseline of the metric].
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    spec: Option<PathBuf>,
    /// Judge this stored run instead of running the spec.
    #[arg(long, value_name = "RUN_ID", conflicts_with_all = ["DataArgs", "BackendArgs", "EngineOptions", "MachineArgs"])]
    run: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    backend: BackendArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// A metric, what is expected of it, and how far off it may be.
#[derive(Clone, Copy)]
struct Expectation {
    metric: &'static str,
    expected: f64,
    tolerance: f64,
    spec: &'static str,
}

/// Upstream's reference for triage, and its tolerance.
const F1: Expectation = Expectation { metric: "f1_macro", expected: 0.5867, tolerance: 0.01, spec: "baseline_triage" };
/// Upstream's reference for estimation. The tolerance is the one its documents state.
const MAE: Expectation =
    Expectation { metric: "mae", expected: 5.7150, tolerance: 0.05, spec: "baseline_estimation_canonical" };

/// What `validate-baseline --json` prints.
#[derive(Debug, Serialize)]
struct Verdict {
    /// `pass` or `fail`.
    verdict: &'static str,
    metric: &'static str,
    value: f64,
    expected: f64,
    /// Value minus expected.
    delta: f64,
    tolerance: f64,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    run_id: String,
    /// False when jobs are missing or failed in the backend, or the run differs from the baseline's spec.
    comparable: bool,
    differences: Vec<String>,
}

pub(crate) fn run(args: ValidateBaselineArgs, context: &Context) -> Result<(), Failure> {
    let ValidateBaselineArgs { expected_f1, expected_mae, tolerance, spec, run, data, backend, machine, json } = args;
    let reference = if expected_mae.is_some() { MAE } else { F1 };
    let expectation = Expectation {
        expected: expected_mae.or(expected_f1).unwrap_or(reference.expected),
        tolerance: tolerance.unwrap_or(reference.tolerance),
        ..reference
    };
    if !(expectation.tolerance >= 0.0 && expectation.expected.is_finite()) {
        return Err(Failure::invalid("the expected value must be a number and the tolerance not negative"));
    }
    let baseline = read_spec(&spec.unwrap_or_else(|| PathBuf::from(reference.spec)), context.home.as_deref());
    let (report, differences) = match run {
        Some(wanted) => {
            let stored = runs::open(context, &wanted)?;
            let report = execute::report(&stored)?;
            let differences = baseline.map(|spec| differences(&report, &stored.header.spec, &spec)).unwrap_or_default();
            (report, differences)
        }
        None => {
            let spec = baseline?;
            let order = Order {
                spec,
                data: data.into_data()?,
                backend,
                machine,
                // A validation asks the machine, not its memory.
                cache: false,
                order: JobOrder::Given,
                resume: None,
            };
            let executed = execute::execute(&order, context)?;
            execute::verdict(&executed)?;
            (executed.report, Vec::new())
        }
    };
    let verdict = judge(&report, expectation, differences)?;
    if json {
        context.ui.json(&verdict)?
    } else {
        context.ui.data(&text(&verdict))?
    }
    match verdict.verdict {
        "pass" => Ok(()),
        _ => Err(Failure::new(ExitKind::OperationFailed, String::new())),
    }
}

fn judge(report: &RunReport, expectation: Expectation, differences: Vec<String>) -> Result<Verdict, Failure> {
    let Expectation { metric, expected, tolerance, spec: _ } = expectation;
    let originals: Vec<_> =
        report.metrics.iter().filter(|row| row.name == metric && row.perturbation.is_none()).collect();
    let row = match originals.as_slice() {
        [row] => row,
        [] => {
            return Err(Failure::invalid(format!("run {} has no metric `{metric}`", report.run_id)).hint(
                "estimation runs have `mae`: use --expected-mae; triage runs have `f1_macro`: use --expected-f1",
            ));
        }
        _ => {
            return Err(Failure::invalid(format!(
                "run {} has several models or strategies, so `{metric}` is not one number",
                report.run_id
            ))
            .hint("validate a run of one model and one strategy"));
        }
    };
    let delta = row.value - expected;
    Ok(Verdict {
        verdict: if delta.abs() <= tolerance { "pass" } else { "fail" },
        metric,
        value: row.value,
        expected,
        delta,
        tolerance,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        run_id: report.run_id.clone(),
        comparable: report.comparable && differences.is_empty(),
        differences,
    })
}

/// How a stored run departs from the spec of the baseline.
fn differences(report: &RunReport, stored: &serde_json::Value, baseline: &puma_eval::spec::RunSpec) -> Vec<String> {
    let expected = puma_eval::spec::full_json(baseline);
    let mut found: Vec<String> = ["scenario", "sample_size", "models", "adaptation", "inference", "perturbations"]
        .into_iter()
        .filter(|key| stored[*key] != expected[*key])
        .map(|key| format!("{key}: {} instead of {}", stored[key], expected[key]))
        .collect();
    if report.backend.kind != "ollama" {
        found.push(format!("backend: {} instead of ollama", report.backend.kind));
    }
    found
}

fn text(verdict: &Verdict) -> String {
    let Verdict { metric, value, delta, tolerance, ci_low, ci_high, .. } = verdict;
    let interval = match (ci_low, ci_high) {
        (Some(low), Some(high)) => format!(", 95 % interval {low:.4} to {high:.4}"),
        _ => String::new(),
    };
    let mut out = match verdict.verdict {
        "pass" => format!("PASS: {metric}={value:.4} (delta={delta:+.4}, tolerance=+/-{tolerance}{interval})\n"),
        _ => format!("FAIL: {metric}={value:.4} (delta={delta:+.4}{interval}) outside +/-{tolerance}\n"),
    };
    if !verdict.comparable {
        out.push_str("The run is not the baseline's experiment:\n");
        for difference in &verdict.differences {
            out.push_str(&format!("  {difference}\n"));
        }
    }
    out
}
