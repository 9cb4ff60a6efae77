//! The machine-readable shape of a comparison. Documented in `docs/reference/json.md`.

use crate::report::RunReport;
use puma_core::{JobRecord, RecordedRun, TokenLogprob};
use puma_eval::comparison::{ALPHA, Comparison, SideName};
use puma_eval::run::logprobs_digest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What `compare` prints as JSON. The first five keys are upstream's.
#[derive(Debug, Serialize)]
pub(crate) struct ComparisonReport {
    pub run_ids: Vec<String>,
    pub run_statuses: BTreeMap<String, String>,
    /// run id → `metric` (one model and strategy) or `metric model strategy` → value over the whole run.
    pub metrics: BTreeMap<String, BTreeMap<String, f64>>,
    pub markdown_table: String,
    /// Second run minus first, for exactly two runs.
    pub diffs: BTreeMap<String, f64>,
    /// True when every comparison is one of scores that measure the same thing.
    pub comparable: bool,
    /// What differs between the runs beside their results, in words.
    pub differences: Vec<String>,
    /// Whether every run gave the same answers with the same confidence to the same prompts.
    pub predictions_equal: bool,
    /// Whether every generated token and the bits of its logprob are the same; `null` when a run has no logprobs.
    pub logprobs_equal: Option<bool>,
    /// Every pair of sides that was compared.
    pub comparisons: Vec<Comparison>,
    /// Sides that had no counterpart.
    pub unmatched: Vec<SideName>,
    pub family: TestFamily,
}

/// The tests that were corrected for.
#[derive(Debug, Serialize)]
pub(crate) struct TestFamily {
    /// How many primary tests there are.
    pub tests: usize,
    /// Below this a corrected p-value is called significant.
    pub alpha: f64,
    /// The correction that decides.
    pub correction: String,
}

impl ComparisonReport {
    pub(crate) fn new(
        recorded: &[RecordedRun],
        reports: &[RunReport],
        comparisons: Vec<Comparison>,
        unmatched: Vec<SideName>,
    ) -> Self {
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
        let tests = comparisons.iter().flat_map(|found| &found.significance.tests).filter(|test| test.primary).count();
        Self {
            run_statuses: reports.iter().map(|r| (r.run_id.clone(), r.status.as_str().to_owned())).collect(),
            markdown_table: markdown_table(&run_ids, &metrics),
            comparable: comparisons.iter().all(|found| found.comparability.is_comparable()),
            differences: differences(&comparisons),
            run_ids,
            metrics,
            diffs,
            predictions_equal: reports
                .iter()
                .all(|report| report.predictions_summary_hash == reports[0].predictions_summary_hash),
            logprobs_equal: logprobs_equal(reports, recorded),
            comparisons,
            unmatched,
            family: TestFamily { tests, alpha: ALPHA, correction: "holm".to_owned() },
        }
    }
}

/// Whether every token and the bits of its logprob are the same. A run without texts has no token ids; beside it only the
/// bits count.
fn logprobs_equal(reports: &[RunReport], recorded: &[RecordedRun]) -> Option<bool> {
    let same = |digests: Vec<Option<String>>| {
        let digests: Option<Vec<String>> = digests.into_iter().collect();
        digests.map(|digests| digests.iter().all(|digest| *digest == digests[0]))
    };
    let has_ids = |run: &RecordedRun| tokens(&run.records).any(|token| token.id.is_some());
    let known = recorded.iter().filter(|run| has_ids(run)).count();
    if known == 0 || known == recorded.len() {
        return same(reports.iter().map(|report| report.logprobs_digest.clone()).collect());
    }
    let without_ids = |run: &RecordedRun| {
        let mut records = run.records.clone();
        for completion in records.iter_mut().flat_map(|record| &mut record.completions) {
            completion.tokens.iter_mut().for_each(|token| token.id = None);
        }
        logprobs_digest(&records)
    };
    same(recorded.iter().map(without_ids).collect())
}

fn tokens(records: &[JobRecord]) -> impl Iterator<Item = &TokenLogprob> {
    records.iter().flat_map(|record| &record.completions).flat_map(|completion| &completion.tokens)
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

/// Each difference once, in words.
fn differences(comparisons: &[Comparison]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for comparison in comparisons {
        let (left, right) = (&comparison.first.run_id, &comparison.second.run_id);
        for difference in &comparison.comparability.differences {
            let what = &difference.what;
            let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
            let text = match (&difference.first, &difference.second) {
                (None, None) => format!("{what}: {}", difference.meaning),
                (first, second) if left == right => format!("{what}: {} and {} in {left}", told(first), told(second)),
                (first, second) => format!("{what}: {} in {left}, {} in {right}", told(first), told(second)),
            };
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    found
}

fn markdown_table(run_ids: &[String], metrics: &BTreeMap<String, BTreeMap<String, f64>>) -> String {
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

/// The short names of what is compared: `A`, `B`, … in the order in which they were named.
#[derive(Debug)]
pub(crate) struct Letters {
    /// Runs, or, within one run, its sides.
    names: Vec<SideName>,
    by_run: bool,
}

impl Letters {
    pub(crate) fn new(comparisons: &[Comparison]) -> Self {
        let by_run = comparisons.iter().any(|found| found.first.run_id != found.second.run_id);
        let mut letters = Self { names: Vec::new(), by_run };
        for side in comparisons.iter().flat_map(|found| [&found.first, &found.second]) {
            if letters.place(side).is_none() {
                letters.names.push(side.clone());
            }
        }
        letters
    }

    fn place(&self, side: &SideName) -> Option<usize> {
        self.names.iter().position(|known| if self.by_run { known.run_id == side.run_id } else { known == side })
    }

    /// The letter of `side`: `A` to `Z`, then numbers.
    pub(crate) fn of(&self, side: &SideName) -> String {
        match self.place(side) {
            Some(place) if place < 26 => char::from(b'A' + place as u8).to_string(),
            Some(place) => (place + 1).to_string(),
            None => "?".to_owned(),
        }
    }

    /// Everything that has a letter, in order.
    pub(crate) fn sides(&self) -> &[SideName] {
        &self.names
    }

    pub(crate) fn are_runs(&self) -> bool {
        self.by_run
    }
}
