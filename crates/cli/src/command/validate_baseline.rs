//! `puma validate-baseline`: is a number still what it was?

use crate::command::run::{DataArgs, read_spec};
use crate::context::Context;
use crate::execute::{self, Order};
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::options::{BackendArgs, MachineArgs};
use crate::runs;
use crate::validation::{Expectation, judge, references_text, verdict_text};
use clap::Args;
use puma_eval::canonical::{CANONICAL_REFERENCES, CanonicalReference, canonical_reference};
use puma_eval::run::JobOrder;
use std::path::PathBuf;

/// Arguments of `puma validate-baseline`. Ends with 0 inside the tolerance, 1 outside, 2 when the metric is missing.
#[derive(Debug, Args)]
pub(crate) struct ValidateBaselineArgs {
    /// One of upstream's published numbers: triage, estimation or triage-floor [default: triage].
    #[arg(long, value_name = "NAME", conflicts_with_all = ["expected_f1", "expected_mae"])]
    reference: Option<String>,
    /// List upstream's published numbers, how far off a repetition may be, and where they were made.
    #[arg(long, conflicts_with_all = ["reference", "expected_f1", "expected_mae", "tolerance", "spec", "run", "json"])]
    list: bool,
    /// Expected macro F1, instead of upstream's.
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, conflicts_with = "expected_mae")]
    expected_f1: Option<f64>,
    /// Expected mean absolute error in story points, instead of upstream's.
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

pub(crate) fn run(args: ValidateBaselineArgs, context: &Context) -> Result<(), Failure> {
    if args.list {
        return context.ui.data(&references_text());
    }
    let (published, expectation) = expectation(&args)?;
    let ValidateBaselineArgs { spec, run, data, backend, machine, json, .. } = args;
    let baseline = read_spec(&spec.unwrap_or_else(|| PathBuf::from(published.spec)), context.home.as_deref());
    let (recorded, report, baseline) = match run {
        Some(wanted) => {
            let recorded = runs::open(context, &wanted)?;
            let report = execute::report(&recorded)?;
            (recorded, report, baseline.ok())
        }
        None => {
            let order = Order {
                spec: baseline?,
                data: data.into_data()?,
                backend,
                machine,
                // A validation asks the machine, not its memory, and not in the state another run left it in.
                cache: false,
                fresh: true,
                order: JobOrder::Given,
                resume: None,
            };
            let executed = execute::execute(&order, context)?;
            execute::verdict(&executed)?;
            (runs::open(context, executed.header.run_id.as_str())?, executed.report, Some(order.spec))
        }
    };
    let verdict = judge(&recorded, &report, expectation, baseline.as_ref())?;
    if json {
        context.ui.json(&verdict)?
    } else {
        context.ui.data(&verdict_text(&verdict))?
    }
    match verdict.verdict {
        "pass" => Ok(()),
        _ => Err(Failure::new(ExitKind::OperationFailed, String::new())),
    }
}

/// The published number the arguments are about, and what is expected.
fn expectation(args: &ValidateBaselineArgs) -> Result<(&'static CanonicalReference, Expectation), Failure> {
    let default = if args.expected_mae.is_some() { "estimation" } else { "triage" };
    let name = args.reference.as_deref().unwrap_or(default);
    let published = canonical_reference(name).ok_or_else(|| {
        let names = CANONICAL_REFERENCES.map(|reference| reference.name).join(", ");
        Failure::invalid(format!("there is no reference `{name}`")).hint(format!("references are {names}"))
    })?;
    let given = args.expected_mae.or(args.expected_f1);
    let expectation = Expectation {
        reference: given.is_none().then_some(published),
        metric: published.metric,
        expected: given.unwrap_or(published.value),
        tolerance: args.tolerance.unwrap_or(published.tolerance),
    };
    if expectation.tolerance >= 0.0 && expectation.expected.is_finite() {
        return Ok((published, expectation));
    }
    Err(Failure::invalid("the expected value must be a number and the tolerance not negative"))
}
