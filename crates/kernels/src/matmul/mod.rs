//! Matrix products of stored weights with a batch of columns.
//!
//! Eight rows of weights are unpacked once into a [`panel`], then multiplied with every column of the batch; the lanes
//! of a vector are different rows, so a wider machine computes more rows and never another order.

pub mod activation;
pub mod columns;
pub mod float_rows;
pub mod panel;
pub mod quantised_rows;

pub use columns::{Columns, Weights};
