//! The Jinja dialect of chat templates: what `transformers` sets and adds.
//!
//! Source: `transformers` `utils/chat_template_utils.py` (`_compile_jinja_template`): blocks are trimmed, loop controls
//! are on, `tojson` does not escape for HTML, `raise_exception` and `strftime_now` exist, methods are Python's.

use super::json::to_json;
use fancy_regex::{Captures, Regex};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value, escape_formatter};

/// Steps a template may take, so that a file cannot keep the program for ever: some thousand for each message of a long
/// conversation, and less than a second.
const FUEL: u64 = 5_000_000;

/// Levels of nesting and parts of a value that may be printed.
const DEEPEST: usize = 100;
const MOST_PARTS: usize = 1_000_000;

/// The day that templates are told it is: Llama 3's own default, so that templates which ask agree with those that do not.
const FIXED_DAY: [(char, &str); 12] = [
    ('Y', "2024"),
    ('y', "24"),
    ('m', "07"),
    ('d', "26"),
    ('B', "July"),
    ('b', "Jul"),
    ('A', "Friday"),
    ('a', "Fri"),
    ('H', "00"),
    ('M', "00"),
    ('S', "00"),
    ('%', "%"),
];

/// An environment for the template `text`.
pub(super) fn environment(text: &str) -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_formatter(|output, state, value| {
        printable(value)?;
        escape_formatter(output, state, value)
    });
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", tojson);
    environment.add_function("raise_exception", raise_exception);
    // Templates that ask whether there is a clock have their own fixed day; only those that rely on one get ours.
    if !text.contains("strftime_now is defined") {
        environment.add_function("strftime_now", strftime_fixed);
    }
    environment
}

/// Fails for a list or map that is nested too deep to print, as a namespace that holds itself is, or too large.
fn printable(value: &Value) -> Result<(), Error> {
    fn count(value: &Value, depth: usize, seen: &mut usize) -> Result<(), Error> {
        *seen += 1;
        if depth > DEEPEST || *seen > MOST_PARTS {
            let message = format!("a value of more than {DEEPEST} levels or {MOST_PARTS} parts cannot be printed");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        match value.kind() {
            ValueKind::Seq => value.try_iter()?.try_for_each(|item| count(&item, depth + 1, seen)),
            ValueKind::Map => value.try_iter()?.try_for_each(|key| count(&value.get_item(&key)?, depth + 1, seen)),
            _ => Ok(()),
        }
    }
    count(value, 0, &mut 0)
}

/// `transformers` lets templates mark the assistant's words with `{% generation %}` for training; rendering them is no
/// different from rendering what is inside, so the tags become a condition that holds.
pub(super) fn without_generation_tags(text: &str) -> String {
    let tag = Regex::new(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}").expect("the pattern is a constant");
    let replace = |found: &Captures<'_, str>| {
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
        let word = if part(2).is_empty() { "if true" } else { "endif" };
        format!("{{%{} {word} {}%}}", part(1), part(3))
    };
    tag.replace_all(text, replace).into_owned()
}

fn raise_exception(message: &str) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message.to_owned()))
}

fn tojson(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Accepted because templates pass it; what it asks for is what is done anyway.
    let _: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    to_json(value, indent)
}

fn strftime_fixed(format: &str) -> Result<String, Error> {
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let field = letters.next().and_then(|field| FIXED_DAY.iter().find(|(name, _)| *name == field));
        let Some((_, value)) = field else {
            let message = format!("strftime_now does not know a field of {format:?}");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        };
        text.push_str(value);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::strftime_fixed;

    #[test]
    fn the_day_is_always_the_same() {
        assert_eq!(strftime_fixed("%d %b %Y, %A %B 100%%").unwrap(), "26 Jul 2024, Friday July 100%");
        assert!(strftime_fixed("%Q").is_err() && strftime_fixed("%").is_err());
    }
}
