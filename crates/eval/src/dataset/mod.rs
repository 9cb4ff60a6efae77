//! Datasets: bytes of a data file in, rows with canonical field names out.
//!
//! Start at [`read()`] (any file) or [`embedded()`] (the sample sets inside the binary); [`table`] is what they
//! yield. [`vocabulary`] says which words of other trackers mean which priority. Deliberately absent: opening files
//! and choosing rows (see [`sample`](crate::sample)).

pub mod table;
pub mod vocabulary;

mod columns;
mod delimited;
mod embedded;
mod error;
mod json;
mod raw;
mod read;
mod values;

pub use embedded::embedded;
pub use error::{DatasetError, DatasetErrorKind};
pub use read::{Examined, Format, ReadOptions, content_id, examine, read};
pub use table::{Dataset, Gold, Row, Skip, SkipReason, Split};
