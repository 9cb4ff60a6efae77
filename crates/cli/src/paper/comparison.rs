//! The first run against each other one: what `eval::comparison` says, as a table.

use super::cell::Cell;
use super::document::{Column, Row, Table};
use super::subject::Subject;
use super::words::listed;
use crate::execute;
use crate::failure::Failure;
use puma_eval::comparison::{Comparison, Delta, Selection, Tested, between, compare, correct};
use puma_eval::metric::Options;

/// Metrics whose differences are told; all others stand in `puma compare`.
const TOLD: [(&str, &str); 7] = [
    ("f1_macro", "F1 macro"),
    ("accuracy", "Accuracy"),
    ("mae", "MAE"),
    ("standardised_accuracy", "Standardised accuracy"),
    ("kendall_tau", "Kendall tau"),
    ("parse_failure_rate", "Unread"),
    ("ece", "ECE"),
];

/// The table of differences; nothing for a single run.
///
/// # Errors
/// The runs have different scenarios, or it is not clear what to compare with what.
pub(super) fn table(subjects: &[Subject]) -> Result<Option<Table>, Failure> {
    let Some((first, others)) = subjects.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Ok(None);
    };
    let mut compared: Vec<(&Subject, Comparison)> = Vec::new();
    for other in others {
        compared.extend(comparisons(first, other)?.into_iter().map(|comparison| (other, comparison)));
    }
    // The family that is corrected for is everything this table tests.
    let mut all: Vec<Comparison> = compared.iter().map(|(_, comparison)| comparison.clone()).collect();
    correct(&mut all);
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for ((other, _), comparison) in compared.iter().zip(&all) {
        let place = place(first, other, comparison);
        notes.push(format!("{place}: {} {}", comparison.comparability.sentence, pairs(comparison)));
        notes.extend(comparison.significance.tests.iter().filter(|test| test.primary).map(|test| tested(&place, test)));
        for (name, head) in TOLD {
            rows.extend(comparison.deltas.iter().filter(|delta| delta.name == name).map(|delta| {
                let number = |value| Cell::optional(value, &delta.unit);
                Row {
                    run: format!("{} − {}", other.letter, first.letter),
                    model: comparison.second.model.clone(),
                    strategy: comparison.second.strategy.clone(),
                    condition: head.to_owned(),
                    cells: vec![number(delta.first), number(delta.second), difference(delta)],
                }
            }));
        }
    }
    let column = |head: &str| Column { head: head.to_owned(), unit: String::new() };
    Ok(Some(Table {
        label: "comparison",
        caption: format!(
            "Differences between runs over the instances that both judged; 95 % intervals of paired resampling in \
             brackets. The first run is {}.",
            first.letter
        ),
        condition: Some("metric"),
        columns: vec![column("First"), column("Other"), column("Difference")],
        rows,
        notes,
    }))
}

fn comparisons(first: &Subject, other: &Subject) -> Result<Vec<Comparison>, Failure> {
    let (one, two) = (&first.run, &other.run);
    if one.header.scenario != two.header.scenario {
        return Err(Failure::invalid(format!(
            "the runs {} and {} judge different scenarios, {} and {}",
            one.header.run_id, two.header.run_id, one.header.scenario, two.header.scenario
        ))
        .hint("write one report a scenario"));
    }
    let all = Selection::default();
    let matched = between((one, &all), (two, &all)).map_err(|error| Failure::invalid(error.to_string()))?;
    let task = execute::find_scenario(&one.header.scenario)?.task();
    let unperturbed = matched.pairs.iter().filter(|(left, _)| left.perturbation.is_none());
    unperturbed
        .map(|(left, right)| {
            compare(&task, left, right, &Options::default()).map_err(|error| Failure::operation(error.to_string()))
        })
        .collect()
}

fn difference(delta: &Delta) -> Cell {
    match delta.difference {
        None => Cell::Missing,
        Some(value) => Cell::with_interval(value, delta.ci_low.zip(delta.ci_high), &delta.unit, None),
    }
}

fn place(first: &Subject, other: &Subject, comparison: &Comparison) -> String {
    let Comparison { first: left, second: right, .. } = comparison;
    let name = |letter: &str, model: &str, strategy: &str| format!("{letter} ({model}, {strategy})");
    let left = name(&first.letter, &left.model, &left.strategy);
    format!("{left} against {}", name(&other.letter, &right.model, &right.strategy))
}

fn pairs(comparison: &Comparison) -> String {
    let counts = comparison.pairs;
    let left_out: Vec<String> = [
        (counts.only_first + counts.only_second, "without a partner"),
        (counts.failed_first + counts.failed_second, "that failed in the backend"),
        (counts.gold_differs, "with different right answers"),
        (counts.duplicates, "that occur twice"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, why)| format!("{count} {why}"))
    .collect();
    let rest = if left_out.is_empty() { String::new() } else { format!("; left out: {}", listed(&left_out)) };
    format!("{} pairs of {} instances{rest}.", counts.pairs, counts.instances)
}

/// The test that counts, with its correction over all comparisons of the table.
fn tested(place: &str, test: &Tested) -> String {
    let corrected = test.p_holm.map_or(String::new(), |p| format!(", {} after Holm's correction", p_words(p)));
    format!(
        "{place}: {} (n = {}, of which {} can speak for a side; {}): {}{corrected}.",
        test.test.replace('_', " "),
        test.n,
        test.n_different,
        test.method,
        p_words(test.p_value),
    )
}

/// Three decimals say all that a p-value can say.
fn p_words(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}
