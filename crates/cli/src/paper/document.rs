//! The parts of a paper, without a markup.

use super::cell::Cell;
use super::subject::Subject;
use super::{comparison, methods, tables};
use crate::failure::Failure;

/// What was done and what came out.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(super) paragraphs: Vec<Paragraph>,
    pub(super) tables: Vec<Table>,
}

/// A part of the methods.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Paragraph {
    pub(super) heading: &'static str,
    pub(super) sentences: Vec<String>,
}

/// One table. A row is told by its keys; a key column that says nothing is not printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    /// For references: `quality` becomes `tab:puma-quality`.
    pub(super) label: &'static str,
    pub(super) caption: String,
    /// What tells the rows of one model and strategy apart: `perturbation`, `baseline`, `class`; `None` where nothing does.
    pub(super) condition: Option<&'static str>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// Sentences below the table.
    pub(super) notes: Vec<String>,
}

/// A column of numbers or words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) head: String,
    /// Empty for pure numbers.
    pub(super) unit: String,
}

/// A row and what it is about. Empty keys say that it is about all of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The letter of the run.
    pub(super) run: String,
    pub(super) model: String,
    pub(super) strategy: String,
    pub(super) condition: String,
    pub(super) cells: Vec<Cell>,
}

impl Table {
    /// Names and values of the key columns that tell rows apart, column by column.
    pub(super) fn keys(&self) -> Vec<(&'static str, Vec<&str>)> {
        let all = |part: fn(&Row) -> &str| self.rows.iter().map(part).collect::<Vec<_>>();
        let mut keys = vec![("run", all(|row| &row.run))];
        // One run needs no letter, however many rows it has.
        keys.retain(|(_, values)| values.windows(2).any(|pair| pair[0] != pair[1]));
        keys.push(("model", all(|row| &row.model)));
        keys.push(("strategy", all(|row| &row.strategy)));
        keys.extend(self.condition.map(|head| (head, all(|row| &row.condition))));
        keys.retain(|(_, values)| values.iter().any(|value| !value.is_empty()));
        keys
    }
}

/// Everything there is to say about the runs, the first of which the others are compared with.
///
/// # Errors
/// The runs cannot be compared at all.
pub(crate) fn document(subjects: &[Subject]) -> Result<Document, Failure> {
    let mut tables = tables::tables(subjects);
    tables.extend(comparison::table(subjects)?);
    Ok(Document { paragraphs: methods::paragraphs(subjects), tables })
}
