//! What can be wrong with a data file, down to the cell.

use std::fmt;

/// Why a data file cannot be used. Prints as `file:line: message`, then a line with the hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetError {
    /// The file as the user named it.
    pub file: String,
    /// What kind of trouble it is.
    pub kind: DatasetErrorKind,
    /// Data row, 1-based, the header not counted.
    pub row: Option<u64>,
    /// Line of the file, 1-based.
    pub line: Option<u64>,
    /// The file's own name of the column.
    pub column: Option<String>,
    /// The offending value, shortened if it is long.
    pub value: Option<String>,
    /// What is wrong and why, as a sentence without its full stop.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// The kinds of trouble a data file can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatasetErrorKind {
    /// Bytes that are no UTF-8.
    Encoding,
    /// Nothing in the file, or nothing left to judge.
    NoRows,
    /// Broken JSON or a row with too few or too many cells.
    Syntax,
    /// A column that is needed, or that the user named, is not there.
    MissingColumn,
    /// `--columns` names a field that PUMA does not know.
    UnknownField,
    /// A cell that cannot be understood.
    BadValue,
    /// Two rows with one key.
    DuplicateKey,
}

impl DatasetError {
    pub(super) fn new(file: &str, kind: DatasetErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            kind,
            row: None,
            line: None,
            column: None,
            value: None,
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    pub(super) fn at_row(mut self, row: u64, line: u64) -> Self {
        (self.row, self.line) = (Some(row), Some(line));
        self
    }

    pub(super) fn in_column(mut self, column: &str, value: &str) -> Self {
        self.column = Some(column.to_owned());
        self.value = Some(shortened(value));
        self
    }
}

/// At most 60 characters of `value`, on one line.
pub(super) fn shortened(value: &str) -> String {
    let line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= 60 { line } else { line.chars().take(59).chain(['…']).collect() }
}

impl fmt::Display for DatasetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        match (self.row, &self.column) {
            (Some(row), Some(column)) => write!(f, " (row {row}, column `{column}`)")?,
            (Some(row), None) => write!(f, " (row {row})")?,
            (None, _) => {}
        }
        write!(f, "\n  hint: {}", self.hint)
    }
}

impl std::error::Error for DatasetError {}
