//! How the answers are spread, over the file and over its splits.

use super::finding::{Check, Example, Finding, Severity, percent};
use super::issues::Issues;
use crate::dataset::{Gold, Split};
use std::collections::BTreeMap;

/// Fewer judged issues of a label and its recall is a rumour.
const FEWEST: usize = 10;
/// Examples of few-shot prompts and trained baselines need so many rows.
const FEWEST_TO_LEARN: usize = 10;

/// Rare and missing answers among the issues that may be judged.
pub(super) fn balance(found: &Issues<'_>, judged: &[bool]) -> Vec<Finding> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (issue, _) in found.list.iter().zip(judged).filter(|(_, judged)| **judged) {
        *counts.entry(issue.gold).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let Some((commonest, most)) = counts.iter().max_by_key(|(gold, count)| (**count, std::cmp::Reverse(**gold))) else {
        return Vec::new();
    };
    let share = *most as f64 / all as f64;
    let mut findings = Vec::new();
    if share >= 0.6 {
        let message = format!(
            "{} of the {all} judged issues have the answer {commonest}: always saying it is right as often",
            percent(share)
        );
        findings.push(
            Finding::new(Check::Balance, Severity::Warning, message)
                .number("majority", share)
                .count("judged", all)
                .hint("read macro F1 and balanced accuracy, and compare with `puma baselines`"),
        );
    }
    if found.gold == Gold::Priority {
        let of = |label: &String| counts.get(label.as_str()).copied().unwrap_or(0);
        let rare: Vec<(&String, usize)> =
            found.classes.iter().map(|label| (label, of(label))).filter(|(_, count)| *count < FEWEST).collect();
        if !rare.is_empty() {
            let listed: Vec<String> = rare.iter().map(|(label, count)| format!("{label} {count}")).collect();
            let absent = rare.iter().any(|(_, count)| *count == 0);
            let message = format!("too few judged issues of some priorities: {}", listed.join(", "));
            findings.push(
                Finding::new(Check::Balance, Severity::Warning, message)
                    .count("labels", rare.len())
                    .examples(rare.iter().map(|(label, count)| Example::anywhere(format!("{label}: {count}"))))
                    .hint(if absent {
                        "macro F1 counts a priority that never occurs as 0: the best possible score is below 1"
                    } else {
                        "macro F1 weighs every priority alike, so a few issues decide it: read its interval"
                    }),
            );
        }
    }
    findings
}

/// What the split column says, where there is one.
pub(super) fn splits(found: &Issues<'_>, has_column: bool) -> Vec<Finding> {
    if !has_column {
        return Vec::new();
    }
    let count = |split: Option<Split>| found.list.iter().filter(|issue| issue.row.split == split).count();
    let [train, validation, test] = [Split::Train, Split::Validation, Split::Test].map(|split| count(Some(split)));
    let message = format!("the file marks {train} rows as train, {validation} as validation and {test} as test");
    let mut findings = vec![
        Finding::new(Check::Splits, Severity::Note, message)
            .count("train", train)
            .count("validation", validation)
            .count("test", test)
            .hint("only test rows are judged, and only train rows are learned from"),
    ];
    let unknown: Vec<_> = found.list.iter().filter(|issue| issue.row.split.is_none()).collect();
    if !unknown.is_empty() {
        let message = format!("{} rows carry no mark that PUMA knows in the split column", unknown.len());
        findings.push(
            Finding::new(Check::Splits, Severity::Warning, message)
                .count("rows", unknown.len())
                .examples(unknown.iter().map(|issue| Example::at(issue.row.line, issue.named())))
                .hint("write train, val or test"),
        );
    }
    if test == 0 && train + validation > 0 {
        let message = "no row is marked as test, so every row is judged, those to learn from included";
        findings
            .push(Finding::new(Check::Splits, Severity::Warning, message).hint("mark the rows to judge with `test`"));
    } else if test > 0 && train < FEWEST_TO_LEARN {
        let message = format!("only {train} rows are marked as train, too few for examples and baselines");
        findings.push(Finding::new(Check::Splits, Severity::Warning, message).count("train", train));
    }
    findings
}
