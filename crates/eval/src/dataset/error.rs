//! What can be wrong with a data file, down to the cell.

use std::fmt;

/// Why a data file cannot be used. Prints as `file:line: message`, then a line with the hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetError {
    /// The file as the user named it.
    pub file: Box<str>,
    /// What kind of trouble it is.
    pub kind: DatasetErrorKind,
    /// Data row, 1-based, the header not counted.
    pub row: Option<u64>,
    /// Line of the file, 1-based.
    pub line: Option<u64>,
    /// The file's own name of the column.
    pub column: Option<Box<str>>,
    /// The offending value, shortened if it is long.
    pub value: Option<Box<str>>,
    /// What is wrong and why, as a sentence without its full stop.
    pub message: Box<str>,
    /// What to do about it.
    pub hint: Box<str>,
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
            file: file.into(),
            kind,
            row: None,
            line: None,
            column: None,
            value: None,
            message: message.into().into(),
            hint: hint.into().into(),
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

    /// Says how many other rows have the same trouble.
    pub(super) fn and_others(mut self, others: u64) -> Self {
        let more = match others {
            0 => return self,
            1 => "1 more row has such a value".to_owned(),
            others => format!("{others} more rows have such values"),
        };
        self.message = format!("{}; {more}", self.message).into();
        self
    }

    pub(super) fn in_column(mut self, column: &str, value: &str) -> Self {
        self.column = Some(column.into());
        self.value = Some(shortened(value).into());
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
