//! Plain text for a terminal.

use super::cell::{Cell, Number};
use super::document::{Document, Table};
use crate::table::{Align, render as render_table};

pub(super) fn render(document: &Document) -> String {
    let mut out = String::new();
    for paragraph in &document.paragraphs {
        out += &format!("{}. {}\n\n", paragraph.heading, paragraph.sentences.join(" "));
    }
    for (index, one) in document.tables.iter().enumerate() {
        out += &format!("Table {}. {}\n\n{}\n", index + 1, one.caption, table(one));
        for note in &one.notes {
            out += &format!("{note}\n\n");
        }
    }
    out
}

fn table(table: &Table) -> String {
    let keys = table.keys();
    let heads: Vec<String> =
        table
            .columns
            .iter()
            .map(|column| {
                if column.unit.is_empty() { column.head.clone() } else { format!("{} ({})", column.head, column.unit) }
            })
            .collect();
    let mut header: Vec<(&str, Align)> = keys.iter().map(|(name, _)| (*name, Align::Left)).collect();
    header.extend(heads.iter().enumerate().map(|(place, head)| {
        let words = table.rows.iter().any(|row| matches!(row.cells[place], Cell::Text(_)));
        (head.as_str(), if words { Align::Left } else { Align::Right })
    }));
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let keys = keys.iter().map(|(_, values)| values[index].to_owned());
            keys.chain(row.cells.iter().map(cell)).collect()
        })
        .collect();
    render_table(&header, &rows)
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Missing => "-".to_owned(),
        Cell::Number(Number { value, interval: None, .. }) => value.clone(),
        Cell::Number(Number { value, interval: Some((low, high)), .. }) => format!("{value} [{low}, {high}]"),
    }
}
