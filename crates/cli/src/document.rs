//! A report made of headings, sentences and tables, printed as plain text or as Markdown.

use crate::table::{Align, render};

/// One part of a report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table(Grid),
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Grid {
    pub header: Vec<(String, Align)>,
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table whose first `left` columns are aligned left, the others right.
    pub(crate) fn new(names: &[&str], left: usize) -> Self {
        let align = |index| if index < left { Align::Left } else { Align::Right };
        let header = names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), align(index))).collect();
        Self { header, rows: Vec::new() }
    }

    pub(crate) fn text(&self) -> String {
        let header: Vec<(&str, Align)> = self.header.iter().map(|(name, align)| (name.as_str(), *align)).collect();
        render(&header, &self.rows)
    }

    pub(crate) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.header.iter().map(|(name, _)| escaped(name)).collect());
        let rule = |(_, align): &(String, Align)| if *align == Align::Right { "---:" } else { "---" }.to_owned();
        out.push_str(&line(self.header.iter().map(rule).collect()));
        for row in &self.rows {
            out.push_str(&line(row.iter().map(|cell| escaped(cell)).collect()));
        }
        out
    }

    /// Comma-separated values, cells quoted where they must be (RFC 4180, lines end with `\n`).
    pub(crate) fn csv(&self) -> String {
        let cell = |text: &str| {
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let line = |cells: Vec<String>| cells.join(",") + "\n";
        let mut out = line(self.header.iter().map(|(name, _)| cell(name)).collect());
        self.rows.iter().for_each(|row| out.push_str(&line(row.iter().map(|text| cell(text)).collect())));
        out
    }
}

/// What would end a cell of a Markdown table.
fn escaped(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// For a terminal.
pub(crate) fn text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for (index, block) in blocks.iter().enumerate() {
        let after_heading = index > 0 && matches!(blocks[index - 1], Block::Heading(_));
        if index > 0 && !after_heading {
            out.push('\n');
        }
        match block {
            Block::Heading(text) => out.push_str(&format!("{text}\n")),
            Block::Paragraph(text) => out.push_str(&format!("{text}\n")),
            Block::List(items) => items.iter().for_each(|item| out.push_str(&format!("  {item}\n"))),
            Block::Table(grid) => out.push_str(&grid.text()),
        }
    }
    out
}

/// For a page; headings begin at the second level.
pub(crate) fn markdown(blocks: &[Block]) -> String {
    let mut out = String::new();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        match block {
            Block::Heading(text) => out.push_str(&format!("## {}\n", text.trim_end_matches(':'))),
            Block::Paragraph(text) => out.push_str(&format!("{}\n", text.replace('\n', "  \n"))),
            Block::List(items) => items.iter().for_each(|item| out.push_str(&format!("- {item}\n"))),
            Block::Table(grid) => out.push_str(&grid.markdown()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Block, Grid, markdown, text};

    fn blocks() -> Vec<Block> {
        let mut grid = Grid::new(&["name", "n"], 1);
        grid.rows.push(vec!["a|b".to_owned(), "1".to_owned()]);
        vec![Block::Heading("Numbers:".to_owned()), Block::Table(grid), Block::List(vec!["one".to_owned()])]
    }

    #[test]
    fn the_same_blocks_become_text_and_markdown() {
        assert_eq!(text(&blocks()), "Numbers:\nname  n\n────  ─\na|b   1\n\n  one\n");
        assert_eq!(markdown(&blocks()), "## Numbers\n\n| name | n |\n| --- | ---: |\n| a\\|b | 1 |\n\n- one\n");
    }

    #[test]
    fn a_cell_with_a_comma_is_quoted() {
        let mut grid = Grid::new(&["a", "b"], 2);
        grid.rows.push(vec!["x, y".to_owned(), "say \"z\"".to_owned()]);
        assert_eq!(grid.csv(), "a,b\n\"x, y\",\"say \"\"z\"\"\"\n");
    }
}
