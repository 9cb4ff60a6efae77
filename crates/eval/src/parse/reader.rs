//! The rules by which the final answer is found, the same for every kind of answer.
//!
//! In order: a JSON value, an explicit "final answer", a first line that is nothing but an answer, an answer the text
//! opens with, the last usual announcement ("priority: …"), what stands in bold, what the kind of answer knows besides,
//! the only answer mentioned, the only one on the last line. Several answers and no rule: ambiguous.

use super::marker::{Announcements, bold_spans, json_value, pattern};
use super::negation::is_negated;
use super::parsed::{Parsed, Standing};
use super::reasoning::visible;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// An answer and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) answer: String,
    pub(super) range: Range<usize>,
}

/// What stands at a place where an answer is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    One(Found),
    /// "Critical or Major", "3-5".
    Several(Vec<String>),
}

/// One kind of answer.
pub(super) trait Reader {
    fn announcements(&self) -> &Announcements;
    fn json_keys(&self) -> &'static [&'static str];
    /// The answer that begins exactly at byte `at`.
    fn read_at(&self, text: &str, at: usize) -> Option<Reading>;
    /// Every answer mentioned anywhere and not denied there, and every denied one.
    fn mentions(&self, text: &str) -> Mentions;
    /// Whether a text that opens with an answer followed by `rest` gives that answer.
    fn opens(&self, rest: &str) -> bool;
    /// A rule that only this kind of answer has: its name and what it found.
    fn special(&self, text: &str) -> Option<(&'static str, Found)>;
}

/// Answers found in prose.
#[derive(Clone, Debug, Default)]
pub(super) struct Mentions {
    pub(super) meant: Vec<Found>,
    pub(super) denied: Vec<Found>,
}

pub(super) fn final_answer(text: &str, reader: &dyn Reader) -> Parsed {
    let visible = visible(text);
    let own = own_text(&visible.text, reader);
    let mentions = reader.mentions(own);
    let mut candidates = distinct(mentions.meant.iter().map(|found| &found.answer));
    let decision = decide(own, reader, &mentions);
    let mut parsed = Parsed { rule: "none", reasoning_unfinished: visible.reasoning_unfinished, ..Parsed::default() };
    match decision {
        Decision::Answer { rule, found, standing } => {
            if !candidates.contains(&found.answer) {
                candidates.push(found.answer.clone());
            }
            parsed.rule = rule;
            parsed.span = Some(visible.original(&found.range));
            parsed.answer = Some(found.answer);
            parsed.standing = standing;
        }
        Decision::Several { rule, answers } => {
            parsed.rule = rule;
            parsed.ambiguous = true;
            candidates = distinct(candidates.iter().chain(&answers));
        }
        Decision::None => {}
    }
    parsed.candidates = candidates;
    parsed
}

enum Decision {
    Answer { rule: &'static str, found: Found, standing: Standing },
    Several { rule: &'static str, answers: Vec<String> },
    None,
}

fn decide(text: &str, reader: &dyn Reader, mentions: &Mentions) -> Decision {
    if let Some(found) = json_answer(text, reader) {
        return Decision::Answer { rule: "json", found, standing: Standing::Final };
    }
    let announcements = reader.announcements();
    if let Some(decision) = announced(text, reader, announcements.explicit(text), "final_marker", Standing::Final) {
        return decision;
    }
    if let Some(found) = first_line(text, reader) {
        return Decision::Answer { rule: "first_line", found, standing: Standing::Final };
    }
    if let Some(decision) = opening(text, reader) {
        return decision;
    }
    if let Some(decision) = announced(text, reader, announcements.usual(text), "marker", Standing::Announced) {
        return decision;
    }
    if let Some(found) = in_bold(text, reader) {
        return Decision::Answer { rule: "bold", found, standing: Standing::Prose };
    }
    if let Some((rule, found)) = reader.special(text) {
        return Decision::Answer { rule, found, standing: Standing::Prose };
    }
    mentioned(text, reader, mentions)
}

fn json_answer(text: &str, reader: &dyn Reader) -> Option<Found> {
    let value = json_value(text, reader.json_keys())?;
    match reader.read_at(text, value.start)? {
        Reading::One(found) if found.range.end >= value.end => Some(found),
        _ => None,
    }
}

/// The last announcement that something readable follows. A denied one ("I do not think the priority is …") is none.
fn announced(
    text: &str,
    reader: &dyn Reader,
    places: Vec<Range<usize>>,
    rule: &'static str,
    standing: Standing,
) -> Option<Decision> {
    let readings = places.into_iter().filter(|place| standing == Standing::Final || !is_negated(text, place.start));
    let last = readings.filter_map(|place| reader.read_at(text, place.end)).last()?;
    Some(match last {
        Reading::One(found) => Decision::Answer { rule, found, standing },
        Reading::Several(answers) => Decision::Several { rule, answers },
    })
}

/// The first line if it is nothing but an answer, unless other lines are nothing but other answers (a list of them).
fn first_line(text: &str, reader: &dyn Reader) -> Option<Found> {
    let mut bare = lines(text).map(|line| bare_answer(text, line, reader));
    let first = bare.next()??;
    bare.flatten().all(|other| other.answer == first.answer).then_some(first)
}

/// The answer that is all of `line` apart from emphasis, quotes and punctuation.
fn bare_answer(text: &str, line: Range<usize>, reader: &dyn Reader) -> Option<Found> {
    let start = line.start + decoration(&text[line.clone()]);
    match reader.read_at(text, start)? {
        Reading::One(found) if found.range.end <= line.end => {
            text[found.range.end..line.end].chars().all(|c| !c.is_alphanumeric()).then_some(found)
        }
        _ => None,
    }
}

/// The answer that the text opens with: "Critical, because …". A list whose lines open with different answers (repeated
/// definitions, say) gives none.
fn opening(text: &str, reader: &dyn Reader) -> Option<Decision> {
    let mut openings = lines(text).map(|line| {
        let start = line.start + decoration(&text[line]);
        match reader.read_at(text, start)? {
            Reading::One(found) if reader.opens(&text[found.range.end..]) => Some(found),
            _ => None,
        }
    });
    let found = openings.next()??;
    let alone = openings.flatten().all(|other| other.answer == found.answer);
    alone.then_some(Decision::Answer { rule: "opening", found, standing: Standing::Announced })
}

fn in_bold(text: &str, reader: &dyn Reader) -> Option<Found> {
    let found: Vec<Found> = bold_spans(text).into_iter().filter_map(|span| bare_answer(text, span, reader)).collect();
    let first = found.first()?.clone();
    found.iter().all(|other| other.answer == first.answer).then_some(first)
}

fn mentioned(text: &str, reader: &dyn Reader, mentions: &Mentions) -> Decision {
    let Some(first) = mentions.meant.first() else { return Decision::None };
    let answers = distinct(mentions.meant.iter().map(|found| &found.answer));
    if answers.len() == 1 {
        let rule = if mentions.denied.is_empty() { "sole_mention" } else { "sole_after_negation" };
        return Decision::Answer { rule, found: first.clone(), standing: Standing::Prose };
    }
    if let Some(last) = lines(text).last().filter(|_| !ends_in_a_list(text, reader)) {
        let on_last: Vec<&Found> = mentions.meant.iter().filter(|found| found.range.start >= last.start).collect();
        if distinct(on_last.iter().map(|found| &found.answer)).len() == 1 {
            return Decision::Answer { rule: "last_line", found: on_last[0].clone(), standing: Standing::Prose };
        }
    }
    Decision::Several { rule: "ambiguous", answers }
}

/// Whether the last two lines begin with different answers: a list of what is possible, not a conclusion.
fn ends_in_a_list(text: &str, reader: &dyn Reader) -> bool {
    let mut beginnings = lines(text).map(|line| reader.read_at(text, line.start + decoration(&text[line])));
    let (mut previous, mut last) = (None, beginnings.next().flatten());
    for next in beginnings {
        previous = std::mem::replace(&mut last, next);
    }
    match (previous, last) {
        (Some(Reading::One(previous)), Some(Reading::One(last))) => previous.answer != last.answer,
        _ => false,
    }
}

fn distinct<'a>(answers: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for answer in answers {
        if !distinct.contains(answer) {
            distinct.push(answer.clone());
        }
    }
    distinct
}

/// Lines that hold something.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let range = start..start + line.trim_end().len();
        start += line.len();
        (!line.trim().is_empty()).then_some(range)
    })
}

/// How many bytes of emphasis, quotes, list marks and spaces `line` begins with.
fn decoration(line: &str) -> usize {
    line.len() - line.trim_start_matches(|c: char| c.is_whitespace() || "*_\"'`([#>“‘-".contains(c)).len()
}

static NEXT_TASK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?im)^[\s*#]*(?:example\s+\d+|title\s*:|now\s+(?:choose|estimate|compare)\b|issue\s+[ax]\s*:?\s*$)")
});

/// A bound on work for texts made of headings.
const MAX_HEADINGS: usize = 16;

/// The text up to where the model, having answered, goes on with tasks of its own making, as small models do after
/// solved examples.
fn own_text<'a>(text: &'a str, reader: &dyn Reader) -> &'a str {
    for heading in NEXT_TASK.find_iter(text).take(MAX_HEADINGS) {
        let before = &text[..heading.start()];
        let announcements = reader.announcements();
        let answered = first_line(before, reader).is_some()
            || announced(before, reader, announcements.explicit(before), "", Standing::Final).is_some()
            || announced(before, reader, announcements.usual(before), "", Standing::Announced).is_some()
            || opening(before, reader).is_some();
        if answered {
            return before;
        }
    }
    text
}
