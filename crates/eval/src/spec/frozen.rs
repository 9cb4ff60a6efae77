//! The spec as YAML again, defaults filled in: what a run leaves behind so that it can be repeated.

use super::hash::full_json;
use super::parse::{ADAPTATION_KEYS, INFERENCE_KEYS, SUSTAINABILITY_KEYS, TOP_KEYS};
use super::schema::RunSpec;
use puma_core::canon::python_float;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Writes every field, in the order of the reference. Parsing the result gives the same spec; text is always in
/// double quotes, so that no reader takes `NO` for false or `1:30` for a number.
pub fn to_yaml(spec: &RunSpec) -> String {
    let mut yaml = String::new();
    let fields = full_json(spec);
    for key in TOP_KEYS {
        let inner_keys = match *key {
            "adaptation" => ADAPTATION_KEYS,
            "inference" => INFERENCE_KEYS,
            "sustainability" => SUSTAINABILITY_KEYS,
            _ => {
                let _ = writeln!(yaml, "{key}: {}", flow(&fields[key]));
                continue;
            }
        };
        let _ = writeln!(yaml, "{key}:");
        for inner in inner_keys {
            // Upstream's default is nobody's word: written out, it would pass for the country the spec names.
            if *inner == "country_iso" && !spec.sustainability.country_named {
                continue;
            }
            // `inference.answer` stands there only where it is not the default.
            let Some(value) = fields[key].get(inner) else { continue };
            let _ = writeln!(yaml, "  {inner}: {}", flow(value));
        }
    }
    yaml
}

/// YAML flow style on one line, keys sorted.
fn flow(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => yaml_float(float),
            _ => number.to_string(),
        },
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let pairs: Vec<String> =
                sorted.into_iter().map(|(key, value)| format!("{}: {}", quoted(key), flow(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// Double quotes with JSON's escapes, which YAML shares; what YAML may not hold raw is escaped too.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
        out
    })
}

/// YAML 1.1 wants a point before the exponent, or the number is text.
fn yaml_float(value: f64) -> String {
    let text = python_float(value);
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}
