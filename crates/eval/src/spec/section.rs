//! One mapping of a spec, read key by key: each reader takes its key out, checks the type and notes what is wrong;
//! what is left at the end is unknown.

use super::error::{Place, Problem};
use super::nearest::nearest;
use super::tree::{Entry, Node, Value};
use std::ops::RangeInclusive;

/// A text value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) place: Place,
}

/// A mapping being read.
pub(super) struct Section<'p> {
    /// Dotted prefix for messages, empty at the top.
    path: String,
    place: Place,
    entries: Vec<Entry>,
    known: &'static [&'static str],
    problems: Problems<'p>,
}

/// The top writes into the document's list; inner sections keep their own until they are handed in.
enum Problems<'p> {
    Shared(&'p mut Vec<Problem>),
    Own(Vec<Problem>),
}

impl<'p> Section<'p> {
    pub(super) fn new(
        path: &str,
        place: Place,
        entries: Vec<Entry>,
        known: &'static [&'static str],
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self { path: path.to_owned(), place, entries, known, problems: Problems::Shared(problems) }
    }

    /// The mapping under `key`; empty, and so all defaults, if it is absent or no mapping.
    pub(super) fn section(&mut self, key: &str, known: &'static [&'static str]) -> Section<'static> {
        let mut inner = Section {
            path: key.to_owned(),
            place: self.place,
            entries: Vec::new(),
            known,
            problems: Problems::Own(Vec::new()),
        };
        if let Some(node) = self.take(key) {
            inner.place = node.place;
            match node.value {
                Value::Map(entries) => inner.entries = entries,
                _ => {
                    let message =
                        format!("`{key}` must hold {}, but it is {}", known.join(", "), describe(&node.value));
                    let hint = format!("indent `{}: …` below `{key}:`, or remove the line", known[0]);
                    self.problem(Problem::new(node.place, key, message).hint(hint));
                }
            }
        }
        inner
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        match &mut self.problems {
            Problems::Shared(list) => list.push(problem),
            Problems::Own(list) => list.push(problem),
        }
    }

    /// The problems an inner section kept for itself.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        match self.problems {
            Problems::Shared(_) => Vec::new(),
            Problems::Own(list) => list,
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Where `key` stands, or stood before it was taken.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.place, |entry| entry.key_place)
    }

    pub(super) fn missing(&mut self, key: &str, hint: &str) {
        let message = format!("`{}` is missing", self.dotted(key));
        let problem = Problem::new(self.place, key, message).hint(hint);
        self.problem(problem);
    }

    /// Reports every key that is not known here.
    pub(super) fn finish(&mut self) {
        for entry in std::mem::take(&mut self.entries) {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let place = if self.path.is_empty() { "a run spec".to_owned() } else { format!("`{}`", self.path) };
            let message = format!("`{}` is no key of {place}", entry.key);
            let hint = match nearest(&entry.key, self.known.iter().copied()) {
                Some(close) => format!("did you mean `{close}`? known keys: {}", self.known.join(", ")),
                None => format!("known keys: {}", self.known.join(", ")),
            };
            let key = self.dotted(&entry.key);
            self.problem(Problem::new(entry.key_place, &key, message).hint(hint));
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Option<Text> {
        let node = self.node(key)?;
        self.as_text(key, node)
    }

    /// Like `text`, where `null` means absent.
    pub(super) fn optional_text(&mut self, key: &str) -> Option<Text> {
        let node = self.node(key).filter(|node| node.value != Value::Null)?;
        self.as_text(key, node)
    }

    pub(super) fn required_text(&mut self, key: &str, hint: &str) -> Option<Text> {
        if !self.has(key) {
            self.missing(key, hint);
            return None;
        }
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            self.problem(Problem::new(text.place, key, format!("`{key}` is empty")).hint(hint));
            return None;
        }
        Some(text)
    }

    pub(super) fn integer(&mut self, key: &str, default: i128, range: RangeInclusive<i128>) -> i128 {
        let Some(node) = self.node(key) else { return default };
        let value = match node.value {
            Value::Integer { value, .. } => value,
            Value::Float { value, .. } if value.fract() == 0.0 && value.abs() < 1e15 => value as i128,
            ref other => {
                self.wrong_type(key, "a whole number", &node, other);
                return default;
            }
        };
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            self.out_of_range(key, &node, &value.to_string(), &format!("{least} to {most}"), &default.to_string());
            return default;
        }
        value
    }

    /// NaN if the value is wrong, so that nothing further is concluded from it.
    pub(super) fn float(&mut self, key: &str, default: f64, range: RangeInclusive<f64>) -> f64 {
        let Some(node) = self.node(key) else { return default };
        let value = match &node.value {
            Value::Integer { value, .. } => *value as f64,
            Value::Float { value, .. } => *value,
            // YAML 1.1 reads `1e-1` as text; upstream's model turns such text into a number, so it is accepted.
            Value::Text { value, plain: true } if value.parse::<f64>().is_ok() => value.parse().unwrap_or(f64::NAN),
            other => {
                self.wrong_type(key, "a number", &node, other);
                return f64::NAN;
            }
        };
        if !range.contains(&value) {
            let limits = format!("{} to {}", range.start(), range.end());
            self.out_of_range(key, &node, &value.to_string(), &limits, &default.to_string());
            return f64::NAN;
        }
        // YAML's -0.0 would hash differently from 0.0 for the same experiment.
        value + 0.0
    }

    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        let Some(node) = self.node(key) else { return default };
        match &node.value {
            Value::Bool { value, .. } => *value,
            other => {
                self.wrong_type(key, "`true` or `false`", &node, other);
                default
            }
        }
    }

    pub(super) fn booleans(&mut self, key: &str, default: &[bool]) -> Vec<bool> {
        let Some(node) = self.node(key) else { return default.to_vec() };
        let Value::List(items) = &node.value else {
            self.wrong_type(key, "a list such as `[false, true]`", &node, &node.value);
            return default.to_vec();
        };
        let mut values = Vec::new();
        for item in items {
            match &item.value {
                Value::Bool { value, .. } => values.push(*value),
                other => self.wrong_type(key, "a list of `true` and `false`", item, other),
            }
        }
        values
    }

    /// A list of texts; `None` if the key is absent or no list.
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<Text>> {
        let node = self.node(key)?;
        let Value::List(items) = node.value else {
            self.wrong_type(key, "a list", &node, &node.value);
            return None;
        };
        Some(items.into_iter().filter_map(|item| self.as_text(key, item)).collect())
    }

    /// Null, text or a mapping, as JSON.
    pub(super) fn json(&mut self, key: &str) -> Option<serde_json::Value> {
        let node = self.node(key)?;
        match &node.value {
            Value::Null => None,
            Value::Text { .. } | Value::Map(_) => Some(to_json(&node)),
            other => {
                self.wrong_type(key, "`json`, a JSON schema or `null`", &node, other);
                None
            }
        }
    }

    fn as_text(&mut self, key: &str, node: Node) -> Option<Text> {
        match node.value {
            Value::Text { value, .. } => Some(Text { value, place: node.place }),
            ref other => {
                self.wrong_type(key, "text", &node, other);
                None
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        self.node(key)
    }

    /// The value of `key`. The entry stays, so that messages still know where it stands.
    fn node(&self, key: &str) -> Option<Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.clone())
    }

    fn dotted(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong_type(&mut self, key: &str, expected: &str, node: &Node, found: &Value) {
        let dotted = self.dotted(key);
        let hint = match found {
            Value::Bool { text, .. } if expected == "text" => {
                Some(format!("YAML reads {text} as true or false; write \"{text}\" in quotes"))
            }
            Value::Integer { text, .. } | Value::Float { text, .. } if expected == "text" => {
                Some(format!("write \"{text}\" in quotes"))
            }
            Value::Text { value, plain: false } if value.parse::<f64>().is_ok() && expected.contains("number") => {
                Some(format!("write {value} without quotes"))
            }
            Value::Text { value, .. } if expected == "a list" => Some(format!("write `{key}: [{value}]`")),
            Value::Null => Some(format!("give `{key}` a value, or remove the line to get the default")),
            _ => None,
        };
        let message = format!("`{dotted}` must be {expected}, but it is {}", describe(found));
        let mut problem = Problem::new(node.place, &dotted, message);
        problem.hint = hint;
        self.problem(problem);
    }

    fn out_of_range(&mut self, key: &str, node: &Node, value: &str, limits: &str, default: &str) {
        let dotted = self.dotted(key);
        let message = format!("`{dotted}` is {value}; it must be from {limits}");
        let hint = format!("the default is {default}; remove the line to get it");
        self.problem(Problem::new(node.place, &dotted, message).hint(hint));
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool { text, .. } => format!("the truth value {text}"),
        Value::Integer { text, .. } | Value::Float { text, .. } => format!("the number {text}"),
        Value::Text { value, .. } => format!("the text {value:?}"),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}

fn to_json(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool { value, .. } => Json::Bool(*value),
        Value::Integer { value, text } => i64::try_from(*value).map_or_else(|_| Json::String(text.clone()), Json::from),
        Value::Float { value, text } => {
            serde_json::Number::from_f64(*value).map_or_else(|| Json::String(text.clone()), Json::Number)
        }
        Value::Text { value, .. } => Json::String(value.clone()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect())
        }
    }
}
