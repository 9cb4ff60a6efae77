//! The same issue twice: by its words, nearly, with another answer, and on both sides of a split.

use super::finding::{Check, Example, Finding, Severity, issues, issues_that, percent};
use super::issues::{Issue, Issues};
use super::similar::similar_pairs;
use crate::dataset::Split;
use std::collections::{BTreeMap, BTreeSet};

/// Texts that share so many of their word triples are the same to a reader.
const NEARLY: f64 = 0.9;

/// Positions of issues that say the same.
pub(super) struct Twins {
    /// Groups of two and more with the same words.
    groups: Vec<Vec<usize>>,
    /// Pairs with nearly the same words, those with the same left out.
    near: Vec<(usize, usize, f64)>,
}

impl Twins {
    pub(super) fn of(found: &Issues<'_>) -> Self {
        let mut by_key: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, issue) in found.list.iter().enumerate() {
            by_key.entry(&issue.key).or_default().push(at);
        }
        // One of each text is enough to find what is near it.
        let firsts: Vec<usize> = by_key.values().map(|group| group[0]).collect();
        let texts: Vec<&str> = firsts.iter().map(|&at| found.list[at].key.as_str()).collect();
        let mut near: Vec<(usize, usize, f64)> = similar_pairs(&texts, NEARLY)
            .into_iter()
            .map(|(a, b, similarity)| {
                let (a, b) = (firsts[a], firsts[b]);
                (a.min(b), a.max(b), similarity)
            })
            .collect();
        near.sort_by_key(|(first, second, _)| (*first, *second));
        let mut groups: Vec<Vec<usize>> = by_key.into_values().filter(|group| group.len() > 1).collect();
        groups.sort();
        Self { groups, near }
    }

    /// Every pair of issues that say the same, or nearly.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let same = self.groups.iter().flat_map(|group| {
            group.iter().enumerate().flat_map(move |(at, &a)| group[at + 1..].iter().map(move |&b| (a, b)))
        });
        same.chain(self.near.iter().map(|(a, b, _)| (*a, *b)))
    }
}

fn pair(a: &Issue<'_>, b: &Issue<'_>) -> Example {
    Example::at(a.row.line, format!("{} ({}) and line {}: {} ({})", a.named(), a.gold, b.row.line, b.row.id, b.gold))
}

/// The same words twice, nearly the same words twice, and different answers to them.
pub(super) fn duplicates(found: &Issues<'_>, twins: &Twins) -> Vec<Finding> {
    let mut findings = Vec::new();
    let repeated: usize = twins.groups.iter().map(|group| group.len() - 1).sum();
    let hint = "a model that answers one answers the other: keep one of them, or the intervals promise too much";
    if repeated > 0 {
        let message = format!("{} the words of an earlier one", issues_that(repeated, "repeats", "repeat"));
        findings.push(
            Finding::new(Check::Duplicates, Severity::Warning, message)
                .count("issues", repeated)
                .count("groups", twins.groups.len())
                .examples(twins.groups.iter().map(|group| pair(&found.list[group[0]], &found.list[group[1]])))
                .hint(hint),
        );
    }
    if !twins.near.is_empty() {
        let count = twins.near.len();
        let pairs =
            if count == 1 { "1 pair of issues shares".to_owned() } else { format!("{count} pairs of issues share") };
        let message = format!("{pairs} at least {} of their word triples", percent(NEARLY));
        findings.push(
            Finding::new(Check::NearDuplicates, Severity::Warning, message)
                .count("pairs", count)
                .examples(twins.near.iter().map(|(a, b, _)| pair(&found.list[*a], &found.list[*b])))
                .hint(hint),
        );
    }
    let contradicting: Vec<(usize, usize)> =
        twins.pairs().filter(|(a, b)| found.list[*a].gold != found.list[*b].gold).collect();
    if !contradicting.is_empty() {
        let with: BTreeSet<usize> = contradicting.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let message = format!("{} have a twin with another answer ({})", issues(with.len()), found.answers());
        findings.push(
            Finding::new(Check::Contradictions, Severity::Warning, message)
                .count("issues", with.len())
                .count("pairs", contradicting.len())
                .examples(contradicting.iter().map(|(a, b)| pair(&found.list[*a], &found.list[*b])))
                .hint("no judge can be right about both: decide which answer holds"),
        );
    }
    findings
}

/// Judged issues that examples or trained baselines could have seen. `judged` says which issues a run would judge.
pub(super) fn contamination(found: &Issues<'_>, twins: &Twins, judged: &[bool]) -> Option<Finding> {
    let marked = found.list.iter().any(Issue::is_train);
    let pool = |at: usize| {
        let issue = &found.list[at];
        if marked { issue.row.split == Some(Split::Train) } else { !judged[at] && issue.row.split.is_none() }
    };
    let crossing: BTreeMap<usize, usize> =
        twins.pairs().flat_map(|(a, b)| [(a, b), (b, a)]).filter(|(a, b)| judged[*a] && pool(*b)).collect();
    if crossing.is_empty() {
        return None;
    }
    let all = judged.iter().filter(|judged| **judged).count();
    let whence = if marked { "the rows marked `train`" } else { "the rows that are not judged" };
    let message = format!("{} of {all} judged issues have a twin among {whence}", crossing.len());
    Some(
        Finding::new(Check::Contamination, Severity::Warning, message)
            .count("issues", crossing.len())
            .number("share", crossing.len() as f64 / all as f64)
            .examples(crossing.iter().map(|(a, b)| pair(&found.list[*a], &found.list[*b])))
            .hint("PUMA shows no example with the same text and trains no baseline on the same words, but nearly the same text passes: remove one side"),
    )
}
