//! `puma datasets`: what a data file holds, before anything is asked.

use crate::command::dataset_check::{self, CheckArgs};
use crate::command::run::DataArgs;
use crate::context::Context;
use crate::execute::{self, Data, find_scenario};
use crate::failure::Failure;
use crate::table::{Align, render};
use clap::{Args, Subcommand};
use puma_eval::dataset::Dataset;
use puma_eval::scenario::SCENARIOS;
use puma_eval::spec::{InlineSpec, RunSpec};
use serde::Serialize;
use std::collections::BTreeMap;

/// Arguments of `puma datasets`. Without `--data`, the embedded sample sets are described.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DatasetsArgs {
    #[command(subcommand)]
    command: Option<DatasetsCommand>,
    /// Only for this scenario [default: all three].
    #[arg(long)]
    scenario: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum DatasetsCommand {
    /// Look for what makes a score on the data mean something else than it says: unreadable rows, twins, words and keys
    /// that give the answer away, order, imbalance, judged issues among the examples.
    Check(CheckArgs),
}

/// A dataset as one scenario sees it.
#[derive(Debug, Serialize)]
struct Description {
    scenario: &'static str,
    name: String,
    source: String,
    sha256: String,
    rows: usize,
    /// Canonical field → column of the file.
    columns: BTreeMap<String, String>,
    /// Right answers and how often each occurs.
    answers: BTreeMap<String, usize>,
    /// Rows left out, by reason.
    skipped: BTreeMap<String, usize>,
    /// Instances the scenario can judge.
    instances: usize,
    /// Why the scenario cannot use the file.
    problem: Option<String>,
}

pub(crate) fn run(args: DatasetsArgs, context: &Context) -> Result<(), Failure> {
    let DatasetsArgs { command, data, scenario, json } = args;
    if let Some(DatasetsCommand::Check(args)) = command {
        return dataset_check::run(args, context);
    }
    let data = data.into_data()?;
    let names: Vec<&'static str> = match &scenario {
        Some(name) => vec![find_scenario(name)?.name()],
        None => SCENARIOS.iter().map(|scenario| scenario.name()).collect(),
    };
    let mut descriptions = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match describe(name, &data, context) {
            Ok(description) => descriptions.push(description),
            Err(failure) => failures.push(failure),
        }
    }
    // A file of issues has no story points; that is only an error when no scenario can use it.
    if descriptions.is_empty()
        && let Some(failure) = failures.into_iter().next()
    {
        return Err(failure);
    }
    if json { context.ui.json(&descriptions) } else { context.ui.data(&text(&descriptions)) }
}

fn describe(name: &'static str, data: &Data, context: &Context) -> Result<Description, Failure> {
    let scenario = find_scenario(name)?;
    let dataset = execute::read_dataset(data, &any_spec(name)?, context)?;
    let sampled = scenario.instances(&dataset, usize::MAX, 42);
    Ok(Description {
        scenario: name,
        answers: answers(&dataset, name),
        skipped: dataset.skip_counts().into_iter().map(|(why, count)| (why.as_str().to_owned(), count)).collect(),
        instances: sampled.as_ref().map_or(0, Vec::len),
        problem: sampled.err().map(|error| error.to_string()),
        name: dataset.identity.name,
        source: dataset.identity.source,
        sha256: dataset.identity.sha256,
        rows: dataset.identity.rows,
        columns: dataset.identity.columns,
    })
}

/// A spec that only says which scenario reads the data.
pub(crate) fn any_spec(scenario: &str) -> Result<RunSpec, Failure> {
    InlineSpec { scenario: scenario.to_owned(), models: vec!["smollm2:135m".to_owned()], ..InlineSpec::default() }
        .into_spec()
        .map_err(|error| Failure::invalid(error.to_string()))
}

fn answers(dataset: &Dataset, scenario: &str) -> BTreeMap<String, usize> {
    let field = puma_eval::dataset::Gold::of_scenario(scenario).map_or("priority", |gold| gold.field());
    dataset.rows.iter().filter_map(|row| row.fields.get(field)).fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.clone()).or_default() += 1;
        counts
    })
}

fn text(descriptions: &[Description]) -> String {
    let list = |counts: &BTreeMap<String, usize>| {
        let mut counts: Vec<(&String, &usize)> = counts.iter().collect();
        // Story points in their order, not in that of their digits; the sort leaves names as they are.
        let points = |name: &str| name.parse::<f64>().unwrap_or(0.0);
        counts.sort_by(|(a, _), (b, _)| points(a).total_cmp(&points(b)));
        counts.iter().map(|(name, count)| format!("{name}: {count}")).collect::<Vec<_>>().join(", ")
    };
    descriptions
        .iter()
        .map(|d| {
            let mut rows = vec![
                vec!["data".to_owned(), format!("{} ({})", d.name, d.source)],
                vec!["sha256".to_owned(), d.sha256.clone()],
                vec!["rows".to_owned(), d.rows.to_string()],
                vec!["instances".to_owned(), d.instances.to_string()],
                vec!["answers".to_owned(), list(&d.answers)],
            ];
            let columns: Vec<String> = d.columns.iter().map(|(field, column)| format!("{field}={column}")).collect();
            rows.push(vec!["columns".to_owned(), columns.join(", ")]);
            if !d.skipped.is_empty() {
                rows.push(vec!["left out".to_owned(), list(&d.skipped)]);
            }
            if let Some(problem) = &d.problem {
                rows.push(vec!["problem".to_owned(), problem.clone()]);
            }
            render(&[(d.scenario, Align::Left), ("", Align::Left)], &rows) + "\n"
        })
        .collect()
}
