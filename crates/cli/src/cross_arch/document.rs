//! Sections of sentences and tables, written as text or as Markdown.

use crate::table::{Align, render};

/// A page.
pub(crate) struct Document {
    pub(super) title: String,
    /// What to know before anything else.
    pub(super) lead: Vec<String>,
    pub(super) sections: Vec<Section>,
}

pub(super) struct Section {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

pub(super) enum Block {
    /// A sentence a line.
    Lines(Vec<String>),
    Table {
        header: Vec<(&'static str, Align)>,
        rows: Vec<Vec<String>>,
    },
}

impl Block {
    pub(super) fn line(text: impl Into<String>) -> Self {
        Self::Lines(vec![text.into()])
    }
}

impl Document {
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{}\n\n{}\n", self.title, self.lead.join("\n"));
        for section in &self.sections {
            out.push_str(&format!("\n{}\n", section.title));
            for block in &section.blocks {
                match block {
                    Block::Lines(lines) => lines.iter().for_each(|line| out.push_str(&format!("  {line}\n"))),
                    Block::Table { header, rows } => {
                        render(header, rows).lines().for_each(|line| out.push_str(&format!("  {line}\n")));
                    }
                }
            }
        }
        out
    }

    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}\n", self.title, self.lead.join("  \n"));
        for section in &self.sections {
            out.push_str(&format!("\n## {}\n", section.title));
            for block in &section.blocks {
                out.push('\n');
                match block {
                    Block::Lines(lines) => lines.iter().for_each(|line| out.push_str(&format!("- {line}\n"))),
                    Block::Table { header, rows } => out.push_str(&markdown_table(header, rows)),
                }
            }
        }
        out
    }
}

fn markdown_table(header: &[(&'static str, Align)], rows: &[Vec<String>]) -> String {
    let row = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = row(header.iter().map(|(name, _)| (*name).to_owned()).collect());
    out.push_str(&row(header
        .iter()
        .map(|(_, align)| if *align == Align::Right { "---:" } else { "---" }.to_owned())
        .collect()));
    for cells in rows {
        out.push_str(&row(cells.clone()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_in_a_cell_does_not_break_the_table() {
        let rows = [vec!["a|b".to_owned(), "1".to_owned()]];
        let header = [("|Δ|", Align::Left), ("n", Align::Right)];
        assert_eq!(markdown_table(&header, &rows), "| \\|Δ\\| | n |\n| --- | ---: |\n| a\\|b | 1 |\n");
    }
}
