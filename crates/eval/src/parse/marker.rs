//! Places in a text where an answer is announced: "Final answer:", "Priority:", `\boxed{`, a JSON key.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// What may stand between an announcement and its answer: connecting words, punctuation, emphasis, quotes. `articles`
/// are the words that may come before the answer; "a" must not be among them where A is an answer.
fn connection(articles: &str) -> String {
    format!(
        concat!(
            r#"[\s*_"'`\)\]]*"#,
            r"(?:(?:is|are|would\s+be|should\s+be|must\s+be|will\s+be|->|=>|→|=|:|-|–|—)[\s:]*)",
            r"(?:(?:therefore|thus|clearly|definitely|probably|likely|most\s+likely)\s+)?",
            r"(?:(?:{articles})\s+)?(?:(?:issue|option|choice|ticket|priority|level)\s+(?:of\s+)?)?",
            r#"[\s*_"'`\(\[\{{<$]*(?:\\(?:text|textbf|boxed)\{{)?[*_"'`\(\[]*"#,
        ),
        articles = articles
    )
}

const FINAL_NOUNS: &str = r"final\s+(?:answer|priority|label|classification|verdict|decision|choice|estimate|estimation|story\s+points?|number)";

/// The announcements of one kind of answer.
pub(super) struct Announcements {
    explicit: Regex,
    usual: Regex,
}

impl Announcements {
    /// `nouns` is an alternation of things that are said to be the answer (`priority|severity`), `verbs` one of phrases
    /// that end right before it (`classified\s+as`), `articles` one of words that may come in between.
    pub(super) fn new(nouns: &str, verbs: &str, articles: &str) -> Self {
        let connection = connection(articles);
        let decoration = r#"[\s*_"'`\(\[]*"#;
        Self {
            explicit: pattern(&format!(r"(?i)\b(?:{FINAL_NOUNS}){connection}")),
            usual: pattern(&format!(
                r"(?i)\b(?:(?:{nouns})(?:\s+(?:level|class|label))?{connection}|(?:{verbs})\s+(?:(?:{articles})\s+)?(?:(?:issue|option|ticket|priority)\s+(?:of\s+)?)?{decoration})"
            )),
        }
    }

    /// Explicit final-answer announcements and boxes, in order.
    pub(super) fn explicit(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self
            .explicit
            .find_iter(text)
            .chain(BOXED.find_iter(text))
            .map(|announcement| announcement.range())
            .collect();
        found.sort_unstable_by_key(|range| range.end);
        found
    }

    /// Other announcements, in order.
    pub(super) fn usual(&self, text: &str) -> Vec<Range<usize>> {
        self.usual.find_iter(text).map(|announcement| announcement.range()).collect()
    }
}

static BOXED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\\boxed\s*\{[\s*$]*(?:\\(?:text|textbf|mathrm)\s*\{)?\s*(?:(?i:issue|option)\s+)?"));

pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that the tests compile")
}

/// The text values of a JSON object in `text` that stand under one of `keys`: the last object that has one.
pub(super) fn json_value(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let starts: Vec<usize> = text.match_indices('{').map(|(start, _)| start).collect();
    for start in starts.into_iter().rev().take(MAX_JSON_OBJECTS) {
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde_json::Value>();
        let Some(Ok(serde_json::Value::Object(object))) = values.next() else { continue };
        let end = start + values.byte_offset();
        for (key, value) in &object {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                continue;
            }
            let spelled = match value {
                serde_json::Value::String(text) => text.trim().to_owned(),
                serde_json::Value::Number(number) => number.to_string(),
                _ => continue,
            };
            // The value stands after its key; an escaped spelling cannot be pointed at and is no plain answer.
            let key_at = start + text[start..end].find(&format!("\"{key}\""))? + key.len() + 2;
            if let Some(offset) = text[key_at..end].find(&spelled).filter(|_| !spelled.is_empty()) {
                return Some(key_at + offset..key_at + offset + spelled.len());
            }
        }
    }
    None
}

/// A bound on work for texts made of braces.
const MAX_JSON_OBJECTS: usize = 64;

static BOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\*\*([^*\n]{1,80})\*\*|__([^_\n]{1,80})__"));

/// What stands in bold, in order.
pub(super) fn bold_spans(text: &str) -> Vec<Range<usize>> {
    BOLD.captures_iter(text)
        .filter_map(|found| found.get(1).or_else(|| found.get(2)).map(|inner| inner.range()))
        .collect()
}
