//! How `puma compare` shows what `eval::comparison` found.

mod detail;
mod flips;
mod number;
mod overview;
mod report;

pub(crate) use detail::detail;
pub(crate) use flips::FlipLimit;
pub(crate) use number::{interval, plain};
pub(crate) use overview::overview;
pub(crate) use report::{ComparisonReport, Letters};
