//! Baselines for people: a table, and whether a model is any better.

use crate::summary::short_model;
use crate::table::{Align, render};
use puma_eval::baseline::{AgainstBaseline, AgainstVerdict, Baseline};
use std::fmt::Write as _;

/// Metrics shown beside the scores of a run.
pub(crate) const BESIDE_A_RUN: [&str; 4] = ["f1_macro", "accuracy", "mae", "standardised_accuracy"];

/// (metric, heading) of every metric that has a column.
const COLUMNS: [(&str, &str); 9] = [
    ("f1_macro", "F1 macro"),
    ("accuracy", "accuracy"),
    ("balanced_accuracy", "balanced"),
    ("log_loss", "log loss"),
    ("brier_multiclass", "Brier"),
    ("mae", "MAE"),
    ("mdae", "MdAE"),
    ("rmse", "RMSE"),
    ("standardised_accuracy", "SA"),
];

/// Header and rows of a table with one row a baseline and a column for each of `metrics` that any of them has.
pub(crate) fn cells(baselines: &[Baseline], metrics: &[&str]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let shown: Vec<(&str, &'static str)> = COLUMNS
        .into_iter()
        .filter(|(metric, _)| metrics.contains(metric) && baselines.iter().any(|row| row.metric == *metric))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for row in baselines.iter().filter(|row| shown.iter().any(|(metric, _)| row.metric == *metric)) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let rows = names
        .into_iter()
        .map(|name| {
            let of = |metric: &str| baselines.iter().find(|row| row.name == name && row.metric == metric);
            let values = shown.iter().map(|(metric, _)| of(metric).map_or_else(|| "-".to_owned(), value));
            let basis = baselines.iter().find(|row| row.name == name).map_or("", |row| row.basis.as_str());
            std::iter::once(name.to_owned()).chain(values).chain([basis.to_owned()]).collect()
        })
        .collect();
    let headings = shown.into_iter().map(|(_, heading)| heading);
    (std::iter::once("baseline").chain(headings).chain(["learned from"]).collect(), rows)
}

/// Every metric that has a column.
pub(crate) fn every_metric() -> Vec<&'static str> {
    COLUMNS.iter().map(|(metric, _)| *metric).collect()
}

/// The baselines as a table for a terminal.
pub(crate) fn table(baselines: &[Baseline], metrics: &[&str]) -> String {
    let (header, rows) = cells(baselines, metrics);
    let last = header.len() - 1;
    let aligned = |(at, name)| (name, if at == 0 || at == last { Align::Left } else { Align::Right });
    render(&header.into_iter().enumerate().map(aligned).collect::<Vec<_>>(), &rows)
}

fn value(row: &Baseline) -> String {
    match (row.ci_low, row.ci_high) {
        (Some(low), Some(high)) => format!("{:.3} [{low:.3}, {high:.3}]", row.value),
        _ => format!("{:.3}", row.value),
    }
}

/// A line for each model and baseline it was set beside.
pub(crate) fn against(rows: &[AgainstBaseline]) -> String {
    let mut out = String::new();
    for row in rows {
        let verdict = match row.verdict {
            AgainstVerdict::Better => "better than",
            AgainstVerdict::Worse => "worse than",
            AgainstVerdict::Undecided => "not distinguishable from",
        };
        let _ = write!(
            out,
            "{} {}: {} {:.3} is {verdict} {} {:.3} (difference {:+.3}",
            short_model(&row.model),
            row.strategy,
            row.metric,
            row.value,
            row.baseline,
            row.baseline_value,
            row.difference
        );
        if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
            let _ = write!(out, " [{low:+.3}, {high:+.3}]");
        }
        if let Some(p) = row.p_value {
            let _ = write!(out, ", {}", if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") });
        }
        let _ = write!(out, ", n = {}", row.n);
        if row.unanswered > 0 {
            let _ = write!(out, ", {} unanswered", row.unanswered);
        }
        out.push_str(")\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_without_a_shown_metric_has_no_row_and_a_missing_value_is_a_dash() {
        let row = |name: &str, metric: &str, ci: Option<f64>| Baseline {
            name: name.to_owned(),
            metric: metric.to_owned(),
            value: 0.5,
            ci_low: ci.map(|half| 0.5 - half),
            ci_high: ci.map(|half| 0.5 + half),
            basis: "nothing".to_owned(),
            n: 4,
        };
        let rows = [
            row("median", "mae", Some(0.125)),
            row("median", "rmse", None),
            row("guess", "mae", None),
            row("prior", "log_loss", None),
        ];
        let (header, cells) = cells(&rows, &["mae", "rmse"]);
        assert_eq!(header, ["baseline", "MAE", "RMSE", "learned from"]);
        assert_eq!(cells, [["median", "0.500 [0.375, 0.625]", "0.500", "nothing"], ["guess", "0.500", "-", "nothing"]]);
    }
}
