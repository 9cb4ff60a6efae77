//! `puma compare`: metrics of several runs side by side.

use crate::context::Context;
use crate::execute;
use crate::failure::Failure;
use crate::report::RunReport;
use crate::runs;
use crate::summary;
use crate::table::{Align, render};
use clap::Args;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Arguments of `puma compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Two or more run ids, beginnings of ids, or `latest`.
    #[arg(required = true, num_args = 2..)]
    runs: Vec<String>,
    /// Also write the JSON to this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `compare` prints as JSON. The first five keys are upstream's.
#[derive(Debug, Serialize)]
struct Comparison {
    run_ids: Vec<String>,
    run_statuses: BTreeMap<String, String>,
    /// run id → `metric` (one model and strategy) or `metric model strategy` → value.
    metrics: BTreeMap<String, BTreeMap<String, f64>>,
    markdown_table: String,
    /// Second run minus first, for exactly two runs.
    diffs: BTreeMap<String, f64>,
    /// True when nothing but chance and the thing under test can explain a difference.
    comparable: bool,
    /// What differs between the runs beside their results.
    differences: Vec<String>,
    /// Whether every run gave the same answers with the same confidence to the same prompts.
    predictions_equal: bool,
    /// Whether every generated token and the bits of its logprob are the same; `null` when a run has no logprobs.
    logprobs_equal: Option<bool>,
}

pub(crate) fn run(args: CompareArgs, context: &Context) -> Result<(), Failure> {
    let CompareArgs { runs, output, json } = args;
    let report = |wanted: &String| execute::report(&runs::open(context, wanted)?);
    let reports: Vec<RunReport> = runs.iter().map(report).collect::<Result<_, _>>()?;
    let comparison = compare(&reports);
    if let Some(path) = output {
        let text = serde_json::to_string_pretty(&comparison).map_err(|error| Failure::operation(error.to_string()))?;
        std::fs::write(&path, text + "\n")
            .map_err(|error| Failure::operation(format!("{} cannot be written: {error}", path.display())))?;
    }
    if json { context.ui.json(&comparison) } else { context.ui.data(&text(&comparison)) }
}

fn compare(reports: &[RunReport]) -> Comparison {
    let run_ids: Vec<String> = reports.iter().map(|report| report.run_id.clone()).collect();
    let metrics: BTreeMap<String, BTreeMap<String, f64>> =
        reports.iter().map(|report| (report.run_id.clone(), named_values(report))).collect();
    let diffs = match run_ids.as_slice() {
        [first, second] => metrics[second]
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value - metrics[first].get(name)?)))
            .collect(),
        _ => BTreeMap::new(),
    };
    let differences: Vec<String> = reports.iter().skip(1).flat_map(|other| differences(&reports[0], other)).collect();
    Comparison {
        run_statuses: reports.iter().map(|r| (r.run_id.clone(), r.status.as_str().to_owned())).collect(),
        markdown_table: markdown(&run_ids, &metrics),
        comparable: differences.is_empty() && reports.iter().all(|report| report.comparable),
        run_ids,
        metrics,
        diffs,
        differences,
        predictions_equal: reports
            .iter()
            .all(|report| report.predictions_summary_hash == reports[0].predictions_summary_hash),
        logprobs_equal: reports
            .iter()
            .map(|report| report.logprobs_digest.as_ref())
            .collect::<Option<Vec<_>>>()
            .map(|digests| digests.iter().all(|digest| *digest == digests[0])),
    }
}

/// Metrics by name; with several models or strategies, by name, model and strategy.
fn named_values(report: &RunReport) -> BTreeMap<String, f64> {
    let one_group = report.groups.len() <= 1;
    report
        .metrics
        .iter()
        .map(|metric| {
            let name = if one_group {
                metric.name.clone()
            } else {
                let perturbation = metric.perturbation.as_ref().map_or(String::new(), |name| format!(" {name}"));
                format!("{} {} {}{perturbation}", metric.name, metric.model, metric.strategy)
            };
            (name, metric.value)
        })
        .collect()
}

/// What makes two runs two different experiments.
fn differences(first: &RunReport, other: &RunReport) -> Vec<String> {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let facts = [
        ("scenario", first.scenario.clone(), other.scenario.clone()),
        ("spec", first.spec_hash.clone(), other.spec_hash.clone()),
        ("dataset", first.dataset.sha256.clone(), other.dataset.sha256.clone()),
        ("model digest", shown(&first.model.digest), shown(&other.model.digest)),
        ("quantization", shown(&first.model.quantization), shown(&other.model.quantization)),
        ("backend", first.backend.kind.clone(), other.backend.kind.clone()),
        ("backend version", shown(&first.backend.version), shown(&other.backend.version)),
        ("numerics", shown(&first.backend.numerics), shown(&other.backend.numerics)),
        ("jobs", first.jobs.to_string(), other.jobs.to_string()),
    ];
    facts
        .into_iter()
        .filter(|(_, left, right)| left != right)
        .map(|(what, left, right)| format!("{what}: {left} in {}, {right} in {}", first.run_id, other.run_id))
        .collect()
}

fn markdown(run_ids: &[String], metrics: &BTreeMap<String, BTreeMap<String, f64>>) -> String {
    let names: BTreeSet<&String> = metrics.values().flat_map(BTreeMap::keys).collect();
    let mut out = format!("| Metric | {} |\n|---|{}\n", run_ids.join(" | "), "---|".repeat(run_ids.len()));
    for name in names {
        let cells: Vec<String> = run_ids
            .iter()
            .map(|id| metrics[id].get(name).map_or_else(|| "n/a".to_owned(), |value| format!("{value:.4}")))
            .collect();
        out.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    out
}

/// For people: the headline metrics; `--json` has all.
fn text(comparison: &Comparison) -> String {
    let letters: Vec<String> = (0..comparison.run_ids.len()).map(|index| format!("[{}]", index + 1)).collect();
    let mut out = String::new();
    for (letter, id) in letters.iter().zip(&comparison.run_ids) {
        out.push_str(&format!("{letter} {id} ({})\n", comparison.run_statuses[id]));
    }
    out.push('\n');
    let mut header = vec![("metric", Align::Left)];
    header.extend(letters.iter().map(|letter| (letter.as_str(), Align::Right)));
    let two = comparison.run_ids.len() == 2;
    if two {
        header.push(("[2] - [1]", Align::Right));
    }
    let names: BTreeSet<&String> =
        comparison.metrics.values().flat_map(BTreeMap::keys).filter(|name| summary::is_headline(name)).collect();
    let rows: Vec<Vec<String>> = names
        .into_iter()
        .map(|name| {
            let value = |id: &String| comparison.metrics[id].get(name).map_or("-".to_owned(), |v| format!("{v:.4}"));
            let mut row = vec![name.clone()];
            row.extend(comparison.run_ids.iter().map(value));
            if two {
                row.push(comparison.diffs.get(name).map_or("-".to_owned(), |diff| format!("{diff:+.4}")));
            }
            row
        })
        .collect();
    out.push_str(&render(&header, &rows));
    out.push_str(match (comparison.predictions_equal, comparison.logprobs_equal) {
        (true, Some(true)) => "\nAnswers and logprobs are equal, bit for bit.\n",
        (true, Some(false)) => "\nThe answers are equal, their logprobs are not.\n",
        (true, None) => "\nThe answers are equal; not every run has logprobs.\n",
        (false, _) => "\nThe answers differ.\n",
    });
    out.push_str(&experiment_text(comparison));
    out
}

/// Whether a difference between the results means anything.
fn experiment_text(comparison: &Comparison) -> String {
    if comparison.comparable {
        return "The runs are the same experiment.\n".to_owned();
    }
    let mut out = "Not the same experiment:\n".to_owned();
    for difference in &comparison.differences {
        out.push_str(&format!("  {difference}\n"));
    }
    if comparison.differences.is_empty() {
        out.push_str("  a run has jobs that are missing or failed in the backend\n");
    }
    out
}
