//! A verdict for people.

use super::judge::Verdict;
use crate::state;
use crate::table::{Align, render};
use puma_eval::canonical::{CANONICAL_REFERENCES, REFERENCE_ENVIRONMENT};
use std::fmt::Write as _;

/// The verdict first, then what it means.
pub(crate) fn verdict_text(verdict: &Verdict) -> String {
    let Verdict { metric, value, delta, tolerance, ci_low, ci_high, .. } = verdict;
    let interval = match (ci_low, ci_high) {
        (Some(low), Some(high)) => format!(", 95 % interval {low:.4} to {high:.4}"),
        _ => String::new(),
    };
    let mut out = match verdict.verdict {
        "pass" => format!("PASS: {metric}={value:.4} (delta={delta:+.4}, tolerance=+/-{tolerance}{interval})\n"),
        _ => format!("FAIL: {metric}={value:.4} (delta={delta:+.4}{interval}) outside +/-{tolerance}\n"),
    };
    out.push_str(&meaning(verdict));
    if let Some(reading) = &verdict.upstream_reading {
        let (word, n) = (reading.verdict.to_uppercase(), reading.n);
        let _ =
            writeln!(out, "Read as upstream reads answers: {metric}={:.4} over {n} of them ({word})", reading.value);
    }
    let _ = writeln!(out, "State: {}.", state::sentence(verdict.state.as_deref()));
    if let (Some(name), Some(observed)) = (verdict.reference, verdict.observed_upstream) {
        let _ = writeln!(out, "Upstream itself, repeating `{name}`, saw {observed}.");
    }
    if !verdict.comparable {
        out.push_str("The run is not the baseline's experiment:\n");
        for difference in &verdict.differences {
            let _ = writeln!(out, "  {difference}");
        }
        if verdict.differences.is_empty() {
            out.push_str("  jobs are missing or failed in the backend\n");
        }
    }
    out.push_str(&environment_text(verdict));
    out
}

/// What passing or failing says, given the interval.
fn meaning(verdict: &Verdict) -> String {
    let within = verdict.verdict == "pass";
    let sentence = match (within, verdict.interval_holds_expected) {
        (true, _) if !verdict.comparable => "The number agrees, but it comes from another experiment: that is chance.",
        (true, _) => return String::new(),
        (false, Some(true)) => {
            "The expected number lies inside the interval: this many instances cannot tell the two apart."
        }
        (false, Some(false)) => "The expected number lies outside the interval: more than chance separates the two.",
        (false, None) => return String::new(),
    };
    format!("{sentence}\n")
}

/// What is otherwise than where the reference was made, then what nobody can know.
fn environment_text(verdict: &Verdict) -> String {
    let mut out = String::new();
    let known: Vec<_> = verdict.reference_environment.iter().filter(|fact| fact.same == Some(false)).collect();
    if !known.is_empty() {
        out.push_str("Otherwise than where the reference was made:\n");
    }
    for fact in known {
        let (reference, here) = (fact.reference.unwrap_or_default(), fact.here.as_deref().unwrap_or_default());
        let _ = writeln!(out, "  {}: {here} instead of {reference}", fact.what);
    }
    let unknown: Vec<&str> =
        verdict.reference_environment.iter().filter(|fact| fact.same.is_none()).map(|fact| fact.what).collect();
    if !unknown.is_empty() {
        let _ = writeln!(out, "Cannot be compared, for one side does not tell: {}.", unknown.join(", "));
    }
    out
}

/// Every published reference, for `--list`.
pub(crate) fn references_text() -> String {
    let header = [
        ("reference", Align::Left),
        ("metric", Align::Left),
        ("value", Align::Right),
        ("tolerance", Align::Right),
        ("spec", Align::Left),
        ("model", Align::Left),
        ("strategy", Align::Left),
    ];
    let rows: Vec<Vec<String>> = CANONICAL_REFERENCES
        .iter()
        .map(|reference| {
            vec![
                reference.name.to_owned(),
                reference.metric.to_owned(),
                format!("{:.4}", reference.value),
                format!("±{}", reference.tolerance),
                reference.spec.to_owned(),
                reference.model.to_owned(),
                reference.strategy.to_owned(),
            ]
        })
        .collect();
    let mut out = render(&header, &rows);
    out.push('\n');
    for reference in &CANONICAL_REFERENCES {
        let _ = writeln!(out, "{}: upstream also saw {}", reference.name, reference.observed);
    }
    let facts: Vec<&str> = REFERENCE_ENVIRONMENT.iter().filter_map(|fact| fact.stated).collect();
    let _ = writeln!(out, "\nMade on: {}", facts.join(" · "));
    out
}
