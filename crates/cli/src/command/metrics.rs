//! `puma metrics`: what can be measured, and how each number is made.

use crate::context::Context;
use crate::failure::Failure;
use crate::table::{Align, render_wrapped};
use clap::Args;
use clap::builder::PossibleValuesParser;
use puma_eval::metric::{self, Better, Family, MetricDef, Missing};
use serde::Serialize;
use std::fmt::Write as _;

/// Arguments of `puma metrics`.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// One metric, by its name or another name it has, in full (`f1_macro`, `per_class.Critical.f1`, `latency_p95`).
    #[arg(value_name = "NAME", conflicts_with = "family")]
    name: Option<String>,
    /// Only the metrics of one family.
    #[arg(long, value_name = "FAMILY", value_parser = PossibleValuesParser::new(Family::ALL.map(Family::as_str)))]
    family: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: MetricsArgs, context: &Context) -> Result<(), Failure> {
    let MetricsArgs { name, family, json } = args;
    let rows = match &name {
        Some(name) => vec![found(name)?],
        None => metric::metrics().filter(|def| family.as_deref().is_none_or(|wanted| is_of(def, wanted))).collect(),
    };
    if json {
        return context.ui.json(&rows.into_iter().map(Row::of).collect::<Vec<Row>>());
    }
    context.ui.data(&match rows.as_slice() {
        [one] if name.is_some() => in_full(one),
        rows => listed(rows),
    })
}

fn is_of(def: &MetricDef, family: &str) -> bool {
    def.families.iter().any(|own| own.as_str() == family)
}

fn found(name: &str) -> Result<&'static MetricDef, Failure> {
    let unknown = match metric::resolve(name) {
        Ok((def, _)) => return Ok(def),
        Err(unknown) => unknown,
    };
    let failure = Failure::invalid(format!("there is no metric named `{name}`"));
    Err(match unknown.nearest {
        Some(near) => failure.hint(format!("did you mean `puma metrics {near}`?")),
        None => failure.hint("`puma metrics` lists them all"),
    })
}

/// One metric as `--json` prints it.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    aliases: &'static [&'static str],
    families: Vec<&'static str>,
    /// Empty for pure numbers.
    unit: &'static str,
    range: &'static str,
    better: Better,
    formula: &'static str,
    source: &'static str,
    missing: MissingRow,
}

/// What becomes of jobs without a usable answer.
#[derive(Debug, Serialize)]
struct MissingRow {
    #[serde(flatten)]
    rule: Missing,
    sentence: String,
}

impl Row {
    fn of(def: &'static MetricDef) -> Self {
        let MetricDef { name, aliases, families, unit, better, range, doc, source, missing } = *def;
        Self {
            name,
            aliases,
            families: families.iter().map(|family| family.as_str()).collect(),
            unit,
            range,
            better,
            formula: doc,
            source,
            missing: MissingRow { rule: missing, sentence: missing.sentence() },
        }
    }
}

/// Every metric with its formula, family after family.
fn listed(rows: &[&MetricDef]) -> String {
    let mut out = String::new();
    for family in Family::ALL {
        let own: Vec<Vec<String>> = rows
            .iter()
            .filter(|def| def.families.first() == Some(&family))
            .map(|def| vec![def.name.to_owned(), unit_and_direction(def), def.doc.to_owned()])
            .collect();
        if own.is_empty() {
            continue;
        }
        let header = [(family.as_str(), Align::Left), ("unit", Align::Left), ("what it is", Align::Left)];
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&render_wrapped(&header, &own));
    }
    out.push_str("\n↑ higher is better, ↓ lower is better. `puma metrics NAME` tells the range, the source, and what becomes of\njobs without an answer.\n");
    out
}

/// `ms ↓`, `↑`.
fn unit_and_direction(def: &MetricDef) -> String {
    let arrow = match def.better {
        Better::Higher => "↑",
        Better::Lower => "↓",
        Better::Neither => "",
    };
    format!("{} {arrow}", def.unit).trim().to_owned()
}

/// One metric, every column of its row a line.
fn in_full(def: &MetricDef) -> String {
    let families: Vec<&str> = def.families.iter().map(|family| family.as_str()).collect();
    let lines = [
        ("family", families.join(", ")),
        ("what it is", def.doc.to_owned()),
        ("unit", if def.unit.is_empty() { "a pure number".to_owned() } else { def.unit.to_owned() }),
        ("range", def.range.to_owned()),
        ("better", def.better.as_str().to_owned()),
        ("jobs without an answer", def.missing.sentence()),
        ("source", def.source.to_owned()),
        ("other names", if def.aliases.is_empty() { "none".to_owned() } else { def.aliases.join(", ") }),
    ];
    let mut out = String::new();
    let rows: Vec<Vec<String>> = lines.into_iter().map(|(what, text)| vec![what.to_owned(), text]).collect();
    let _ = write!(out, "{}", render_wrapped(&[(def.name, Align::Left), ("", Align::Left)], &rows));
    out
}
