//! The markups a paper can be written in.

use super::document::Document;
use super::{csv, latex, markdown, text};
use clap::ValueEnum;

/// A markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Markdown.
    Md,
    /// LaTeX for the packages booktabs and siunitx.
    Latex,
    /// The tables as comma-separated values, one number a row.
    Csv,
    /// Plain text.
    Text,
}

impl Format {
    pub(crate) fn render(self, document: &Document) -> String {
        match self {
            Self::Md => markdown::render(document),
            Self::Latex => latex::render(document),
            Self::Csv => csv::render(document),
            Self::Text => text::render(document),
        }
    }
}
