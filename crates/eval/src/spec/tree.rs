//! YAML text as a tree that remembers where everything stood.
//!
//! Plain scalars mean what PyYAML's `safe_load` makes of them (YAML 1.1: `yes` is true, `010` is eight), because
//! upstream reads its specs that way and `spec_hash` depends on it. Anchors, aliases and `<<` merges are resolved
//! here. Deliberately absent: any knowledge of what a run spec contains.

use super::error::{Place, Problem};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::BTreeMap;

/// Nodes a document may have after its aliases are expanded; far more than any spec needs, far less than an alias
/// bomb produces.
const MAX_NODES: usize = 10_000;

/// One YAML value and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool {
        value: bool,
        /// As the file spells it (`yes`, `NO`).
        text: String,
    },
    Integer {
        value: i128,
        text: String,
    },
    Float {
        value: f64,
        text: String,
    },
    Text {
        value: String,
        /// Without quotes, so that `1e-1` may still be meant as a number.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

/// Reads one YAML document. Problems that leave the tree usable (duplicate keys, keys that are no text) go to
/// `problems`; a document that cannot be read at all is the error.
pub(super) fn read(yaml: &str, problems: &mut Vec<Problem>) -> Result<Option<Node>, Problem> {
    let mut builder = Builder { frames: Vec::new(), root: None, anchors: BTreeMap::new(), nodes: 0, problems };
    let mut documents = 0;
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| {
            let place = Place { line: error.marker().line() as u64, column: error.marker().col() as u64 + 1 };
            Problem::new(place, "", format!("this is not valid YAML: {}", error.info()))
                .hint("check the indentation, quotes and brackets at this place")
        })?;
        if let Event::DocumentStart(..) = event {
            documents += 1;
            if documents > 1 {
                return Err(Problem::new(place_of(&span), "", "a second YAML document starts here")
                    .hint("keep one run spec per file: put what follows `---` into a file of its own"));
            }
        }
        builder.take(event, &span)?;
    }
    Ok(builder.root)
}

fn place_of(span: &Span) -> Place {
    Place { line: span.start.line() as u64, column: span.start.col() as u64 + 1 }
}

/// A collection that is still open.
enum Frame {
    List { place: Place, anchor: usize, items: Vec<Node> },
    Map { place: Place, anchor: usize, entries: Vec<Entry>, merged: Vec<Entry>, key: Option<Node> },
}

struct Builder<'a> {
    frames: Vec<Frame>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        let place = place_of(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let forced_text = tag.is_some_and(|tag| tag.suffix() == "str");
                let value = if plain && !forced_text {
                    resolve_plain(&text)
                } else {
                    Value::Text { value: text.into_owned(), plain: false }
                };
                self.add(Node { place, value }, anchor)
            }
            Event::Alias(target) => {
                let node = self.anchors.get(&target).cloned().ok_or_else(|| {
                    Problem::new(place, "", "this alias points into the collection it stands in")
                        .hint("write the value out instead of the alias")
                })?;
                self.nodes += size(&node);
                self.add(node, 0)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.frames.push(Frame::List { place, anchor, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                self.frames.push(Frame::Map { place, anchor, entries: Vec::new(), merged: Vec::new(), key: None });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), Problem> {
        match self.frames.pop() {
            Some(Frame::List { place, anchor, items }) => self.add(Node { place, value: Value::List(items) }, anchor),
            Some(Frame::Map { place, anchor, mut entries, merged, .. }) => {
                for entry in merged {
                    if !entries.iter().any(|known| known.key == entry.key) {
                        entries.push(entry);
                    }
                }
                self.add(Node { place, value: Value::Map(entries) }, anchor)
            }
            None => Ok(()),
        }
    }

    /// Puts a finished node where it belongs: into the open collection, or at the root.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Problem::new(node.place, "", format!("the document grows beyond {MAX_NODES} values here"))
                .hint("a run spec is a short file; look for aliases of aliases"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { key: slot @ None, .. }) => *slot = Some(node),
            Some(Frame::Map { key: slot @ Some(_), entries, merged, .. }) => {
                if let Some(key) = slot.take() {
                    add_entry(key, node, entries, merged, self.problems);
                }
            }
        }
        Ok(())
    }
}

fn add_entry(key: Node, value: Node, entries: &mut Vec<Entry>, merged: &mut Vec<Entry>, problems: &mut Vec<Problem>) {
    let Value::Text { value: name, plain } = &key.value else {
        problems.push(
            Problem::new(key.place, "", "this key is not text").hint("keys are the plain words of the spec reference"),
        );
        return;
    };
    if *plain && name == "<<" {
        return merge(&value, merged, problems);
    }
    if let Some(first) = entries.iter().find(|entry| entry.key == *name) {
        let message = format!("`{name}` is given twice; the first one is on line {}", first.key_place.line);
        problems.push(Problem::new(key.place, name, message).hint(format!("keep one `{name}`")));
        return;
    }
    entries.push(Entry { key: name.clone(), key_place: key.place, value });
}

/// `<<: *anchor` or `<<: [*a, *b]`: the first mapping that has a key gives it.
fn merge(value: &Node, merged: &mut Vec<Entry>, problems: &mut Vec<Problem>) {
    let sources: Vec<&Node> = match &value.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![value],
    };
    for source in sources {
        let Value::Map(entries) = &source.value else {
            problems.push(
                Problem::new(value.place, "<<", "`<<` merges mappings, and this is none")
                    .hint("write `<<: *name` where `&name` marks a mapping"),
            );
            return;
        };
        for entry in entries {
            if !merged.iter().any(|known| known.key == entry.key) {
                merged.push(entry.clone());
            }
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => items.iter().map(|item| 1 + size(item)).sum(),
        Value::Map(entries) => entries.iter().map(|entry| 2 + size(&entry.value)).sum(),
        Value::Null | Value::Bool { .. } | Value::Integer { .. } | Value::Float { .. } | Value::Text { .. } => 1,
    }
}

/// What PyYAML's `SafeLoader` makes of a plain scalar (its implicit resolvers for YAML 1.1), dates excepted: those
/// stay text here.
fn resolve_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool { value: true, text: text.to_owned() };
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool { value: false, text: text.to_owned() };
        }
        _ => {}
    }
    if let Some(value) = yaml_integer(text) {
        return Value::Integer { value, text: text.to_owned() };
    }
    if let Some(value) = yaml_float(text) {
        return Value::Float { value, text: text.to_owned() };
    }
    Value::Text { value: text.to_owned(), plain: true }
}

fn sign_of(text: &str) -> (i8, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

/// `42`, `1_000`, `0x1F`, `0b11`, `017` (octal) and `1:30` (base 60).
fn yaml_integer(text: &str) -> Option<i128> {
    let (sign, body) = sign_of(text);
    let digits_in = |digits: &str, radix: u32| {
        let bare: String = digits.chars().filter(|c| *c != '_').collect();
        (!bare.is_empty() && bare.chars().all(|c| c.is_digit(radix)))
            .then(|| i128::from_str_radix(&bare, radix).ok())
            .flatten()
    };
    let magnitude = if let Some(rest) = body.strip_prefix("0b") {
        digits_in(rest, 2)?
    } else if let Some(rest) = body.strip_prefix("0x") {
        digits_in(rest, 16)?
    } else if body == "0" {
        0
    } else if let Some(rest) = body.strip_prefix('0') {
        digits_in(rest, 8)?
    } else if body.contains(':') {
        sexagesimal(body)?
    } else if body.starts_with(|c: char| c.is_ascii_digit()) {
        digits_in(body, 10)?
    } else {
        return None;
    };
    Some(i128::from(sign) * magnitude)
}

fn sexagesimal(body: &str) -> Option<i128> {
    let mut parts = body.split(':');
    let head = parts.next()?;
    if !head.starts_with(|c: char| ('1'..='9').contains(&c)) {
        return None;
    }
    let head: String = head.chars().filter(|c| *c != '_').collect();
    let mut total: i128 = head.parse().ok()?;
    for part in parts {
        let digit: i128 = part.parse().ok()?;
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_digit()) || digit > 59 {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(digit)?;
    }
    Some(total)
}

/// `0.5`, `1_0.5e+3`, `.5`, `.inf`, `.nan`. An exponent needs a dot and a sign, as PyYAML wants it.
fn yaml_float(text: &str) -> Option<f64> {
    let (sign, body) = sign_of(text);
    let sign = f64::from(sign);
    match body {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if body == text => return Some(f64::NAN),
        _ => {}
    }
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !body.contains('.') {
        return None;
    }
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let mut halves = mantissa.split('.');
    let (whole, fraction, rest) = (halves.next()?, halves.next()?, halves.next());
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_');
    if rest.is_some() || !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let unsigned = exponent.strip_prefix(['+', '-'])?;
        if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    let bare: String = body.chars().filter(|c| *c != '_').collect();
    let bare = bare.strip_suffix('.').unwrap_or(&bare).replace(".e", ".0e").replace(".E", ".0E");
    bare.parse::<f64>().ok().map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_pyyaml_makes_of_them() {
        // Printed by PyYAML 6.0.3: yaml.safe_load(text).
        for (text, expected) in
            [("42", 42), ("-7", -7), ("+3", 3), ("1_000", 1000), ("0x1F", 31), ("0b11", 3), ("017", 15), ("1:30", 90)]
        {
            assert_eq!(resolve_plain(text), Value::Integer { value: expected, text: text.to_owned() }, "{text}");
        }
        for (text, expected) in [("0.0", 0.0), (".5", 0.5), ("1.", 1.0), ("1.5e+3", 1500.0), ("-0.25", -0.25)] {
            assert_eq!(resolve_plain(text), Value::Float { value: expected, text: text.to_owned() }, "{text}");
        }
        for text in ["1e5", "1.5e3", "08", "qwen2.5:3b", "llama3:8b", "zero-shot", "1.2.3", "0o17", "-", "+", "y"] {
            assert_eq!(resolve_plain(text), Value::Text { value: text.to_owned(), plain: true }, "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(resolve_plain(text), Value::Null);
        }
        assert_eq!(resolve_plain("NO"), Value::Bool { value: false, text: "NO".to_owned() });
    }

    #[test]
    fn aliases_of_aliases_stop_at_the_node_limit() {
        let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..8 {
            let below = format!("*a{}", level - 1);
            yaml.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
        }
        let error = read(&yaml, &mut Vec::new()).unwrap_err();
        assert!(error.message.contains("10000"), "{}", error.message);
    }

    #[test]
    fn merges_fill_in_what_the_mapping_does_not_say_itself() {
        let yaml = "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n";
        let root = read(yaml, &mut Vec::new()).unwrap().unwrap();
        let Value::Map(entries) = root.value else { panic!("a mapping") };
        let Value::Map(used) = &entries[1].value.value else { panic!("a mapping") };
        let pairs: Vec<(&str, &Value)> = used.iter().map(|e| (e.key.as_str(), &e.value.value)).collect();
        assert_eq!(
            pairs,
            [
                ("y", &Value::Integer { value: 3, text: "3".to_owned() }),
                ("x", &Value::Integer { value: 1, text: "1".to_owned() })
            ]
        );
    }
}
