//! `puma leaderboard`: which model with which strategy is best, among those that judged the same instances.

use crate::comparison::{interval, plain};
use crate::context::Context;
use crate::document::{Block, Grid, markdown, text};
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::summary::short_model;
use crate::table::Align;
use clap::Args;
use puma_core::{Clock as _, RecordedRun, RunId};
use puma_eval::leaderboard::{self, BaselineRow, Board, BoardError, Entry, LeftOut, Options, Table};
use puma_eval::metric::Better;
use puma_eval::spec::canonical_scenario;
use puma_store::{RunFilter, parse_since};

/// Arguments of `puma leaderboard`.
#[derive(Debug, Args)]
pub(crate) struct LeaderboardArgs {
    /// Only runs of this scenario.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Rank by this metric instead of F1 macro, MAE with missing answers as guesses, or accuracy.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Only runs of the dataset of this name.
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Only runs started since then: `24h`, `7d`, a date or a moment.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Also runs that a newer one of the same model, strategy, engine and options repeats.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long, conflicts_with_all = ["markdown", "csv"])]
    json: bool,
    /// Print Markdown.
    #[arg(long, conflicts_with = "csv")]
    markdown: bool,
    /// Print comma-separated values, one line an entry.
    #[arg(long)]
    csv: bool,
}

pub(crate) fn run(args: LeaderboardArgs, context: &Context) -> Result<(), Failure> {
    let LeaderboardArgs { scenario, metric, dataset, since, all, json, markdown: as_markdown, csv } = args;
    let since = since
        .map(|text| parse_since(&text, context.clock.now()))
        .transpose()
        .map_err(|error| Failure::invalid(error.to_string()).hint_opt(error.hint()))?;
    let scenario = scenario.map(|name| canonical_scenario(&name).map_or(name, str::to_owned));
    let store = context.existing_store()?;
    let listed = store.list_runs(&RunFilter { scenario, since, ..RunFilter::default() })?;
    let load = |run: puma_store::RunSummary| store.load_run(&RunId::new(run.run_id));
    let runs: Vec<RecordedRun> = listed.into_iter().map(load).collect::<Result<_, _>>()?;
    let options = Options { metric, dataset, all, ..Options::default() };
    let board = leaderboard::leaderboard(&runs, &options).map_err(|error| refused(&error))?;
    if json {
        context.ui.json(&board)?;
    } else if !board.tables.is_empty() {
        context.ui.data(&match (as_markdown, csv) {
            (true, _) => markdown(&blocks(&board)),
            (false, true) => lines(&board).csv(),
            (false, false) => text(&blocks(&board)),
        })?;
    }
    if board.tables.is_empty() {
        let nothing = Failure::new(ExitKind::NothingMatched, "no complete run matches");
        return Err(board.left_out.iter().take(3).map(left_out).fold(nothing, Failure::hint));
    }
    Ok(())
}

fn refused(error: &BoardError) -> Failure {
    Failure::invalid(error.to_string()).hint("docs/reference/metrics.md lists the metrics and which direction is good")
}

fn blocks(board: &Board) -> Vec<Block> {
    let mut blocks = Vec::new();
    for table in &board.tables {
        blocks.push(Block::Heading(title(table)));
        blocks.push(Block::Table(grid(table)));
        blocks.push(Block::Paragraph(legend(table)));
    }
    if !board.left_out.is_empty() {
        const SHOWN: usize = 8;
        let mut lines: Vec<String> = board.left_out.iter().take(SHOWN).map(left_out).collect();
        if board.left_out.len() > SHOWN {
            lines.push(format!("{} more: --json has them", board.left_out.len() - SHOWN));
        }
        blocks.push(Block::Heading("Left out:".to_owned()));
        blocks.push(Block::List(lines));
    }
    blocks
}

fn left_out(left: &LeftOut) -> String {
    format!("{} ({} {}): {}", left.run_id, short_model(&left.model), left.strategy, left.reason)
}

fn title(table: &Table) -> String {
    let data: String = table.dataset_sha256.chars().take(8).collect();
    let set: String = table.instances_sha256.chars().take(8).collect();
    let compat = table.compat.as_ref().map_or_else(String::new, |compat| format!(", compat {compat}"));
    format!("{} on {} ({data}), the {} instances {set}{compat}:", table.scenario, table.dataset, table.instances)
}

/// Headings of an entry's cells.
const CELLS: [(&str, &str); 9] = [
    ("f1_macro", "F1"),
    ("accuracy", "accuracy"),
    ("mae", "MAE"),
    ("coverage", "answered"),
    ("ece", "ECE"),
    ("generated_tokens.mean", "tokens"),
    ("tokens_per_second", "tokens/s"),
    ("latency.p50", "median ms"),
    ("energy_per_job_j", "J/job"),
];

fn grid(table: &Table) -> Grid {
    let known = |name: &str| table.entries.iter().any(|entry| entry.cells.iter().any(|cell| cell.name == name));
    let cells: Vec<(&str, &str)> = CELLS.into_iter().filter(|(name, _)| known(name)).collect();
    let metric =
        if table.unit.is_empty() { table.metric.clone() } else { format!("{} ({})", table.metric, table.unit) };
    let mut grid = Grid::new(&["rank", "may be", "", "model", "strategy", &metric, "95 % interval"], 0);
    (2..5).for_each(|column| grid.header[column].1 = Align::Left);
    grid.header.extend(cells.iter().map(|(_, heading)| ((*heading).to_owned(), Align::Right)));
    let better = |baseline: &BaselineRow, entry: &Entry| match table.better {
        Better::Lower => baseline.value < entry.value,
        Better::Higher | Better::Neither => baseline.value > entry.value,
    };
    let mut baselines: Vec<&BaselineRow> = table.baselines.iter().collect();
    baselines.sort_by(|a, b| a.value.total_cmp(&b.value));
    if table.better != Better::Lower {
        baselines.reverse();
    }
    let mut rest = baselines.as_slice();
    for entry in &table.entries {
        while let [next, others @ ..] = rest
            && better(next, entry)
        {
            grid.rows.push(baseline_row(next, &table.unit, cells.len()));
            rest = others;
        }
        grid.rows.push(entry_row(entry, &table.unit, &cells));
    }
    grid.rows.extend(rest.iter().map(|baseline| baseline_row(baseline, &table.unit, cells.len())));
    grid
}

fn entry_row(entry: &Entry, unit: &str, cells: &[(&str, &str)]) -> Vec<String> {
    let may_be = if entry.rank_low == entry.rank_high {
        entry.rank_low.to_string()
    } else {
        format!("{}-{}", entry.rank_low, entry.rank_high)
    };
    let mut row = vec![
        entry.rank.to_string(),
        may_be,
        entry.letters.clone().unwrap_or_default(),
        short_model(&entry.model).to_owned(),
        entry.strategy.clone(),
        plain(Some(entry.value), unit),
        interval(entry.ci_low, entry.ci_high, unit),
    ];
    row.extend(cells.iter().map(|(name, _)| {
        let cell = entry.cells.iter().find(|cell| cell.name == *name);
        cell.map_or_else(|| "-".to_owned(), |cell| plain(Some(cell.value), &cell.unit))
    }));
    row
}

fn baseline_row(baseline: &BaselineRow, unit: &str, cells: usize) -> Vec<String> {
    let name = format!("({})", baseline.name);
    let mut row = ["", "", "", &name, "trivial", &plain(Some(baseline.value), unit), ""].map(str::to_owned).to_vec();
    row.extend(std::iter::repeat_n(String::new(), cells));
    row
}

fn legend(table: &Table) -> String {
    let mut text = if table.tests == 0 {
        "One entry has nothing to be told apart from.".to_owned()
    } else {
        format!(
            "Entries that share a letter are not told apart at {} ({}, Holm over {} pairs); `may be` is the range of \
             ranks that leaves.",
            table.alpha, table.test, table.tests
        )
    };
    if table.entries.len() > 1 && table.tests == 0 {
        text = format!("Nothing here says which differences are more than chance: {} is {}.", table.metric, table.test);
    }
    let below = table.entries.iter().filter(|entry| !entry.beaten_by.is_empty()).count();
    if below > 0 {
        let all = table.entries.len();
        text.push_str(&format!("\n{below} of {all} entries stand below a judge that does not read the issue."));
    }
    if table.entries.iter().any(|entry| entry.speed_void) {
        text.push_str("\nA dash under speed and energy: the run was disturbed, or nothing was measured.");
    }
    text
}

/// One line an entry over all tables, for spreadsheets.
fn lines(board: &Board) -> Grid {
    let mut names = vec![
        "scenario",
        "dataset",
        "instances",
        "metric",
        "rank",
        "rank_low",
        "rank_high",
        "letters",
        "model",
        "strategy",
        "value",
        "ci_low",
        "ci_high",
        "n",
    ];
    names.extend(CELLS.map(|(name, _)| name));
    names.extend(["digest", "quantization", "engine", "run_id", "instances_sha256"]);
    let mut grid = Grid::new(&names, 0);
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for table in &board.tables {
        for entry in &table.entries {
            let mut row = vec![
                table.scenario.clone(),
                table.dataset.clone(),
                table.instances.to_string(),
                table.metric.clone(),
                entry.rank.to_string(),
                entry.rank_low.to_string(),
                entry.rank_high.to_string(),
                entry.letters.clone().unwrap_or_default(),
                entry.model.clone(),
                entry.strategy.clone(),
                entry.value.to_string(),
                number(entry.ci_low),
                number(entry.ci_high),
                entry.n.to_string(),
            ];
            row.extend(CELLS.map(|(name, _)| {
                let own = (name == table.metric).then_some(entry.value);
                number(own.or_else(|| entry.cells.iter().find(|cell| cell.name == name).map(|cell| cell.value)))
            }));
            row.extend([
                entry.digest.clone().unwrap_or_default(),
                entry.quantization.clone().unwrap_or_default(),
                entry.engine.clone(),
                entry.run_id.clone(),
                table.instances_sha256.clone(),
            ]);
            grid.rows.push(row);
        }
    }
    grid
}
