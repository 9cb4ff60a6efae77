//! `puma compare`: what differs between runs, and whether it is more than chance.

use crate::comparison::{ComparisonReport, FlipLimit, Letters, detail, overview};
use crate::context::Context;
use crate::document::{Block, markdown, text};
use crate::failure::Failure;
use crate::report::RunReport;
use crate::{execute, runs};
use clap::{Args, ValueEnum};
use puma_core::RecordedRun;
use puma_eval::comparison::{self, Comparison, Dimension, MatchError, Matched, Selection, SideName};
use puma_eval::metric;
use std::path::{Path, PathBuf};

/// Arguments of `puma compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Two or more run ids, beginnings of ids, or `latest`; one with `--by`.
    #[arg(required = true)]
    runs: Vec<String>,
    /// Compare the parts of one run that differ in this alone.
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
    /// Each with each, instead of the first with every other.
    #[arg(long)]
    all_pairs: bool,
    /// Only this model of every run.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only this strategy of every run.
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Only this perturbation of every run; `none` is the unchanged instances.
    #[arg(long, value_name = "NAME")]
    perturbation: Option<String>,
    /// Of the first run, this model.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "by"])]
    a_model: Option<String>,
    /// Of the other runs, this model.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "by"])]
    b_model: Option<String>,
    /// Of the first run, this strategy.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["strategy", "by"])]
    a_strategy: Option<String>,
    /// Of the other runs, this strategy.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["strategy", "by"])]
    b_strategy: Option<String>,
    /// Of the first run, this perturbation.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["perturbation", "by"])]
    a_perturbation: Option<String>,
    /// Of the other runs, this perturbation.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["perturbation", "by"])]
    b_perturbation: Option<String>,
    /// How many changed answers of a single comparison to show: a number, or `all`.
    #[arg(long, value_name = "N", default_value = "10")]
    flips: FlipLimit,
    /// Print JSON.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown.
    #[arg(long)]
    markdown: bool,
    /// Also write the JSON to this file, or Markdown if it ends with `.md`.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What tells the parts of one run apart.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Model,
    Strategy,
    Perturbation,
}

impl By {
    fn dimension(self) -> Dimension {
        match self {
            Self::Model => Dimension::Model,
            Self::Strategy => Dimension::Strategy,
            Self::Perturbation => Dimension::Perturbation,
        }
    }
}

pub(crate) fn run(args: CompareArgs, context: &Context) -> Result<(), Failure> {
    let CompareArgs {
        runs,
        by,
        all_pairs,
        model,
        strategy,
        perturbation,
        a_model,
        b_model,
        a_strategy,
        b_strategy,
        a_perturbation,
        b_perturbation,
        flips,
        json,
        markdown: as_markdown,
        output,
    } = args;
    match (runs.len(), by) {
        (1, None) => {
            return Err(Failure::invalid("one run was named, and it takes 2 to compare").hint(
                "name another run, or compare parts of this one: `--by model`, `--by strategy` or `--by perturbation`",
            ));
        }
        (2.., Some(_)) => {
            return Err(Failure::invalid("`--by` compares parts of one run, and several were named")
                .hint("leave `--by` out: groups of the same model and strategy are compared with each other"));
        }
        _ => {}
    }
    let first = Selection {
        model: a_model.or_else(|| model.clone()),
        strategy: a_strategy.or_else(|| strategy.clone()),
        perturbation: a_perturbation.or_else(|| perturbation.clone()),
    };
    let others = Selection {
        model: b_model.or(model),
        strategy: b_strategy.or(strategy),
        perturbation: b_perturbation.or(perturbation),
    };
    let recorded: Vec<RecordedRun> = runs.iter().map(|wanted| runs::open(context, wanted)).collect::<Result<_, _>>()?;
    let matched = match by {
        Some(by) => vec![
            comparison::within(&recorded[0], &first, by.dimension(), all_pairs).map_err(|error| unmatched(&error))?,
        ],
        None => between_runs(&recorded, &first, &others, all_pairs)?,
    };
    let (comparisons, lonely) = compare(&matched)?;
    let reports: Vec<RunReport> = recorded.iter().map(execute::report).collect::<Result<_, _>>()?;
    let report = ComparisonReport::new(&recorded, &reports, comparisons, lonely);
    let blocks = blocks(&report, flips);
    if let Some(path) = output {
        write(&path, &report, &blocks)?;
    }
    match (json, as_markdown) {
        (true, _) => context.ui.json(&report),
        (false, true) => context.ui.data(&markdown(&blocks)),
        (false, false) => context.ui.data(&text(&blocks)),
    }
}

/// The sides of the first run with those of every other, or of each run with those of each later one.
fn between_runs<'a>(
    recorded: &'a [RecordedRun],
    first: &Selection,
    others: &Selection,
    all_pairs: bool,
) -> Result<Vec<Matched<'a>>, Failure> {
    let lefts = if all_pairs { recorded.len() - 1 } else { 1 };
    let mut matched = Vec::new();
    for left in 0..lefts {
        let own = if left == 0 { first } else { others };
        for right in &recorded[left + 1..] {
            let found = comparison::between((&recorded[left], own), (right, others));
            matched.push(found.map_err(|error| unmatched(&error))?);
        }
    }
    Ok(matched)
}

fn unmatched(error: &MatchError) -> Failure {
    let failure = Failure::invalid(error.to_string());
    match error {
        MatchError::Empty { run_id } => failure.hint(format!("go on with `puma run --resume {run_id}`")),
        MatchError::Unclear { dimension, first, second, .. } => failure.hint(format!(
            "choose one of each: `--a-{dimension} {} --b-{dimension} {}`",
            first.first().map_or("NAME", String::as_str),
            second.first().map_or("NAME", String::as_str)
        )),
        _ => failure.hint("`puma show RUN` lists the models, strategies and perturbations of a run"),
    }
}

/// Compares every match, corrects the tests over all of them, and names each side that found no counterpart.
fn compare(matched: &[Matched<'_>]) -> Result<(Vec<Comparison>, Vec<SideName>), Failure> {
    let options = metric::Options::default();
    let mut comparisons = Vec::new();
    let mut lonely: Vec<SideName> = Vec::new();
    for Matched { pairs, only_first, only_second } in matched {
        for (first, second) in pairs {
            let task = execute::find_scenario(&first.run.header.scenario)?.task();
            let found = comparison::compare(&task, first, second, &options)
                .map_err(|error| Failure::operation(error.to_string()))?;
            comparisons.push(found);
        }
        lonely.extend(only_first.iter().chain(only_second).cloned());
    }
    lonely.sort();
    lonely.dedup();
    comparison::correct(&mut comparisons);
    Ok((comparisons, lonely))
}

fn blocks(report: &ComparisonReport, flips: FlipLimit) -> Vec<Block> {
    let letters = Letters::new(&report.comparisons);
    let mut blocks = overview(report, &letters);
    if let [only] = report.comparisons.as_slice() {
        blocks.extend(detail(only, &letters, flips));
    }
    blocks
}

fn write(path: &Path, report: &ComparisonReport, blocks: &[Block]) -> Result<(), Failure> {
    let text = if path.extension().is_some_and(|extension| extension == "md") {
        markdown(blocks)
    } else {
        serde_json::to_string_pretty(report).map_err(|error| Failure::operation(error.to_string()))? + "\n"
    };
    std::fs::write(path, text)
        .map_err(|error| Failure::operation(format!("{} cannot be written: {error}", path.display())))
}
