//! Markdown as GitHub, pandoc and most editors read it.

use super::cell::{Cell, Number};
use super::document::{Document, Table};

pub(super) fn render(document: &Document) -> String {
    let mut out = "## Methods\n".to_owned();
    for paragraph in &document.paragraphs {
        let sentences: Vec<String> = paragraph.sentences.iter().map(|sentence| escaped(sentence)).collect();
        out += &format!("\n**{}.** {}\n", paragraph.heading, sentences.join(" "));
    }
    out += "\n## Results\n";
    for (index, one) in document.tables.iter().enumerate() {
        out += &format!("\n**Table {}.** {}\n\n{}", index + 1, escaped(&one.caption), table(one));
        for note in &one.notes {
            out += &format!("\n{}\n", escaped(note));
        }
    }
    out
}

fn table(table: &Table) -> String {
    let keys = table.keys();
    let mut head: Vec<String> = keys.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut rule = vec!["---".to_owned(); keys.len()];
    for (place, column) in table.columns.iter().enumerate() {
        let unit = if column.unit.is_empty() { String::new() } else { format!(" ({})", column.unit) };
        head.push(escaped(&format!("{}{unit}", column.head)));
        let words = table.rows.iter().any(|row| matches!(row.cells[place], Cell::Text(_)));
        rule.push(if words { "---" } else { "---:" }.to_owned());
    }
    let mut out = line(&head) + &line(&rule);
    for (index, row) in table.rows.iter().enumerate() {
        let keys = keys.iter().map(|(_, values)| escaped(values[index]));
        out += &line(&keys.chain(row.cells.iter().map(cell)).collect::<Vec<_>>());
    }
    out
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escaped(text),
        Cell::Missing => "–".to_owned(),
        Cell::Number(Number { value, interval: None, .. }) => value.clone(),
        Cell::Number(Number { value, interval: Some((low, high)), .. }) => format!("{value} [{low}, {high}]"),
    }
}

/// `text` so that no character of it is markup, on one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '$' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_in_names_stays_text() {
        assert_eq!(super::escaped("a|b_c *d* <e>\n`f`"), r"a\|b\_c \*d\* \<e\> \`f\`");
    }
}
