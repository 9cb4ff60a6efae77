//! Reading which of two was chosen: A or B (or X or Y), and never the English article.

use super::first_match;
use super::label::{next_alternative, opens_with, words};
use super::marker::{Announcements, pattern};
use super::negation::is_negated;
use super::parsed::Parsed;
use super::reader::{Found, Mentions, Reader, Reading, final_answer};
use crate::spec::ParserMode;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The names of the two things to choose between: one capital letter each.
#[derive(Debug)]
pub struct ChoiceNames {
    first: &'static str,
    second: &'static str,
    /// A name, what is said of it, and the rest of the clause.
    comparison: LazyLock<Regex>,
    /// A name as a whole word, in any case.
    pub(super) mention: LazyLock<Regex>,
}

/// A or B, which every prompt offers by itself.
pub static A_OR_B: ChoiceNames = ChoiceNames {
    first: "A",
    second: "B",
    comparison: LazyLock::new(|| comparison("AB")),
    mention: LazyLock::new(|| pattern(r"(?i)\b[AB]\b")),
};

/// X or Y, which prompts offer whose options are renamed.
pub static X_OR_Y: ChoiceNames = ChoiceNames {
    first: "X",
    second: "Y",
    comparison: LazyLock::new(|| comparison("XY")),
    mention: LazyLock::new(|| pattern(r"(?i)\b[XY]\b")),
};

/// Which of the two `names` the `text` answers with.
pub fn choice(text: &str, names: &'static ChoiceNames, mode: ParserMode) -> Parsed {
    match mode {
        ParserMode::FinalAnswer => final_answer(text, &ChoiceReader(names)),
        ParserMode::FirstMatch => first_match::choice(text, names),
    }
}

struct ChoiceReader(&'static ChoiceNames);

static ANNOUNCEMENTS: LazyLock<Announcements> = LazyLock::new(|| {
    Announcements::new(
        concat!(
            r"answer|high(?:er|est)[\s-]+priority(?:\s+issue)?|priority|choice|winner|verdict|conclusion|decision",
            r"|more\s+(?:urgent|important|critical|severe)(?:\s+(?:issue|one))?"
        ),
        r"choose|chose|select|pick|prioriti[sz]e|go\s+with|favou?r|start\s+with",
        "the|of",
    )
});

/// Words that follow "A" only where A is a name: "A is more urgent".
const AFTER_A_NAME: [&str; 30] = [
    "is",
    "has",
    "was",
    "because",
    "since",
    "as",
    "over",
    "should",
    "must",
    "needs",
    "takes",
    "gets",
    "than",
    "and",
    "or",
    "comes",
    "deserves",
    "would",
    "will",
    "can",
    "first",
    "before",
    "rather",
    "due",
    "given",
    "poses",
    "affects",
    "describes",
    "requires",
    "carries",
];

static NAMED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)(?:issue|option|choice|ticket|item|letter|answer)s?[\s*_"'`(:]*$"#));

fn word_after(text: &str, end: usize) -> Option<String> {
    let rest = text[end..].strip_prefix(' ')?;
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    (!word.is_empty()).then(|| word.to_ascii_lowercase())
}

impl ChoiceNames {
    /// The name that `word` is, and whether it is spelled in capitals.
    fn named(&self, word: &str) -> Option<(&'static str, bool)> {
        let name = [self.first, self.second].into_iter().find(|name| name.eq_ignore_ascii_case(word))?;
        Some((name, name == word))
    }

    /// The letter that is the whole word at `range`, if it is the name of an issue.
    fn letter(&self, text: &str, range: &Range<usize>, announced: bool) -> Option<&'static str> {
        let (letter, upper) = self.named(&text[range.clone()])?;
        let article = letter == "A";
        let follower = word_after(text, range.end);
        let stands_alone = follower.is_none() && !text[range.end..].starts_with(['\'', '’', '-', '/', '+', '#']);
        let named = NAMED.is_match(&text[..range.start]);
        let named_by_verb = follower.is_some_and(|word| AFTER_A_NAME.contains(&word.as_str()));
        let is_name = match upper {
            true if named || stands_alone || named_by_verb => true,
            true if !article => !text[range.end..].starts_with(['-', '+', '#', '/']),
            true => false,
            false => stands_alone && (announced || named || text.trim().len() <= 3),
        };
        is_name.then_some(letter)
    }
}

static HEADING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?im)^[\s*_#]*(?:issue|option|ticket)[ *_]+$"));

/// "Issue A: …" at the start of a line heads the issue repeated; it chooses nothing.
fn heads_an_issue(text: &str, range: &Range<usize>) -> bool {
    HEADING.is_match(&text[..range.start]) && text[range.end..].trim_start_matches(['*', '_']).starts_with(':')
}

/// A sentence that says something of one of `letters`.
fn comparison(letters: &str) -> Regex {
    pattern(&format!(
        concat!(
            r#"\b([{}])\b[*_"'`)]*\s+(?:(?i:clearly|definitely|likely|probably|therefore|also|actually)\s+)?"#,
            r"(?i:is|has|gets|takes|deserves|should|needs|must|comes|ranks|would|will|carries|requires|poses)\b([^.;\n]{{0,120}})"
        ),
        letters
    ))
}

static AHEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:higher|more\s+(?:urgent|important|critical|severe|serious|pressing|impactful)|greater|first|before",
        r"|precedence|prioriti[sz]ed|priority\s+over|top\s+priority|over)\b"
    ))
});

static BEHIND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:lower|less|lesser|second|later|wait|after|deferred|postponed)\b|\bnot\b|n't\b")
});

/// Who is said to come first, if every comparison in the text says the same.
fn compared(text: &str, names: &ChoiceNames) -> Option<Found> {
    let mut verdicts = names.comparison.captures_iter(text).filter_map(|found| {
        let (name, tail) = (found.get(1)?, found.get(2)?.as_str());
        let ahead = AHEAD.find(tail).map(|place| place.start());
        let behind = BEHIND.find(tail).map(|place| place.start());
        // "higher than B, which can wait": what comes first is said of this issue.
        let is_ahead = match (ahead, behind) {
            (Some(ahead), Some(behind)) => ahead < behind,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return None,
        };
        let answer = if (name.as_str() == names.first) == is_ahead { names.first } else { names.second };
        Some(Found { answer: answer.to_owned(), range: name.range() })
    });
    let first = verdicts.next()?;
    verdicts.all(|other| other.answer == first.answer).then_some(first)
}

impl Reader for ChoiceReader {
    fn announcements(&self) -> &Announcements {
        &ANNOUNCEMENTS
    }

    fn json_keys(&self) -> &'static [&'static str] {
        &["final_answer", "answer", "higher_priority", "priority", "choice"]
    }

    fn read_at(&self, text: &str, at: usize) -> Option<Reading> {
        let one = |at: usize| {
            // "Issue A" as a whole line or answer.
            let rest = text.get(at..)?;
            let name = ["issue ", "option ", "ticket "]
                .iter()
                .find(|name| rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)));
            let at = at + name.map_or(0, |name| name.len());
            let range = words(&text[at..]).next().filter(|range| range.start == 0)?;
            let range = at..at + range.end;
            let answer = self.0.letter(text, &range, true)?.to_owned();
            (!heads_an_issue(text, &range)).then_some(Found { answer, range })
        };
        let first = one(at)?;
        match next_alternative(text, first.range.end).and_then(one) {
            Some(second) if second.answer != first.answer => Some(Reading::Several(vec![first.answer, second.answer])),
            _ => Some(Reading::One(first)),
        }
    }

    fn mentions(&self, text: &str) -> Mentions {
        let mut mentions = Mentions::default();
        for range in words(text) {
            if let Some(answer) = self.0.letter(text, &range, false).filter(|_| !heads_an_issue(text, &range)) {
                let denied = is_negated(text, range.start);
                let found = Found { answer: answer.to_owned(), range };
                if denied { mentions.denied.push(found) } else { mentions.meant.push(found) }
            }
        }
        mentions
    }

    fn opens(&self, rest: &str) -> bool {
        opens_with(rest, ".,;(—–")
    }

    fn special(&self, text: &str) -> Option<(&'static str, Found)> {
        compared(text, self.0).map(|found| ("comparison", found))
    }
}
