//! Prompt templates: text in, text out, byte for byte as Jinja2 would render it with `trim_blocks`, `lstrip_blocks`,
//! no autoescape and no kept final newline. Start at [`Templates`].
//!
//! Templates see `instance` (its fields), `examples` (solved ones), `labels`, `answers`, `shown` and `scenario`. The built-in texts live
//! under `assets/prompts`; [`Templates::with_overrides`] replaces any of them, upstream PUMA's own files included.
//! Deliberately absent: reading files.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use puma_core::canon::{python_float, sha256_hex, short_hash};
use std::collections::BTreeMap;
use std::fmt::Write as _;

macro_rules! built_in {
    ($($scenario:literal: [$($name:literal),+];)+) => {
        /// Every built-in template: (`scenario/name`, text).
        pub const BUILT_IN: &[(&str, &str)] = &[
            $($((
                concat!($scenario, "/", $name),
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/../../assets/prompts/", $scenario, "/", $name, ".jinja"
                )),
            )),+),+
        ];
    };
}

built_in! {
    "triage_jira": ["zero_shot", "zero_shot_cot", "few_shot", "cot_few_shot", "rcoif", "contextual_anchoring", "egi", "egi_clarify"];
    "estimation_tawos": ["zero_shot", "zero_shot_cot", "few_shot", "cot_few_shot", "rcoif", "contextual_anchoring", "egi", "egi_clarify"];
    "prioritization_jira": ["zero_shot", "zero_shot_cot", "few_shot", "cot_few_shot", "rcoif", "contextual_anchoring", "egi", "egi_clarify"];
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    #[error("the prompt template `{name}` cannot be read: {reason}")]
    Syntax { name: String, reason: String },
    #[error("the prompt template `{name}` cannot be rendered: {reason}")]
    Render { name: String, reason: String },
    #[error("there is no prompt template `{name}`")]
    Missing { name: String },
}

impl PromptError {
    /// What the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Syntax { .. } => "fix the template; it is Jinja2".to_owned(),
            Self::Render { .. } => {
                "templates may use `instance`, `examples`, `labels`, `answers`, `shown` and `scenario`".to_owned()
            }
            Self::Missing { name } => format!("put `{name}.jinja` into the prompts folder, or remove the strategy"),
        }
    }
}

/// What a template may use.
#[derive(Clone, Copy, Debug)]
pub struct PromptContext<'a> {
    pub scenario: &'a str,
    /// The labels as the prompt calls them, in the order it lists them; empty where answers are numbers.
    pub labels: &'a [&'a str],
    /// The answers to choose from in the same order: (as the scenario spells it, as the prompt calls it).
    pub answers: &'a [(&'a str, &'a str)],
    /// The fields of the instance.
    pub instance: &'a BTreeMap<String, String>,
    /// Solved examples, each with the instance's field names and the right answer.
    pub examples: &'a [BTreeMap<String, String>],
}

/// A set of templates, ready to render.
#[derive(Debug)]
pub struct Templates {
    texts: BTreeMap<String, String>,
    environment: Environment<'static>,
}

impl Templates {
    /// The built-in templates.
    pub fn built_in() -> Self {
        Self::with_overrides(&BTreeMap::new()).expect("the tests render every built-in template")
    }

    /// The built-in templates with some replaced or added: `triage_jira/zero_shot` (or `….jinja`) → text.
    ///
    /// # Errors
    /// A text is not a template; the message names it and the line.
    pub fn with_overrides(overrides: &BTreeMap<String, String>) -> Result<Self, PromptError> {
        let mut texts: BTreeMap<String, String> =
            BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        for (name, text) in overrides {
            texts.insert(name.trim_end_matches(".jinja").to_owned(), text.clone());
        }
        let mut environment = jinja2_environment();
        for (name, text) in &texts {
            // Jinja2 reads every line end as `\n`.
            let unix = text.replace("\r\n", "\n").replace('\r', "\n");
            environment
                .add_template_owned(name.clone(), unix)
                .map_err(|error| PromptError::Syntax { name: name.clone(), reason: error.to_string() })?;
        }
        Ok(Self { texts, environment })
    }

    /// The text of the template `scenario/name`.
    pub fn text(&self, scenario: &str, name: &str) -> Option<&str> {
        self.texts.get(&format!("{scenario}/{name}")).map(String::as_str)
    }

    /// SHA-256 of the text of the template `scenario/name`.
    ///
    /// # Errors
    /// There is no such template.
    pub fn sha256(&self, scenario: &str, name: &str) -> Result<String, PromptError> {
        self.text(scenario, name)
            .map(|text| sha256_hex(text.as_bytes()))
            .ok_or_else(|| PromptError::Missing { name: format!("{scenario}/{name}") })
    }

    /// Renders the template `context.scenario/name`.
    ///
    /// # Errors
    /// There is no such template, or it does something Jinja2 forbids (an attribute of something undefined).
    pub fn render(&self, name: &str, context: &PromptContext<'_>) -> Result<String, PromptError> {
        let name = format!("{}/{name}", context.scenario);
        let template = self.environment.get_template(&name).map_err(|_| PromptError::Missing { name: name.clone() })?;
        let values = minijinja::context! {
            instance => map_value(context.instance),
            examples => context.examples.iter().map(map_value).collect::<Value>(),
            labels => context.labels.iter().map(|label| Value::from(*label)).collect::<Value>(),
            answers => context.answers.iter().map(|(answer, _)| Value::from(*answer)).collect::<Value>(),
            shown => Value::from_pairs(context.answers.iter().copied()),
            scenario => context.scenario,
        };
        template.render(values).map_err(|error| PromptError::Render { name, reason: error.to_string() })
    }
}

/// Upstream's prompt hash: the first 16 hex digits of the SHA-256 of the prompt.
pub fn prompt_hash(prompt: &str) -> String {
    short_hash(prompt)
}

fn jinja2_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(false)
            .build()
            .expect("the default delimiters are valid"),
    );
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_formatter(|out, _state, value| out.write_str(&python_str(value)).map_err(minijinja::Error::from));
    environment
}

fn map_value(fields: &BTreeMap<String, String>) -> Value {
    Value::from_pairs(fields.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// `value` as Python's `str` prints it, so that `{{ labels }}` or `{{ none }}` in a template gives Jinja2's text.
fn python_str(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_undefined() => String::new(),
        None => python_repr(value),
    }
}

/// `value` as Python's `repr` prints it.
fn python_repr(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return python_quoted(text);
    }
    match value.kind() {
        ValueKind::None => "None".to_owned(),
        ValueKind::Undefined => "Undefined".to_owned(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::Number if !value.is_integer() => {
            f64::try_from(value.clone()).map_or_else(|_| value.to_string(), python_float)
        }
        ValueKind::Seq => {
            let items: Vec<String> = value.try_iter().into_iter().flatten().map(|item| python_repr(&item)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Map => {
            let items: Vec<String> = value
                .try_iter()
                .into_iter()
                .flatten()
                .map(|key| {
                    let item = value.get_item(&key).unwrap_or_default();
                    format!("{}: {}", python_repr(&key), python_repr(&item))
                })
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        _ => value.to_string(),
    }
}

/// Text in Python's quotes: single ones unless the text holds only those.
fn python_quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c == quote => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}
