//! The tables as comma-separated values (RFC 4180), one number a row, for programs that draw and compute.
//!
//! Names come from models and data that anybody may have named. A spreadsheet takes a text that begins with `=`, `+`,
//! `-` or `@` for a formula, so such a name gets an apostrophe in front (OWASP, CSV injection); numbers stay numbers.

use super::cell::{Cell, Number};
use super::document::{Document, Row, Table};
use csv::{Terminator, WriterBuilder};

const HEADER: [&str; 12] =
    ["table", "run", "model", "strategy", "condition", "quantity", "unit", "value", "ci_low", "ci_high", "n", "text"];

pub(super) fn render(document: &Document) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let in_memory = "writing to memory cannot fail";
    writer.write_record(HEADER).expect(in_memory);
    for table in &document.tables {
        for row in &table.rows {
            for (place, cell) in row.cells.iter().enumerate() {
                if let Some(record) = record(table, row, place, cell) {
                    writer.write_record(record).expect(in_memory);
                }
            }
        }
    }
    String::from_utf8(writer.into_inner().expect(in_memory)).expect("only texts were written")
}

/// One number or word; nothing where nothing is known.
fn record(table: &Table, row: &Row, place: usize, cell: &Cell) -> Option<[String; 12]> {
    let column = &table.columns[place];
    let keys = [table.label, &row.run, &row.model, &row.strategy, &row.condition, &column.head, &column.unit].map(safe);
    let none = String::new;
    let values = match cell {
        Cell::Missing => return None,
        Cell::Text(text) => [none(), none(), none(), none(), safe(text)],
        Cell::Number(Number { value, interval, n }) => {
            let (low, high) = interval.clone().unwrap_or_default();
            [value.clone(), low, high, n.map_or_else(none, |n| n.to_string()), none()]
        }
    };
    let mut all = keys.into_iter().chain(values);
    Some(std::array::from_fn(|_| all.next().expect("seven keys and five values")))
}

fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}
