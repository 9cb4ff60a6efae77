//! `puma datasets check`: whether a score on the data would mean what it says.

use crate::command::run::DataArgs;
use crate::context::Context;
use crate::execute::{self, Data, find_scenario};
use crate::exit::ExitKind;
use crate::failure::Failure;
use clap::Args;
use puma_eval::dataset::{self, DatasetErrorKind, Examined, ReadOptions};
use puma_eval::dataset_check::{CheckInput, CheckReport, check, unreadable_file};
use puma_eval::scenario::Scenario;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `puma datasets check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// CSV or JSON file, as `puma run --data` takes it, or the name of a sample set [default: the scenario's sample set].
    data: Option<PathBuf>,
    /// triage_jira, estimation_tawos or prioritization_jira.
    #[arg(long)]
    scenario: String,
    /// Where fields stand in the file: `title=summary,priority=severity`.
    #[arg(long, value_name = "FIELD=COLUMN,…", requires = "data")]
    columns: Option<String>,
    /// Instances that a run would judge: twins of these among the other rows are told.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    instances: u32,
    /// Seed of that sample.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Context window that issues must fit into.
    #[arg(long, value_name = "TOKENS", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(64..))]
    context: u32,
    /// End with code 1 for warnings too, not only for errors.
    #[arg(long)]
    strict: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: CheckArgs, context: &Context) -> Result<(), Failure> {
    let CheckArgs { data, scenario, columns, instances, seed, context: context_tokens, strict, json } = args;
    let scenario = find_scenario(&scenario)?;
    let sample = execute::sample_data(scenario.name())?;
    let data = match &data {
        Some(name) if !name.exists() && name.to_str() == Some(&sample.identity.name) => Data::Sample,
        _ => DataArgs { data, columns }.into_data()?,
    };
    let report = match execute::data_file(&data, scenario.name(), context)? {
        None => {
            let examined = Examined { dataset: sample.clone(), problems: Vec::new() };
            checked(&examined, &sample, scenario, (instances, seed, context_tokens))?
        }
        Some((bytes, options)) => {
            let as_exported = ReadOptions { keep_artefact_quotes: true, ..options.clone() };
            let name = execute::stem(&options.name);
            match dataset::examine(&bytes, options)
                .and_then(|examined| Ok((examined, dataset::examine(&bytes, as_exported)?)))
            {
                Ok((mut examined, as_exported)) => {
                    examined.dataset.identity.name = name;
                    checked(&examined, &as_exported.dataset, scenario, (instances, seed, context_tokens))?
                }
                Err(error) => match error.kind {
                    // The file may be fine; what was typed is not.
                    DatasetErrorKind::MissingColumn | DatasetErrorKind::UnknownField => {
                        return Err(Failure::invalid(error.to_string()));
                    }
                    _ => unreadable_file(&error, scenario),
                },
            }
        }
    };
    if json {
        context.ui.json(&report)?
    } else {
        context.ui.data(&text(&report))?
    }
    verdict(&report, strict)
}

fn checked(
    examined: &Examined,
    as_exported: &dataset::Dataset,
    scenario: &'static dyn Scenario,
    (instances, seed, context_tokens): (u32, u64, u32),
) -> Result<CheckReport, Failure> {
    check(CheckInput {
        examined,
        as_exported,
        scenario,
        instances: instances as usize,
        seed,
        context_tokens: context_tokens as usize,
    })
    .map_err(|error| Failure::invalid(error.to_string()).hint(error.hint()))
}

fn text(report: &CheckReport) -> String {
    let CheckReport { name, scenario, rows, judged, errors, warnings, notes, .. } = report;
    let mut out = format!("{scenario} · {name} · {rows} usable rows, {judged} issues in the sample\n");
    for finding in &report.findings {
        let _ = writeln!(out, "\n{}: {}  [{}]", finding.severity.as_str(), finding.message, finding.check.as_str());
        for example in &finding.examples {
            let _ = match example.line {
                Some(line) => writeln!(out, "    line {line}: {}", example.text),
                None => writeln!(out, "    {}", example.text),
            };
        }
        if let Some(hint) = &finding.hint {
            let _ = writeln!(out, "    hint: {hint}");
        }
    }
    let plural = |count: usize, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    let _ =
        writeln!(out, "\n{}, {}, {}", plural(*errors, "error"), plural(*warnings, "warning"), plural(*notes, "note"));
    out
}

fn verdict(report: &CheckReport, strict: bool) -> Result<(), Failure> {
    let failed = |what: String| Err(Failure::new(ExitKind::OperationFailed, format!("{} {what}", report.name)));
    match (report.errors, report.warnings) {
        (0, 0) => Ok(()),
        (0, _) if !strict => Ok(()),
        (0, warnings) => failed(format!("gives reason for {warnings} warnings, and `--strict` takes them seriously")),
        (_, _) => failed("cannot be used as it is".to_owned()),
    }
}
