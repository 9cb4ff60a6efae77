//! `puma baselines`: what judges reach that read no prompt, before any model is asked.

use crate::baseline_text;
use crate::command::datasets::any_spec;
use crate::command::run::DataArgs;
use crate::context::Context;
use crate::execute::{self, find_scenario};
use crate::failure::Failure;
use clap::Args;
use puma_eval::Instance;
use puma_eval::baseline::{BASELINES, Baseline, Golds, baselines, learned_answers};
use puma_eval::dataset::Dataset;
use puma_eval::metric::{Options, TaskKind};
use puma_eval::scenario::Scenario;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `puma baselines`.
#[derive(Debug, Args)]
pub(crate) struct BaselinesArgs {
    /// CSV or JSON file, as `puma run --data` takes it [default: the embedded sample set].
    data: Option<PathBuf>,
    /// triage_jira, estimation_tawos or prioritization_jira.
    #[arg(long)]
    scenario: String,
    /// Where fields stand in the file: `title=summary,priority=severity`.
    #[arg(long, value_name = "FIELD=COLUMN,…", requires = "data")]
    columns: Option<String>,
    /// Instances to judge, sampled as `puma run` samples them [default: all; 100 pairs].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    instances: Option<u32>,
    /// Seed of the sample.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Print JSON.
    #[arg(long, conflicts_with_all = ["markdown", "csv"])]
    json: bool,
    /// Print a Markdown table.
    #[arg(long, conflicts_with = "csv")]
    markdown: bool,
    /// Print CSV, one row a baseline and metric.
    #[arg(long)]
    csv: bool,
}

/// Pairs grow with the square of the issues; as many as `puma run` asks by default.
const PAIRS: usize = 100;

/// What `puma baselines --json` prints. Documented in `docs/reference/json.md`.
#[derive(Debug, Serialize)]
struct Report {
    scenario: &'static str,
    name: String,
    sha256: String,
    rows: usize,
    instances: usize,
    seed: u64,
    baselines: Vec<Baseline>,
}

pub(crate) fn run(args: BaselinesArgs, context: &Context) -> Result<(), Failure> {
    let BaselinesArgs { data, scenario, columns, instances, seed, json, markdown, csv } = args;
    let scenario = find_scenario(&scenario)?;
    let dataset =
        execute::read_dataset(&DataArgs { data, columns }.into_data()?, &any_spec(scenario.name())?, context)?;
    for (reason, count) in dataset.skip_counts() {
        context.ui.note(&format!("left out {count} rows of {} {}", dataset.identity.name, reason.as_str()));
    }
    let report = judged(scenario, dataset, instances, seed)?;
    if json {
        context.ui.json(&report)
    } else if markdown {
        context.ui.data(&markdown_text(&report))
    } else if csv {
        context.ui.data(&csv_text(&report))
    } else {
        context.ui.data(&text(&report))
    }
}

fn judged(
    scenario: &'static dyn Scenario,
    dataset: Dataset,
    wanted: Option<u32>,
    seed: u64,
) -> Result<Report, Failure> {
    let invalid = |error: puma_eval::scenario::ScenarioError| Failure::invalid(error.to_string()).hint(error.hint());
    let all = if scenario.kind() == TaskKind::Pairwise { PAIRS } else { usize::MAX };
    let count = wanted.map_or(all, |count| count as usize);
    let instances: Vec<Instance> = scenario.instances(&dataset, count, seed).map_err(invalid)?;
    let options = Options {
        train_gold: scenario.train_gold(&dataset).map_err(invalid)?,
        baseline_answers: learned_answers(scenario, &dataset, &instances),
        ..Options::default()
    };
    let golds: Golds<'_> = instances.iter().map(|instance| (&instance.id, instance.gold.as_str())).collect();
    let baselines = baselines(&scenario.task(), &golds, &options);
    Ok(Report {
        scenario: scenario.name(),
        name: dataset.identity.name,
        sha256: dataset.identity.sha256,
        rows: dataset.identity.rows,
        instances: instances.len(),
        seed,
        baselines,
    })
}

fn text(report: &Report) -> String {
    let mut out = format!(
        "{} · {} ({} rows) · {} instances judged, 95 % intervals over instances\n\n{}\n",
        report.scenario,
        report.name,
        report.rows,
        report.instances,
        baseline_text::table(&report.baselines, &baseline_text::every_metric())
    );
    for def in BASELINES.iter().filter(|def| report.baselines.iter().any(|row| row.name == def.name)) {
        let _ = writeln!(out, "{}: {}", def.name, def.doc);
    }
    out
}

fn markdown_text(report: &Report) -> String {
    let (header, rows) = baseline_text::cells(&report.baselines, &baseline_text::every_metric());
    let last = header.len() - 1;
    let rule: Vec<&str> = (0..=last).map(|at| if at == 0 || at == last { "---" } else { "---:" }).collect();
    let mut out = format!("{} on {}, n = {}:\n\n", report.scenario, report.name, report.instances);
    let _ = writeln!(out, "| {} |\n|{}|", header.join(" | "), rule.join("|"));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

fn csv_text(report: &Report) -> String {
    let mut out = "dataset,scenario,baseline,metric,value,ci_low,ci_high,n,basis\n".to_owned();
    let bound = |bound: Option<f64>| bound.map_or_else(String::new, |bound| bound.to_string());
    // File names may hold what CSV separates by.
    let name = format!("\"{}\"", report.name.replace('"', "\"\""));
    for row in &report.baselines {
        let (low, high) = (bound(row.ci_low), bound(row.ci_high));
        let Baseline { name: baseline, metric, value, n, basis, .. } = row;
        let _ = writeln!(out, "{name},{},{baseline},{metric},{value},{low},{high},{n},{basis}", report.scenario);
    }
    out
}
