//! Reading story points: a number that is meant as an estimate, not one that counts, numbers or dates something.

use super::first_match;
use super::label::{opens_with, words};
use super::marker::{Announcements, pattern};
use super::negation::is_negated;
use super::parsed::{Parsed, shortest_decimal};
use super::reader::{Found, Mentions, Reader, Reading, final_answer};
use crate::spec::ParserMode;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The story points that `text` answers with. In `FinalAnswer` mode a number off the usual scale is kept as it is.
pub fn story_points(text: &str, mode: ParserMode) -> Parsed {
    match mode {
        ParserMode::FinalAnswer => final_answer(text, &PointsReader),
        ParserMode::FirstMatch => first_match::story_points(text),
    }
}

struct PointsReader;

/// No team estimates a story at more; such a number is something else, and one of them would drown every other error.
const LARGEST_ESTIMATE: f64 = 1000.0;

const WORDS: [(&str, f64); 26] = [
    ("zero", 0.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("twenty-one", 21.0),
    ("thirty-four", 34.0),
    ("forty", 40.0),
    ("fifty-five", 55.0),
    ("hundred", 100.0),
];

static ANNOUNCEMENTS: LazyLock<Announcements> = LazyLock::new(|| {
    Announcements::new(
        r"(?:story\s+)?points?(?:\s+estimate)?|sp|estimate|estimation|estimated\s+effort|effort|answer|size|value|verdict|conclusion|decision",
        concat!(
            r"(?:estimated?|rated?|sized?|scored?)(?:\s+(?:this|it|the)(?:\s+\w+){0,2})?\s+(?:at|as)",
            r"|(?:choose|chose|select|pick|assign|recommend|go\s+with|settle\s+on|estimate\s+of)"
        ),
        "an?|the|of|about|around|approximately|roughly",
    )
});

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]+(?:\.[0-9]+)?"));

static UNIT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^[\s*_-]*(?:story[\s-]*points?|points?|sps?|pts?)\b"));

/// What joins two numbers into a range or a choice.
static JOINED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^[\s*_]*(?:-|–|—|to|or|and|/|,)[\s*_]*([0-9]+(?:\.[0-9]+)?)"));

/// "3-5", "3 to 5" standing for themselves: no part of a date, a version or a key.
static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?:^|[^\w.,:/#$-])([0-9]+(?:\.[0-9]+)?)[\s*_]*(?:-|–|—|to|or|/)[\s*_]*([0-9]+(?:\.[0-9]+)?)",
        r"(?:$|[^\w.\-/:%]|\.(?:\s|$))"
    ))
});

/// Where the ends of ranges stand, in order.
fn range_ends(text: &str) -> Vec<usize> {
    RANGE.captures_iter(text).flat_map(|range| [range.get(1), range.get(2)]).flatten().map(|end| end.start()).collect()
}

/// "1, 2, 3, 5, 8": the scale repeated; "on a scale of 1 to 10", "1-21 scale".
static SCALE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)[0-9]+(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+)[0-9]+){3,}",
        r"|\bscale\s+(?:of|from)\s+[0-9]+\s*(?:-|–|to)\s*[0-9]+|\b[0-9]+\s*(?:-|–|to)\s*[0-9]+\s+scale"
    ))
});

/// "1. First, consider": the number of a list item. A number and a full stop alone on a line is an answer.
static LIST_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^[\s*_#>-]*([0-9]+)[.)][*_]*[ \t]+\S"));

/// Whether the number at `range` is that of a list item.
fn numbers_a_list(text: &str, range: &Range<usize>) -> bool {
    let line_start = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
    let line_end = text[range.end..].find('\n').map_or(text.len(), |length| range.end + length);
    let item = LIST_NUMBER.captures(&text[line_start..line_end]).and_then(|item| item.get(1));
    item.is_some_and(|number| line_start + number.start() == range.start)
}

/// Words before a number that number something.
const NUMBERED: [&str; 20] = [
    "step",
    "steps",
    "example",
    "version",
    "sprint",
    "iteration",
    "part",
    "phase",
    "section",
    "line",
    "java",
    "python",
    "option",
    "level",
    "question",
    "item",
    "chapter",
    "http",
    "error",
    "issue",
];

/// Words that may follow an estimate; another word makes the number a count of something.
const AFTER_ESTIMATE: [&str; 36] = [
    "story",
    "point",
    "points",
    "sp",
    "sps",
    "pts",
    "pt",
    "is",
    "as",
    "because",
    "since",
    "for",
    "would",
    "seems",
    "due",
    "based",
    "and",
    "or",
    "on",
    "given",
    "to",
    "should",
    "will",
    "in",
    "out",
    "which",
    "but",
    "so",
    "if",
    "with",
    "feels",
    "looks",
    "here",
    "appropriate",
    "reflects",
    "fits",
];

fn word_before(text: &str, at: usize) -> String {
    let before = text[..at].trim_end_matches(|c: char| c == ' ' || "*_#(".contains(c));
    let start = before
        .rfind(|c: char| !c.is_alphabetic())
        .map_or(0, |end| end + before[end..].chars().next().map_or(1, char::len_utf8));
    before[start..].to_ascii_lowercase()
}

/// The number that is exactly at `range`, if it can be an estimate at all.
fn estimate(text: &str, range: &Range<usize>) -> Option<f64> {
    let before = text[..range.start].chars().next_back();
    let before_that = text[..range.start].chars().rev().nth(1);
    let glued = match before {
        Some('-' | '−') => true,
        Some('.' | ',' | ':' | '/') => before_that.is_some_and(|c| c.is_ascii_digit()),
        Some(c) => {
            c.is_alphanumeric() || "#$€£@".contains(c) || c == '_' && before_that.is_some_and(char::is_alphanumeric)
        }
        None => false,
    };
    let mut after = text[range.end..].chars();
    let (next, next_but_one) = (after.next(), after.next());
    let glued_after = match next {
        Some('.' | ',' | ':' | '/' | '-') => next_but_one.is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_alphanumeric() && !UNIT.is_match(&text[range.end..]) || c == '%',
        None => false,
    };
    let value: f64 = text[range.clone()].parse().ok()?;
    (!glued && !glued_after && value <= LARGEST_ESTIMATE).then_some(value)
}

/// The number written as a word at byte `at`.
fn spelled_out(text: &str, at: usize) -> Option<(f64, Range<usize>)> {
    let rest = &text[at..];
    let first = words(rest).next().filter(|range| range.start == 0)?;
    let length = match rest[first.end..].strip_prefix('-').and_then(|tail| words(tail).next()) {
        Some(second) if second.start == 0 => first.end + 1 + second.end,
        _ => first.end,
    };
    [length, first.end].into_iter().find_map(|length| {
        let word = rest[..length].to_ascii_lowercase();
        let (_, value) = WORDS.iter().find(|(name, _)| *name == word)?;
        Some((*value, at..at + length))
    })
}

fn found(value: f64, range: Range<usize>) -> Found {
    Found { answer: shortest_decimal(value), range }
}

/// A number followed by its unit: "8 story points", "five points". The last one counts if all say the same.
fn with_unit(text: &str) -> Option<Found> {
    let digits = NUMBER.find_iter(text).filter_map(|number| {
        UNIT.is_match(&text[number.end()..])
            .then(|| estimate(text, &number.range()))?
            .map(|value| found(value, number.range()))
    });
    let spelled = words(text).filter_map(|word| {
        let (value, range) = spelled_out(text, word.start)?;
        UNIT.is_match(&text[range.end..]).then(|| found(value, range))
    });
    let ranges = range_ends(text);
    let all: Vec<Found> =
        digits.chain(spelled).filter(|number| ranges.binary_search(&number.range.start).is_err()).collect();
    let meant: Vec<&Found> = all.iter().filter(|number| !is_negated(text, number.range.start)).collect();
    let last = (*meant.last()?).clone();
    meant.iter().all(|other| other.answer == last.answer).then_some(last)
}

impl Reader for PointsReader {
    fn announcements(&self) -> &Announcements {
        &ANNOUNCEMENTS
    }

    fn json_keys(&self) -> &'static [&'static str] {
        &["final_answer", "answer", "story_points", "storypoints", "points", "estimate", "estimation"]
    }

    fn read_at(&self, text: &str, at: usize) -> Option<Reading> {
        let rest = text.get(at..)?;
        let Some(number) = NUMBER.find(rest).filter(|number| number.start() == 0) else {
            let (value, range) = spelled_out(text, at)?;
            return Some(Reading::One(found(value, range)));
        };
        let range = at..at + number.end();
        if numbers_a_list(text, &range) {
            return None;
        }
        if let Some(joined) = JOINED.captures(&text[range.end..]) {
            let value = |text: &str| text.parse::<f64>().ok().map(shortest_decimal);
            let answers = [value(number.as_str()), value(&joined[1])].into_iter().flatten().collect();
            return Some(Reading::Several(answers));
        }
        let value = estimate(text, &range)?;
        let other_unit = counts_something(text, range.end);
        (!other_unit).then(|| Reading::One(found(value, range)))
    }

    fn mentions(&self, text: &str) -> Mentions {
        let scales: Vec<Range<usize>> = SCALE.find_iter(text).map(|scale| scale.range()).collect();
        let list_numbers: Vec<usize> =
            LIST_NUMBER.captures_iter(text).filter_map(|item| item.get(1).map(|number| number.start())).collect();
        let ranges = range_ends(text);
        let mut mentions = Mentions::default();
        for number in NUMBER.find_iter(text) {
            let range = number.range();
            let listed = list_numbers.binary_search(&range.start).is_ok();
            let in_scale = scales.iter().any(|scale| scale.contains(&range.start));
            let numbered = NUMBERED.contains(&word_before(text, range.start).as_str());
            if listed || in_scale || numbered || counts_something(text, range.end) {
                continue;
            }
            let in_range = ranges.binary_search(&range.start).is_ok();
            let value = match estimate(text, &range) {
                // Both ends of "3-5" are candidates, though the dash glues them together.
                None if in_range => text[range.clone()].parse().ok().filter(|value| *value <= LARGEST_ESTIMATE),
                other => other,
            };
            if let Some(value) = value {
                let number = found(value, range.clone());
                if is_negated(text, range.start) {
                    mentions.denied.push(number);
                } else {
                    mentions.meant.push(number);
                }
            }
        }
        mentions
    }

    fn opens(&self, rest: &str) -> bool {
        // "5. First, …" and "5) …" number a list.
        opens_with(rest, ",;(—–\n") || UNIT.is_match(rest)
    }

    fn special(&self, text: &str) -> Option<(&'static str, Found)> {
        with_unit(text).map(|found| ("with_unit", found))
    }
}

/// Whether the number that ends at `end` counts something that is no points: "3 components", "2 days".
fn counts_something(text: &str, end: usize) -> bool {
    let rest = text[end..].trim_start_matches(['*', '_', '"', '\'']);
    let Some(rest) = rest.strip_prefix([' ', '-']) else { return false };
    let word: String = rest.chars().take_while(|c| c.is_alphabetic()).collect();
    !word.is_empty() && !AFTER_ESTIMATE.contains(&word.to_lowercase().as_str())
}
