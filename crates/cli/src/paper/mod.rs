//! Recorded runs as a paper tells them: what was done, in sentences, and what came out, in tables.
//!
//! [`document`] gathers both from the records alone; [`Format::render`] writes them. Every sentence and every number comes
//! from the record; what the record does not know is said to be unknown. Deliberately absent: judging numbers.

mod apparatus;
mod asked;
mod cell;
mod comparison;
mod csv;
mod document;
mod format;
mod latex;
mod markdown;
mod methods;
mod scoring;
mod setup;
mod subject;
mod tables;
mod text;
mod words;

pub(crate) use document::document;
pub(crate) use format::Format;
pub(crate) use subject::Subject;
