//! `puma stability`: whether runs with other seeds say the same.

use crate::across::stability_text;
use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::{execute, runs};
use clap::Args;
use puma_core::RecordedRun;
use puma_eval::metric::{self, Replicates};
use serde_json::json;

/// Arguments of `puma stability`. Ends with 5 when nothing was asked twice.
#[derive(Debug, Args)]
pub(crate) struct StabilityArgs {
    /// Runs of one scenario: ids, beginnings of ids, `latest`, or bundle files. One is enough if it has repetitions.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: StabilityArgs, context: &Context) -> Result<(), Failure> {
    let StabilityArgs { runs: wanted, json } = args;
    let opened: Vec<RecordedRun> = wanted.iter().map(|one| runs::open(context, one)).collect::<Result<_, _>>()?;
    let first = &opened[0].header;
    for run in &opened[1..] {
        if run.header.scenario != first.scenario {
            return Err(Failure::invalid(format!(
                "{} is a run of {}, but {} of {}: their answers have nothing in common",
                run.header.run_id, run.header.scenario, first.run_id, first.scenario
            )));
        }
    }
    for (place, run) in opened.iter().enumerate() {
        if opened[..place].iter().any(|other| other.header.run_id == run.header.run_id) {
            return Err(Failure::invalid(format!("{} is named twice; it agrees with itself", run.header.run_id)));
        }
    }
    warn_of_other_differences(&opened, context);
    let task = execute::find_scenario(&first.scenario)?.task();
    let names: Vec<String> = opened.iter().map(|run| run.header.run_id.to_string()).collect();
    let replicates: Vec<Replicates<'_>> =
        opened.iter().zip(&names).map(|(run, name)| Replicates { name, records: &run.records }).collect();
    let reports = metric::stability(&task, &replicates, &metric::Options::default());
    if reports.is_empty() {
        return Err(Failure::new(
            ExitKind::NothingMatched,
            "no model was asked the same question twice with one strategy",
        )
        .hint("repeat a run with `puma run … --repeat 3`, or name runs of the same models and strategies"));
    }
    if json {
        return context.ui.json(&json!({ "runs": names, "stability": reports }));
    }
    context.ui.data(&stability_text(&reports))
}

/// Runs should differ in their seeds alone.
fn warn_of_other_differences(opened: &[RecordedRun], context: &Context) {
    let first = &opened[0].header;
    for run in &opened[1..] {
        let other = &run.header;
        let digests = |header: &puma_core::RunHeader| -> Vec<Option<String>> {
            header.models.iter().map(|model| model.digest.clone()).collect()
        };
        let differences = [
            (first.dataset.sha256 != other.dataset.sha256, "data"),
            (digests(first) != digests(other), "weights"),
            (first.templates != other.templates, "prompts"),
            (first.backend.kind != other.backend.kind || first.backend.version != other.backend.version, "backend"),
        ];
        let named: Vec<&str> = differences.iter().filter(|(differs, _)| *differs).map(|(_, name)| *name).collect();
        if !named.is_empty() {
            context.ui.warn(&format!(
                "{} differs from {} in its {}, so that the spread is not that of seeds alone",
                other.run_id,
                first.run_id,
                named.join(", ")
            ));
        }
    }
}
