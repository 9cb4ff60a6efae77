//! Rows one by one: what cannot be read, what is missing, what an export broke.

use super::finding::{Check, Example, Finding, Severity, issues, issues_that, percent};
use super::issues::{Issue, Issues};
use super::words::shortened;
use crate::dataset::{Dataset, DatasetError, DatasetErrorKind};

/// Characters a token has at least, on average, in text of issues; prompts of numbers and traces come near it.
const CHARACTERS_PER_TOKEN: usize = 3;
/// Fewer words in title and description together say nothing.
const FEWEST_WORDS: usize = 3;

/// Rows that cannot be read, by kind of trouble.
pub(super) fn unreadable(problems: &[DatasetError]) -> Vec<Finding> {
    let kinds = [
        (DatasetErrorKind::Syntax, "with too few or too many cells"),
        (DatasetErrorKind::DuplicateKey, "whose key is used before"),
        (DatasetErrorKind::BadValue, "whose answer cannot be understood"),
    ];
    let mut findings = Vec::new();
    for (kind, what) in kinds {
        let of_kind: Vec<&DatasetError> = problems.iter().filter(|problem| problem.kind == kind).collect();
        let Some(first) = of_kind.first() else { continue };
        let rows = if of_kind.len() == 1 { "1 row".to_owned() } else { format!("{} rows", of_kind.len()) };
        findings.push(
            Finding::new(Check::Unreadable, Severity::Error, format!("{rows} {what}"))
                .count("rows", of_kind.len())
                .examples(
                    of_kind.iter().map(|problem| Example { line: problem.line, text: problem.message.to_string() }),
                )
                .hint(first.hint.to_string()),
        );
    }
    findings
}

/// Rows that the scenario cannot use.
pub(super) fn left_out(dataset: &Dataset) -> Vec<Finding> {
    let all = dataset.rows.len() + dataset.skipped.len();
    dataset
        .skip_counts()
        .into_iter()
        .map(|(reason, count)| {
            let share = count as f64 / all as f64;
            let severity = if share > 0.1 { Severity::Warning } else { Severity::Note };
            let lines = dataset.skipped.iter().filter(|skip| skip.reason == reason).map(|skip| skip.line);
            let message = format!("{count} of {all} rows {} are left out ({})", reason.as_str(), percent(share));
            Finding::new(Check::LeftOut, severity, message)
                .count("rows", count)
                .number("share", share)
                .examples(lines.map(|line| Example::at(line, reason.as_str())))
        })
        .collect()
}

/// Issues without a description.
pub(super) fn empty(found: &Issues<'_>) -> Option<Finding> {
    let without: Vec<&Issue<'_>> = found.list.iter().filter(|issue| issue.description().trim().is_empty()).collect();
    if without.is_empty() {
        return None;
    }
    let share = without.len() as f64 / found.list.len() as f64;
    let severity = if share > 0.2 { Severity::Warning } else { Severity::Note };
    let message = format!("{} no description ({})", issues_that(without.len(), "has", "have"), percent(share));
    Some(
        Finding::new(Check::Empty, severity, message)
            .count("issues", without.len())
            .number("share", share)
            .examples(without.iter().map(|issue| Example::at(issue.row.line, issue.named())))
            .hint("a model judges these by their title alone; name the column with `--columns description=…` if there is one"),
    )
}

/// Texts too long for a context of `context_tokens`, and texts of next to no words.
pub(super) fn length(found: &Issues<'_>, context_tokens: usize) -> Vec<Finding> {
    let characters = |issue: &Issue<'_>| issue.title().chars().count() + issue.description().chars().count();
    let mut findings = Vec::new();
    let limit = context_tokens * CHARACTERS_PER_TOKEN;
    let mut long: Vec<(&Issue<'_>, usize)> =
        found.list.iter().map(|issue| (issue, characters(issue))).filter(|(_, length)| *length > limit).collect();
    long.sort_by_key(|(issue, length)| (std::cmp::Reverse(*length), issue.row.line));
    if let Some((_, longest)) = long.first() {
        let message = format!(
            "{} may not fit into a context of {context_tokens} tokens: more than {limit} characters, the longest {longest}",
            issues(long.len())
        );
        findings.push(
            Finding::new(Check::Length, Severity::Warning, message)
                .count("issues", long.len())
                .count("longest_characters", *longest)
                .examples(long.iter().map(|(i, length)| Example::at(i.row.line, format!("{} ({length} characters)", i.named()))))
                .hint("a prompt that exceeds the context window ends as `truncated`, which is a wrong answer; give more with `--context`"),
        );
    }
    let short: Vec<&Issue<'_>> =
        found.list.iter().filter(|issue| issue.words().nth(FEWEST_WORDS - 1).is_none()).collect();
    if !short.is_empty() {
        let message = format!("{} fewer than {FEWEST_WORDS} words", issues_that(short.len(), "holds", "hold"));
        findings.push(
            Finding::new(Check::Length, Severity::Note, message)
                .count("issues", short.len())
                .examples(short.iter().map(|issue| Example::at(issue.row.line, issue.named()))),
        );
    }
    findings
}

/// Something an export left behind.
struct Artefact {
    /// For one issue and for several.
    verbs: [&'static str; 2],
    what: &'static str,
    severity: Severity,
    test: fn(&str) -> bool,
}

const HOLD: [&str; 2] = ["holds", "hold"];
const ENTITIES: [&str; 6] = ["&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&#39;"];
/// What UTF-8 becomes when it is read as Windows-1252, and what cannot be read at all.
const BROKEN: [&str; 12] = ["\u{fffd}", "Ã©", "Ã¨", "Ã¼", "Ã¶", "Ã¤", "Ã±", "Ã³", "â€™", "â€œ", "â€“", "Â "];

const ARTEFACTS: [Artefact; 4] = [
    Artefact {
        verbs: ["is", "are"],
        what: "wrapped in quotes",
        severity: Severity::Warning,
        test: |text| text.len() > 2 && text.starts_with('"') && text.ends_with('"'),
    },
    Artefact {
        verbs: HOLD,
        what: "doubled quotes (`\"\"`)",
        severity: Severity::Note,
        test: |text| text.contains("\"\""),
    },
    Artefact {
        verbs: HOLD,
        what: "HTML entities such as `&amp;`",
        severity: Severity::Note,
        test: |text| ENTITIES.iter().any(|entity| text.contains(entity)),
    },
    Artefact {
        verbs: HOLD,
        what: "letters that were decoded twice or lost (`Ã©`, `â€™`, `\u{fffd}`)",
        severity: Severity::Warning,
        test: |text| BROKEN.iter().any(|broken| text.contains(broken)),
    },
];

/// Quotes, HTML entities and broken letters. `as_exported` is the same file read without taking quotes off.
pub(super) fn artefacts(found: &Issues<'_>, as_exported: &Dataset) -> Vec<Finding> {
    let mut findings = Vec::new();
    let cleaned = found.list.iter().filter(|issue| {
        let raw = as_exported.rows.iter().find(|row| row.line == issue.row.line);
        raw.is_some_and(|raw| raw.fields.get("title") != issue.row.fields.get("title"))
    });
    let cleaned = cleaned.count();
    if cleaned > 0 {
        let message = format!("the quotes that an export left around {cleaned} titles are taken off");
        findings.push(
            Finding::new(Check::Artefacts, Severity::Note, message)
                .count("issues", cleaned)
                .hint("`compat: puma-4` in a spec leaves them, as upstream PUMA does"),
        );
    }
    let any = |issue: &Issue<'_>, test: fn(&str) -> bool| test(issue.title()) || test(issue.description());
    for Artefact { verbs: [one, many], what, severity, test } in ARTEFACTS {
        let hit: Vec<&Issue<'_>> = found.list.iter().filter(|issue| any(issue, test)).collect();
        if hit.is_empty() {
            continue;
        }
        findings.push(
            Finding::new(Check::Artefacts, severity, format!("{} {what}", issues_that(hit.len(), one, many)))
                .count("issues", hit.len())
                .examples(hit.iter().map(|issue| Example::at(issue.row.line, shortened(&issue.named(), 80))))
                .hint("models read this as part of the text; clean it at its source if it is not meant"),
        );
    }
    findings
}
