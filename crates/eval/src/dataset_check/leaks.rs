//! What gives the answer away: its own name, single words, keys, other columns, the length of the text.

use super::association::{Holders, Predicts, informative, predicts, shuffled};
use super::finding::{Check, Example, Finding, Severity, issues, percent};
use super::issues::{Issue, Issues};
use crate::dataset::Gold;
use crate::stats::quantile;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// What happens by chance more often than this is not told.
const LEVEL: f64 = 0.05;
const SHUFFLES: u32 = 499;
/// Words in fewer issues say little whatever they say.
const FEWEST_HOLDERS: usize = 3;
/// A word gives the answer away when so many of the issues that hold it have one answer, and so many hold it.
const TELLING_PRECISION: f64 = 0.8;
const TELLING_SHARE: f64 = 0.03;
/// A property is worth a warning when it explains so much of what the commonest answer leaves.
const TELLING_GAIN: f64 = 0.25;

/// The name of the right answer in the text: `critical` in a critical issue, `5 points` in a story of five.
pub(super) fn answer_in_text(found: &Issues<'_>) -> Option<Finding> {
    match found.gold {
        Gold::Priority => named_labels(found),
        Gold::StoryPoints => named_points(found),
    }
}

fn named_labels(found: &Issues<'_>) -> Option<Finding> {
    let names: Vec<String> = found.classes.iter().map(|label| label.to_lowercase()).collect();
    let named: Vec<BTreeSet<usize>> = found
        .list
        .iter()
        .map(|issue| {
            let words: BTreeSet<&str> = issue.words().collect();
            (0..names.len()).filter(|&at| words.contains(names[at].as_str())).collect()
        })
        .collect();
    let classes = found.class_of_each();
    let own = |classes: &[usize]| classes.iter().zip(&named).filter(|(class, named)| named.contains(class)).count();
    let (with_name, right) = (named.iter().filter(|named| !named.is_empty()).count(), own(&classes));
    let p_value = shuffled(&classes, SHUFFLES, |other| own(other) >= right);
    if right < FEWEST_HOLDERS || p_value > LEVEL {
        return None;
    }
    let message = format!(
        "{right} of the {with_name} issues that name a priority in their text name their own ({} of all)",
        percent(right as f64 / classes.len() as f64)
    );
    let examples = found.list.iter().zip(&named).filter(|(issue, named)| named.contains(&issue.class));
    Some(
        Finding::new(Check::AnswerInText, Severity::Warning, message)
            .count("naming", with_name)
            .count("naming_own", right)
            .number("p_value", p_value)
            .examples(
                examples.map(|(issue, _)| Example::at(issue.row.line, format!("{} ({})", issue.named(), issue.gold))),
            )
            .hint("a model that copies the word is right: take the word out, or say so beside the score"),
    )
}

fn named_points(found: &Issues<'_>) -> Option<Finding> {
    let pattern = r"(?i)(?:\b(\d+(?:\.\d+)?)\s*(?:story\s*)?(?:points?|sp)\b)|(?:\b(?:story\s*points?|sp|estimate)\s*[:=]\s*(\d+(?:\.\d+)?))";
    let points = Regex::new(pattern).expect("the pattern is a constant");
    let mut golds: Vec<&str> = found.list.iter().map(|issue| issue.gold).collect();
    let each: Vec<&str> = golds.clone();
    golds.sort_unstable();
    golds.dedup();
    let classes: Vec<usize> = each.iter().map(|gold| golds.partition_point(|other| other < gold)).collect();
    let values: Vec<Option<f64>> = golds.iter().map(|gold| gold.parse().ok()).collect();
    let named: Vec<Vec<f64>> = found
        .list
        .iter()
        .map(|issue| {
            let text = format!("{}\n{}", issue.title(), issue.description());
            let number = |found: regex::Captures<'_>| found.get(1).or(found.get(2))?.as_str().parse().ok();
            points.captures_iter(&text).filter_map(number).collect()
        })
        .collect();
    let names_own = |class: &usize, named: &[f64]| values[*class].is_some_and(|value| named.contains(&value));
    let own = |classes: &[usize]| classes.iter().zip(&named).filter(|(class, named)| names_own(class, named)).count();
    let (naming, right) = (named.iter().filter(|named| !named.is_empty()).count(), own(&classes));
    if right < FEWEST_HOLDERS || shuffled(&classes, SHUFFLES, |other| own(other) >= right) > LEVEL {
        return None;
    }
    let own: Vec<&Issue<'_>> = found
        .list
        .iter()
        .zip(classes.iter().zip(&named))
        .filter(|(_, (class, named))| names_own(class, named))
        .map(|(issue, _)| issue)
        .collect();
    let message = format!("{right} of the {naming} stories that speak of points name their own estimate");
    Some(
        Finding::new(Check::AnswerInText, Severity::Warning, message)
            .count("naming", naming)
            .count("naming_own", own.len())
            .examples(
                own.iter().map(|issue| Example::at(issue.row.line, format!("{} ({})", issue.named(), issue.gold))),
            )
            .hint("take the estimate out of the text, or say so beside the score"),
    )
}

/// Words that tell more about the answer than the most telling word of shuffled answers does.
pub(super) fn telling_words(found: &Issues<'_>) -> Option<Finding> {
    let n = found.list.len();
    let fewest = FEWEST_HOLDERS.max(n / 200);
    let mut holders: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (at, issue) in (0..).zip(&found.list) {
        for word in issue.words().collect::<BTreeSet<&str>>() {
            holders.entry(word).or_default().push(at);
        }
    }
    holders.retain(|_, rows| rows.len() >= fewest && n - rows.len() >= fewest);
    let (words, rows): (Vec<&str>, Vec<Vec<u32>>) = holders.into_iter().unzip();
    let holders = Holders { rows };
    let classes = found.class_of_each();
    let (information, threshold) = informative(&holders, &classes, found.classes.len());
    let counts = found.class_counts();
    let mut telling: Vec<Telling<'_>> = (0..words.len())
        .filter(|&at| information[at] > threshold)
        .map(|at| Telling::of(words[at], &holders.rows[at], information[at], &classes, &counts))
        .collect();
    telling.sort_by(|a, b| b.information.total_cmp(&a.information).then(a.word.cmp(b.word)));
    if telling.is_empty() {
        return None;
    }
    let gives_away = |t: &Telling<'_>| t.precision >= TELLING_PRECISION && t.holders as f64 >= TELLING_SHARE * n as f64;
    let away = telling.iter().filter(|telling| gives_away(telling)).count();
    telling.sort_by_key(|telling| !gives_away(telling));
    let (severity, message) = if away > 0 {
        let words: Vec<String> =
            telling.iter().take(away.min(5)).map(|telling| format!("`{}`", telling.word)).collect();
        let what = if away == 1 { "1 word alone gives" } else { &*format!("{away} words alone give") };
        (Severity::Warning, format!("{what} the {} away: {}", found.answers(), words.join(", ")))
    } else {
        let what = if telling.len() == 1 { "1 word goes" } else { &*format!("{} words go", telling.len()) };
        (Severity::Note, format!("{what} with the {} more than chance explains; none gives it away", found.answers()))
    };
    let describe = |telling: &Telling<'_>| {
        format!(
            "`{}`: {} of {} issues are {} ({} of all are); this word alone is right in {}",
            telling.word,
            telling.agreeing,
            telling.holders,
            found.classes[telling.class],
            percent(counts[telling.class] as f64 / n as f64),
            percent(telling.accuracy)
        )
    };
    Some(
        Finding::new(Check::Words, severity, message)
            .count("words", telling.len())
            .count("giving_away", away)
            .count("tested", words.len())
            .number("best_accuracy", telling.iter().map(|telling| telling.accuracy).fold(0.0, f64::max))
            .number("majority", counts.iter().copied().max().unwrap_or(0) as f64 / n as f64)
            .examples(telling.iter().map(|telling| Example::anywhere(describe(telling))))
            .hint("compare with `tfidf_linear` of `puma baselines`: a model that does not beat it may be reading these words and nothing else"),
    )
}

/// What one word tells.
struct Telling<'a> {
    word: &'a str,
    information: f64,
    /// Issues that hold it.
    holders: usize,
    /// The answer that is more frequent among them than among all, by the most.
    class: usize,
    agreeing: usize,
    /// `agreeing / holders`.
    precision: f64,
    /// Of answering the commonest answer with the word and the commonest without it.
    accuracy: f64,
}

impl<'a> Telling<'a> {
    fn of(word: &'a str, rows: &[u32], information: f64, classes: &[usize], totals: &[usize]) -> Self {
        let mut held = vec![0; totals.len()];
        rows.iter().for_each(|row| held[classes[*row as usize]] += 1);
        let above = |class: usize| held[class] as f64 / rows.len() as f64 - totals[class] as f64 / classes.len() as f64;
        // Ties go to the first.
        let class = (0..held.len()).rev().max_by(|a, b| above(*a).total_cmp(&above(*b))).unwrap_or(0);
        let with = held.iter().copied().max().unwrap_or(0);
        let without = held.iter().zip(totals).map(|(held, total)| total - held).max().unwrap_or(0);
        Self {
            word,
            information,
            holders: rows.len(),
            class,
            agreeing: held[class],
            precision: held[class] as f64 / rows.len() as f64,
            accuracy: (with + without) as f64 / classes.len() as f64,
        }
    }
}

/// Properties of the rows that prompts do not show.
pub(super) fn metadata(found: &Issues<'_>) -> Vec<Finding> {
    let classes = found.class_of_each();
    let told = |values: &[&str]| predicts(values, &classes, found.classes.len()).filter(|told| told.p_value <= LEVEL);
    let gain = |told: &Predicts| (told.accuracy - told.majority) / (1.0 - told.majority).max(f64::MIN_POSITIVE);
    let describe = |told: &Predicts| {
        format!("{} right, where the commonest answer is in {}", percent(told.accuracy), percent(told.majority))
    };
    let numbers = |finding: Finding, told: &Predicts| {
        finding.number("accuracy", told.accuracy).number("majority", told.majority).number("p_value", told.p_value)
    };
    let mut findings = Vec::new();
    let prefixes: Vec<&str> = found.list.iter().map(|issue| prefix(issue.row.key.as_deref().unwrap_or(""))).collect();
    if let Some(told) = told(&prefixes).filter(|told| gain(told) > 0.0) {
        let severity = if gain(&told) >= TELLING_GAIN { Severity::Warning } else { Severity::Note };
        let message = format!("the beginning of the key alone predicts the {}: {}", found.answers(), describe(&told));
        let shown: BTreeMap<&str, &Issue<'_>> = prefixes.iter().copied().zip(&found.list).rev().collect();
        findings.push(
            numbers(Finding::new(Check::Keys, severity, message), &told)
                .examples(
                    shown
                        .values()
                        .map(|issue| Example::at(issue.row.line, format!("{} ({})", issue.row.id, issue.gold))),
                )
                .hint("PUMA's prompts do not show keys; keep them out of your own templates"),
        );
    }
    for field in ["project", "issue_type"] {
        let values: Vec<&str> = found.list.iter().map(|i| i.row.fields.get(field).map_or("", String::as_str)).collect();
        let varies = values.iter().any(|value| *value != values[0]);
        if let Some(told) = told(&values).filter(|told| varies && gain(told) > 0.0) {
            let message = format!("the {field} alone predicts the {}: {}", found.answers(), describe(&told));
            findings.push(
                numbers(Finding::new(Check::Columns, Severity::Note, message), &told)
                    .hint("prompts do not show it; read the scores of each group beside the total"),
            );
        }
    }
    let lengths: Vec<f64> =
        found.list.iter().map(|i| (i.title().chars().count() + i.description().chars().count()) as f64).collect();
    let quarters = quarters(&lengths);
    let quarters: Vec<&str> = quarters.iter().map(String::as_str).collect();
    if let Some(told) = told(&quarters).filter(|told| gain(told) > 0.0) {
        let severity = if gain(&told) >= TELLING_GAIN { Severity::Warning } else { Severity::Note };
        let message = format!("the length of the text alone predicts the {}: {}", found.answers(), describe(&told));
        findings.push(
            numbers(Finding::new(Check::TextLength, severity, message), &told)
                .hint("compare with `longer_text` of `puma baselines --scenario prioritization_jira`"),
        );
    }
    findings
}

/// The letters before the first digit or the last separator: `CRIT` of `CRIT-001`.
fn prefix(key: &str) -> &str {
    let end = key.rfind(['-', '_', '#', '/']).or_else(|| key.find(|c: char| c.is_ascii_digit())).unwrap_or(key.len());
    &key[..end]
}

/// The quarter of the values in which each lies.
fn quarters(values: &[f64]) -> Vec<String> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let ends: Vec<f64> = [0.25, 0.5, 0.75].iter().filter_map(|share| quantile(&sorted, *share)).collect();
    values.iter().map(|value| ends.iter().filter(|end| value > *end).count().to_string()).collect()
}

/// How far counting words gets, for the sentence beside the score.
pub(super) fn all_words(accuracy: f64, majority: f64, n: usize) -> Option<Finding> {
    if accuracy < 0.9 || accuracy - majority < 0.1 {
        return None;
    }
    let message = format!(
        "a linear model of words is right in {} of {}, the commonest answer in {}: the text hardly needs understanding",
        percent(accuracy),
        issues(n),
        percent(majority)
    );
    Some(
        Finding::new(Check::Words, Severity::Warning, message)
            .number("accuracy", accuracy)
            .number("majority", majority)
            .count("judged", n),
    )
}
