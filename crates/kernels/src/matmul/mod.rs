//! Products of stored weights with a batch of columns.
//!
//! Sixteen rows of weights are packed into a panel ([`packed`]), once for a whole run or, where memory is short, on the
//! way; the lanes of a vector are different rows, so a wider machine computes more rows and never another order.

pub mod activation;
pub mod columns;
pub(crate) mod float_rows;
pub mod packed;
pub(crate) mod quantised;

pub use columns::{Columns, Weights};
pub use packed::Packed;
