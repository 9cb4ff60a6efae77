//! The shapes of what a check finds.

use serde::Serialize;
use std::collections::BTreeMap;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file or a part of it cannot be used.
    Error,
    /// A score on this data means something else than it says.
    Warning,
    /// Worth knowing when reading a score.
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Which check found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Rows that cannot be read.
    Unreadable,
    /// Rows without what the scenario needs.
    LeftOut,
    /// Fields without text.
    Empty,
    /// Texts that no context window holds, or that say nothing.
    Length,
    /// Quotes, entities and broken letters that an export left behind.
    Artefacts,
    /// Values of the split column.
    Splits,
    /// The same text twice.
    Duplicates,
    /// Nearly the same text twice.
    NearDuplicates,
    /// The same text with different answers.
    Contradictions,
    /// Judged texts among those that examples and trained baselines may come from.
    Contamination,
    /// The name of the answer in the text.
    AnswerInText,
    /// Words that predict the answer.
    Words,
    /// Keys that predict the answer.
    Keys,
    /// Other columns that predict the answer.
    Columns,
    /// The length of the text predicts the answer.
    TextLength,
    /// Rows sorted by answer.
    Order,
    /// Answers that are rare or missing.
    Balance,
}

impl Check {
    /// The name in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::LeftOut => "left_out",
            Self::Empty => "empty",
            Self::Length => "length",
            Self::Artefacts => "artefacts",
            Self::Splits => "splits",
            Self::Duplicates => "duplicates",
            Self::NearDuplicates => "near_duplicates",
            Self::Contradictions => "contradictions",
            Self::Contamination => "contamination",
            Self::AnswerInText => "answer_in_text",
            Self::Words => "words",
            Self::Keys => "keys",
            Self::Columns => "columns",
            Self::TextLength => "text_length",
            Self::Order => "order",
            Self::Balance => "balance",
        }
    }
}

/// A place in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// First line of the row in the file, 1-based; `None` for what stands in many rows.
    pub line: Option<u64>,
    pub text: String,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    pub check: Check,
    pub severity: Severity,
    /// A sentence with its numbers, without full stop.
    pub message: String,
    /// The numbers of the message and more, by name; shares lie between 0 and 1.
    pub numbers: BTreeMap<&'static str, f64>,
    /// A few of the places, in file order or strongest first.
    pub examples: Vec<Example>,
    /// What to do about it, where there is something to do.
    pub hint: Option<String>,
}

impl Finding {
    pub(super) fn new(check: Check, severity: Severity, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { check, severity, message, numbers: BTreeMap::new(), examples: Vec::new(), hint: None }
    }

    pub(super) fn number(mut self, name: &'static str, value: f64) -> Self {
        self.numbers.insert(name, value);
        self
    }

    pub(super) fn count(self, name: &'static str, value: usize) -> Self {
        self.number(name, value as f64)
    }

    /// Keeps the first few of `examples`.
    pub(super) fn examples(mut self, examples: impl IntoIterator<Item = Example>) -> Self {
        self.examples.extend(examples.into_iter().take(EXAMPLES));
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Examples kept of one finding.
const EXAMPLES: usize = 10;

impl Example {
    pub(super) fn at(line: u64, text: impl Into<String>) -> Self {
        Self { line: Some(line), text: text.into() }
    }

    pub(super) fn anywhere(text: impl Into<String>) -> Self {
        Self { line: None, text: text.into() }
    }
}

/// Everything that was found in a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    pub name: String,
    /// `None` where the file could not be read.
    pub sha256: Option<String>,
    pub scenario: String,
    /// Rows that can be used.
    pub rows: usize,
    /// Issues that a run with this sample would show.
    pub judged: usize,
    /// How often each severity was found.
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
    /// The gravest first.
    pub findings: Vec<Finding>,
}

/// `3 issues`, `1 issue`.
pub(super) fn issues(count: usize) -> String {
    if count == 1 { "1 issue".to_owned() } else { format!("{count} issues") }
}

/// `1 issue holds`, `3 issues hold`.
pub(super) fn issues_that(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", issues(count), if count == 1 { one } else { many })
}

/// A share for people: `12 %`.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 { format!("{:.1} %", share * 100.0) } else { format!("{:.0} %", share * 100.0) }
}
