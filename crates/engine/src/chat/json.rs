//! JSON as Python's `json.dumps(value, ensure_ascii=False, indent=…)` writes it.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// Values nested deeper are refused: a namespace may hold itself.
const DEEPEST: usize = 100;

/// `value` as JSON, on one line or indented.
pub(super) fn to_json(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    let mut text = String::new();
    write(&mut text, value, indent, 0)?;
    Ok(text)
}

fn write(out: &mut String, value: &Value, indent: Option<usize>, depth: usize) -> Result<(), Error> {
    if depth > DEEPEST {
        let message = format!("a value of more than {DEEPEST} levels has no JSON here");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::String => push_string(out, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            write_list(out, ['[', ']'], &items, indent, depth, |out, item| write(out, item, indent, depth + 1))?;
        }
        ValueKind::Map => {
            let keys: Vec<Value> = value.try_iter()?.collect();
            write_list(out, ['{', '}'], &keys, indent, depth, |out, key| {
                push_string(out, &key.to_string());
                out.push_str(": ");
                write(out, &value.get_item(key)?, indent, depth + 1)
            })?;
        }
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a value of type {kind} has no JSON"))),
    }
    Ok(())
}

fn write_list(
    out: &mut String,
    [open, close]: [char; 2],
    items: &[Value],
    indent: Option<usize>,
    depth: usize,
    mut write_item: impl FnMut(&mut String, &Value) -> Result<(), Error>,
) -> Result<(), Error> {
    let new_line = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
        new_line(out, depth + 1);
        write_item(out, item)?;
    }
    if !items.is_empty() {
        new_line(out, depth);
    }
    out.push(close);
    Ok(())
}

fn push_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::to_json;
    use minijinja::{Value, context};

    #[test]
    fn json_is_pythons() {
        let value =
            context! { a => vec![Value::from(1), Value::from(2.5), Value::from(())], b => "<é'\"\n>", c => true };
        // Printed by CPython 3.11: json.dumps(value, ensure_ascii=False) and the same with indent=2.
        assert_eq!(to_json(&value, None).unwrap(), r#"{"a": [1, 2.5, null], "b": "<é'\"\n>", "c": true}"#);
        let indented = "{\n  \"a\": [\n    1,\n    2.5,\n    null\n  ],\n  \"b\": \"<é'\\\"\\n>\",\n  \"c\": true\n}";
        assert_eq!(to_json(&value, Some(2)).unwrap(), indented);
        assert_eq!(to_json(&Value::from(Vec::<i32>::new()), Some(2)).unwrap(), "[]");
    }
}
