//! Reading one of a few labels, such as priorities.

use super::first_match;
use super::marker::Announcements;
use super::negation::is_negated;
use super::parsed::Parsed;
use super::reader::{Found, Mentions, Reader, Reading, final_answer};
use crate::spec::ParserMode;
use std::ops::Range;
use std::sync::LazyLock;

/// The label that `text` answers with, spelled as in `labels`.
pub fn label(text: &str, labels: &[&str], mode: ParserMode) -> Parsed {
    match mode {
        ParserMode::FinalAnswer => final_answer(text, &LabelReader { labels }),
        ParserMode::FirstMatch => first_match::label(text, labels),
    }
}

struct LabelReader<'a> {
    labels: &'a [&'a str],
}

static ANNOUNCEMENTS: LazyLock<Announcements> = LazyLock::new(|| {
    Announcements::new(
        "priority|severity|answer|label|classification|category|verdict|conclusion|decision|rating",
        concat!(
            r"(?:classif(?:y|ied)|rated?|labell?(?:ed)?|categori[sz]ed?|prioriti[sz]ed?|mark(?:ed)?|treat(?:ed)?|considered|triaged?|ranked?)",
            r"\s+(?:(?:this|it|the)\s+(?:\w+\s+){0,2})?as|(?:choose|chose|select|pick|assign|recommend|go\s+with)"
        ),
        "an?|the|of",
    )
});

/// Every word of `text`: runs of letters, digits and underscores, as `\b` of regular expressions sees them.
pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(is_word)?;
        let end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |length| start + length);
        rest = end;
        Some(start..end)
    })
}

/// The first word of `text` that is a label, in any case.
pub(super) fn first_label<'a>(text: &str, labels: &[&'a str]) -> Option<(&'a str, Range<usize>)> {
    words(text).find_map(|range| Some((spelled(&text[range.clone()], labels)?, range)))
}

fn spelled<'a>(word: &str, labels: &[&'a str]) -> Option<&'a str> {
    labels.iter().find(|label| label.eq_ignore_ascii_case(word)).copied()
}

impl LabelReader<'_> {
    fn at(&self, text: &str, at: usize) -> Option<Found> {
        let range = words(text.get(at..)?).next().filter(|range| range.start == 0)?;
        let range = at..at + range.end;
        let label = spelled(&text[range.clone()], self.labels)?;
        (!is_half_of_a_compound(text, &range)).then(|| Found { answer: label.to_owned(), range })
    }
}

/// "critical-path" and "mission-critical" describe; they are no labels.
fn is_half_of_a_compound(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].strip_suffix('-').is_some_and(|left| left.ends_with(char::is_alphanumeric));
    let after = text[range.end..].strip_prefix('-').is_some_and(|right| {
        right.starts_with(char::is_alphabetic)
            && !["priority", "level", "severity"].iter().any(|word| right.to_ascii_lowercase().starts_with(word))
    });
    before || after
}

impl Reader for LabelReader<'_> {
    fn announcements(&self) -> &Announcements {
        &ANNOUNCEMENTS
    }

    fn json_keys(&self) -> &'static [&'static str] {
        &["final_answer", "answer", "priority", "severity", "label", "classification"]
    }

    fn read_at(&self, text: &str, at: usize) -> Option<Reading> {
        let first = self.at(text, at)?;
        let mut answers = vec![first.answer.clone()];
        let mut end = first.range.end;
        while let Some(next) = next_alternative(text, end).and_then(|start| self.at(text, start)) {
            end = next.range.end;
            answers.push(next.answer);
        }
        let single = answers.iter().all(|answer| *answer == first.answer);
        Some(if single { Reading::One(first) } else { Reading::Several(answers) })
    }

    fn mentions(&self, text: &str) -> Mentions {
        let mut mentions = Mentions::default();
        for range in words(text) {
            let Some(label) = spelled(&text[range.clone()], self.labels) else { continue };
            let before = &text.as_bytes()[range.start.saturating_sub(4)..range.start];
            let non = before.eq_ignore_ascii_case(b"non-");
            if !non && is_half_of_a_compound(text, &range) {
                continue;
            }
            let denied = non || is_negated(text, range.start);
            let found = Found { answer: label.to_owned(), range };
            if denied { mentions.denied.push(found) } else { mentions.meant.push(found) }
        }
        mentions
    }

    fn opens(&self, rest: &str) -> bool {
        opens_with(rest, ".,:;(—–-")
    }

    fn special(&self, _text: &str) -> Option<(&'static str, Found)> {
        None
    }
}

/// Whether `rest`, which follows an answer, shows that the answer stood for itself: punctuation, or a reason.
pub(super) fn opens_with(rest: &str, punctuation: &str) -> bool {
    let rest = rest.trim_start_matches(|c: char| "*_\"'`)]".contains(c) || c == ' ');
    let word: String = rest.chars().take_while(|c| c.is_alphabetic()).collect();
    rest.starts_with(|c: char| c == '\n' || punctuation.contains(c))
        || matches!(word.to_ascii_lowercase().as_str(), "because" | "since" | "as" | "due" | "given")
}

/// Where another answer may begin that stands beside the one that ends at `end`: after `/`, `,`, `|`, "or", "and".
pub(super) fn next_alternative(text: &str, end: usize) -> Option<usize> {
    let decoration = |c: char| "*_\"'` ".contains(c);
    let rest = &text[end..];
    let trimmed = rest.trim_start_matches(decoration);
    let mut joined = trimmed.trim_start_matches(['/', ',', '|']).trim_start_matches(decoration);
    let mut any = joined.len() < trimmed.trim_start_matches(decoration).len();
    for word in ["or ", "and ", "to "] {
        if let Some(head) = joined.get(..word.len())
            && head.eq_ignore_ascii_case(word)
        {
            (joined, any) = (joined[word.len()..].trim_start_matches(decoration), true);
        }
    }
    any.then(|| text.len() - joined.len())
}
