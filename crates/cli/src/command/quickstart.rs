//! `puma quickstart`: from nothing to a first table.

use crate::command::run::InlineArgs;
use crate::context::Context;
use crate::execute::{self, Data, Executed, Order};
use crate::failure::Failure;
use crate::options::{BackendArgs, EngineOptions, MachineArgs};
use crate::progress::PullBar;
use crate::report::RunReport;
use crate::table::{Align, render};
use crate::{summary, wire};
use clap::Args;
use puma_backends::sources::Library;
use puma_eval::run::JobOrder;
use serde::Serialize;

/// Arguments of `puma quickstart`.
#[derive(Debug, Args)]
pub(crate) struct QuickstartArgs {
    /// Model to judge [default: the catalogue's default, SmolLM2-135M].
    #[arg(long)]
    model: Option<String>,
    /// Instances a scenario, 1 to 64.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=64))]
    instances: u32,
    /// Ask every question again instead of using answers from the inference cache.
    #[arg(long)]
    no_cache: bool,
    /// Print JSON: the report of the triage run, and all three reports under `runs`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineOptions,
}

/// The strategy that small models answer best: it says what each answer means.
const STRATEGY: &str = "contextual-anchoring";
/// Small models ramble; a label or a number comes first or not at all.
const MAX_TOKENS: u32 = 32;

/// The questions of the tour.
const TOUR: [Stop; 3] = [
    Stop { scenario: "triage_jira", metric: "f1_macro", question: "Which priority has this issue?", better: "higher" },
    Stop { scenario: "estimation_tawos", metric: "mae", question: "How many story points is this?", better: "lower" },
    Stop {
        scenario: "prioritization_jira",
        metric: "accuracy",
        question: "Which of two issues goes first?",
        better: "higher",
    },
];

/// One scenario of the tour: its headline metric and what it asks.
struct Stop {
    scenario: &'static str,
    metric: &'static str,
    question: &'static str,
    better: &'static str,
}

/// The triage report with all three beneath it.
#[derive(Serialize)]
struct QuickstartReport<'a> {
    #[serde(flatten)]
    first: &'a RunReport,
    runs: Vec<&'a RunReport>,
}

pub(crate) fn run(args: QuickstartArgs, context: &Context) -> Result<(), Failure> {
    let QuickstartArgs { model, instances, engine, no_cache, json } = args;
    let library = wire::library(context.home.as_deref())?;
    let model = model.unwrap_or_else(|| library.catalogue.default.clone());
    fetch(&library, &model, context)?;
    let mut runs = Vec::new();
    for stop in &TOUR {
        let executed = execute::execute(&order(stop, &model, instances, &engine, !no_cache)?, context)?;
        execute::verdict(&executed)?;
        runs.push(executed);
    }
    if json {
        let reports: Vec<&RunReport> = runs.iter().map(|run| &run.report).collect();
        return context.ui.json(&QuickstartReport { first: reports[0], runs: reports });
    }
    context.ui.data(&farewell(&model, &runs))
}

/// Makes sure that the model is in PUMA's own folder, from its first source: the same bytes on every machine. A file
/// or a model of another program is taken as it is.
fn fetch(library: &Library, model: &str, context: &Context) -> Result<(), Failure> {
    if library.catalogue.get(model).is_none() && library.resolve(model).is_ok() {
        return Ok(());
    }
    let mut bar = PullBar::new(&context.ui);
    let pulled = library.pull(model, &wire::pull_options(), &mut bar, &context.cancel);
    bar.clear();
    let pulled = pulled?;
    if !pulled.already_there {
        context.ui.note(&format!("fetched {model} from {}", pulled.model.origin));
    }
    Ok(())
}

fn order(stop: &Stop, model: &str, instances: u32, engine: &EngineOptions, cache: bool) -> Result<Order, Failure> {
    let inline = InlineArgs {
        scenario: Some(stop.scenario.to_owned()),
        model: vec![model.to_owned()],
        strategy: vec![STRATEGY.to_owned()],
        max_tokens: Some(MAX_TOKENS),
        instances: Some(instances),
        ..InlineArgs::default()
    };
    Ok(Order {
        spec: inline.into_spec()?,
        data: Data::Sample,
        backend: BackendArgs { engine: engine.clone(), ..BackendArgs::default() },
        machine: MachineArgs::default(),
        cache,
        order: JobOrder::Given,
        fresh: false,
        resume: None,
    })
}

/// The table a newcomer understands, and what to type next.
fn farewell(model: &str, runs: &[Executed]) -> String {
    let header = [
        ("question", Align::Left),
        ("measure", Align::Left),
        (model, Align::Right),
        ("guessing", Align::Left),
        ("read", Align::Right),
        ("seconds", Align::Right),
    ];
    let rows: Vec<Vec<String>> = TOUR.iter().zip(runs).map(|(stop, run)| row(stop, &run.report)).collect();
    let first = &runs[0].report;
    format!(
        "\n{}\nIn brackets: the 95 % interval. \"guessing\" is what the best judge reaches who understands nothing of the issue: trust\n\
         a model only where its whole interval is better. \"read\" counts the answers that could be understood.\n\n\
         Next:\n  \
         puma show {}\n      every number of the first run, and `--instance ID` for a single answer\n  \
         puma run --scenario triage_jira --model {model} --data YOUR_EXPORT.csv\n      \
         judge your own Jira or GitHub export\n  \
         puma models recommended\n      stronger models that fit this machine\n",
        render(&header, &rows),
        first.run_id,
    )
}

fn row(stop: &Stop, report: &RunReport) -> Vec<String> {
    let value = report.metrics.iter().find(|metric| metric.name == stop.metric);
    // The strongest of those that read nothing comes first.
    let strongest = report.against_baselines.first().map(|row| row.baseline.as_str());
    let baseline = report.baselines.iter().find(|b| Some(b.name.as_str()) == strongest && b.metric == stop.metric);
    vec![
        stop.question.to_owned(),
        format!("{} ({} is better)", stop.metric, stop.better),
        value.map_or_else(|| "-".to_owned(), summary::cell),
        baseline.map_or_else(|| "-".to_owned(), |b| format!("{:.3} ({})", b.value, b.name)),
        format!("{} of {}", report.outcomes.answered, report.jobs),
        format!("{:.1}", report.timing.wall_s),
    ]
}
