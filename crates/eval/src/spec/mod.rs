//! Run specs: [`schema`] is the data.

pub mod schema;

pub use schema::{Adaptation, Compat, Inference, ParserMode, RunSpec, Sustainability};
