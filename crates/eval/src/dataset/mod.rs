//! Datasets: [`table`] is what reading yields.

pub mod table;

pub use table::{Dataset, Row, Skip, SkipReason, Split};
