//! `puma list-runs`.

use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::summary::short_model;
use crate::table::{Align, render};
use clap::Args;
use puma_core::Clock as _;
use puma_eval::spec::canonical_scenario;
use puma_store::{RunFilter, RunSummary, parse_since};

/// Arguments of `puma list-runs`. Ends with 2 when nothing matches, as upstream PUMA does.
#[derive(Debug, Args)]
pub(crate) struct ListRunsArgs {
    /// At most this many, the newest.
    #[arg(long, value_name = "N")]
    last_n: Option<usize>,
    /// Only runs of this scenario.
    #[arg(long)]
    scenario: Option<String>,
    /// Only runs that asked this model.
    #[arg(long)]
    model: Option<String>,
    /// Only runs started since then: `24h`, `7d`, a date or a moment.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: ListRunsArgs, context: &Context) -> Result<(), Failure> {
    let ListRunsArgs { last_n, scenario, model, since, json } = args;
    let since = since
        .map(|text| parse_since(&text, context.clock.now()))
        .transpose()
        .map_err(|error| Failure::invalid(error.to_string()).hint_opt(error.hint()))?;
    let scenario = scenario.map(|name| canonical_scenario(&name).map_or(name, str::to_owned));
    let runs = context.existing_store()?.list_runs(&RunFilter { last_n, scenario, model, since, status: None })?;
    if json {
        context.ui.json(&runs)?;
    } else if !runs.is_empty() {
        context.ui.data(&text(&runs))?;
    }
    if runs.is_empty() {
        return Err(Failure {
            kind: ExitKind::InvalidInput,
            message: "no stored run matches".to_owned(),
            hints: Vec::new(),
        });
    }
    Ok(())
}

fn text(runs: &[RunSummary]) -> String {
    let header = [
        ("run", Align::Left),
        ("status", Align::Left),
        ("scenario", Align::Left),
        ("models", Align::Left),
        ("strategies", Align::Left),
        ("jobs", Align::Right),
        ("F1 macro", Align::Right),
        ("accuracy", Align::Right),
        ("MAE", Align::Right),
        ("unread", Align::Right),
    ];
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            vec![
                run.run_id.clone(),
                run.status.clone(),
                run.scenario.clone().unwrap_or_else(|| "-".to_owned()),
                run.models.iter().map(|model| short_model(model)).collect::<Vec<_>>().join(","),
                run.strategies.join(","),
                if run.jobs_finished == run.jobs {
                    run.jobs.to_string()
                } else {
                    format!("{}/{}", run.jobs_finished, run.jobs)
                },
                number(run.f1_macro),
                number(run.accuracy),
                number(run.mae),
                number(run.parse_failure_rate),
            ]
        })
        .collect();
    render(&header, &rows)
}
