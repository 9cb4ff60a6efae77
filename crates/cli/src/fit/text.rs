//! `puma fit` for people: a table of many rows, or all about one.

use super::report::{CorrectionLine, FitReport, FitRow, MeasuredLine, PhaseLine, SpeedRange};
use crate::command::models::bytes;
use crate::table::{Align, render};
use puma_host::fit::{ContextLimit, LargestContext, Pool, Verdict};

const GIB: f64 = (1u64 << 30) as f64;

/// One line a row. What is the same in every row is said once, beneath.
pub(crate) fn table(report: &FitReport) -> String {
    /// Columns that may be said once.
    const COMMON: [&str; 4] = ["engine", "here", "context", "has"];
    let header = [
        ("model", Align::Left),
        ("engine", Align::Left),
        ("here", Align::Left),
        ("size", Align::Right),
        ("context", Align::Right),
        ("needs", Align::Right),
        ("has", Align::Right),
        ("verdict", Align::Left),
        ("largest", Align::Right),
        ("decode tok/s", Align::Right),
        ("prefill tok/s", Align::Right),
    ];
    let rows: Vec<Vec<String>> = report.models.iter().map(line).collect();
    let same = |column: usize| {
        let first = rows.first().map(|row| &row[column]);
        COMMON.contains(&header[column].0) && rows.len() > 1 && rows.iter().all(|row| Some(&row[column]) == first)
    };
    let (once, kept): (Vec<usize>, Vec<usize>) = (0..header.len()).partition(|column| same(*column));
    let pick = |row: &Vec<String>| kept.iter().map(|column| row[*column].clone()).collect();
    let names: Vec<(&str, Align)> = kept.iter().map(|column| header[*column]).collect();
    let mut out = render(&names, &rows.iter().map(pick).collect::<Vec<_>>());
    if !once.is_empty() {
        let said: Vec<String> =
            once.iter().map(|column| format!("{} {}", header[*column].0, rows[0][*column])).collect();
        out.push_str(&format!("in every row: {}\n", said.join(", ")));
    }
    out
}

fn line(row: &FitRow) -> Vec<String> {
    let dash = || "-".to_owned();
    let speed = |pick: fn(&super::report::SpeedLine) -> &PhaseLine| {
        row.speed.as_ref().and_then(|speed| best(pick(speed))).map_or_else(dash, short_range)
    };
    vec![
        row.model.clone(),
        row.engine.clone(),
        if row.on_this_machine { "yes" } else { "no" }.to_owned(),
        row.weights_bytes.map_or_else(dash, bytes),
        row.context.to_string(),
        row.fit.as_ref().map_or_else(dash, |fit| gib(fit.needs.total_bytes())),
        row.budget.as_ref().map_or_else(dash, |budget| gib(budget.fast_bytes())),
        row.fit.as_ref().map_or_else(|| "unknown".to_owned(), |fit| verdict(fit.verdict, fit.gpu_layers, row.layers)),
        row.largest_context.as_ref().map_or_else(dash, |largest| largest.tokens.to_string()),
        speed(|speed| &speed.decode),
        speed(|speed| &speed.prefill),
    ]
}

fn verdict(verdict: Verdict, gpu_layers: Option<u32>, layers: Option<u32>) -> String {
    match (verdict, gpu_layers, layers) {
        (Verdict::PartialOffload, Some(gpu), Some(all)) => format!("{} {gpu}/{all}", verdict.as_str()),
        _ => verdict.as_str().to_owned(),
    }
}

/// What own runs made of the prediction, else the prediction.
fn best(phase: &PhaseLine) -> Option<&SpeedRange> {
    phase.corrected.as_ref().or(phase.predicted.as_ref())
}

fn short_range(range: &SpeedRange) -> String {
    format!("{} ({}-{})", number(range.tokens_per_s), number(range.low), number(range.high))
}

pub(crate) fn number(value: f64) -> String {
    // Two digits say what a prediction knows.
    match value {
        100.0.. => format!("{value:.0}"),
        1.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Binary gigabytes, as memory is sold and limits are set.
pub(crate) fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / GIB)
}

/// Everything about one model with one context.
pub(crate) fn details(row: &FitRow) -> String {
    let mut lines: Vec<(&str, String)> = vec![("model", format!("{}, answered by {}", row.model, row.engine))];
    if let Some(problem) = &row.problem {
        lines.push(("problem", problem.clone()));
        return rendered(&lines);
    }
    lines.extend(model_lines(row));
    if let (Some(fit), Some(budget)) = (&row.fit, &row.budget) {
        let needs = &fit.needs;
        lines.push(("needs", format!("{} in all", gib(needs.total_bytes()))));
        lines.push(("  weights", gib(needs.weights_bytes)));
        let asked = format!("{} tokens x {} as {}", row.context, row.sequences, row.kv_type.as_str());
        lines.push(("  cache", format!("{} for {asked}", gib(needs.kv_bytes))));
        lines.push(("  buffers", format!("{} (estimated)", gib(needs.compute_bytes))));
        lines.push(("  program", format!("{} (estimated)", gib(needs.program_bytes))));
        lines.extend(budget.pools().into_iter().map(|pool| ("has", pool_line(pool))));
        lines.push(("verdict", verdict(fit.verdict, fit.gpu_layers, row.layers)));
        lines.push(("because", fit.reason.clone()));
        lines.extend(fit.hint.iter().map(|hint| ("hint", hint.clone())));
    }
    lines.push(("largest context", largest(row.largest_context.as_ref(), "with the margin kept")));
    lines.push(("", largest(row.largest_context_without_paging.as_ref(), "without paging")));
    if let Some(speed) = &row.speed {
        lines.extend(speed_lines("decode", &speed.decode));
        lines.extend(speed_lines("prefill", &speed.prefill));
        lines.push(("speeds for", format!("a prompt of {} tokens", speed.prompt_tokens)));
    }
    rendered(&lines)
}

fn model_lines(row: &FitRow) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let source = row.source.map_or("unknown", |source| source.as_str());
    let quantization = row.quantization.as_deref().unwrap_or("unknown quantization");
    let size = row.weights_bytes.map_or_else(|| "unknown".to_owned(), bytes);
    lines.push(("size", format!("{size}, {quantization} ({}; from the {source})", row.quality.as_str())));
    if let Some(parameters) = row.parameters {
        let all = format!("{:.2} billion", parameters as f64 / 1e9);
        let active = row.active_parameters.filter(|active| *active < parameters / 10 * 9);
        let active = active.map_or_else(String::new, |count| format!(", {:.2} used for a token", count as f64 / 1e9));
        lines.push(("parameters", format!("{all}{active}")));
    }
    lines.push(("on this machine", if row.on_this_machine { "yes" } else { "no" }.to_owned()));
    lines
}

fn pool_line(pool: &Pool) -> String {
    format!(
        "{} of {} {} free, {} kept free ({}; {})",
        gib(pool.limit_bytes()),
        gib(pool.total_bytes),
        pool.kind.as_str(),
        gib(pool.margin_bytes),
        pool.quality.as_str(),
        pool.source
    )
}

fn largest(found: Option<&LargestContext>, what: &str) -> String {
    match found {
        None => format!("none {what}"),
        Some(LargestContext { tokens, limit }) => {
            let why = match limit {
                ContextLimit::Memory => "memory ends it",
                ContextLimit::Training => "trained for no more",
                ContextLimit::Unknown => "nothing longer was tried",
            };
            format!("{tokens} tokens {what} ({why})")
        }
    }
}

fn speed_lines(name: &'static str, phase: &PhaseLine) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(range) = &phase.predicted {
        lines.push(format!("{} tok/s predicted ({})", short_range(range), range.basis));
    }
    if let Some(reason) = &phase.unknown {
        lines.push(reason.clone());
    }
    if let (Some(range), Some(CorrectionLine { factor, runs, models })) = (&phase.corrected, &phase.correction) {
        let own = format!("{} of {}", count(*runs, "own run"), count(*models, "model"));
        let factor = if phase.predicted.is_some() { format!(", x {factor:.2}") } else { String::new() };
        lines.push(format!("{} tok/s by {own}{factor}", short_range(range)));
    }
    lines.extend(phase.measured.iter().map(measured));
    lines.extend(best(phase).into_iter().flat_map(|range| range.notes.iter().cloned()));
    lines.into_iter().enumerate().map(|(index, line)| (if index == 0 { name } else { "" }, line)).collect()
}

fn measured(line: &MeasuredLine) -> String {
    let at_once = if line.sequences == 1 { String::new() } else { format!(", {} at once", line.sequences) };
    let runs = count(line.runs, "run");
    format!("{} tok/s measured in {runs}, {} tokens{at_once}", number(line.tokens_per_s), line.tokens)
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn rendered(lines: &[(&str, String)]) -> String {
    let wide = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = lines.iter().map(|(name, text)| format!("{name:wide$}  {text}")).collect();
    lines.join("\n") + "\n"
}
