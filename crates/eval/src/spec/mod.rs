//! Run specs: what to run, as data.
//!
//! Start at [`parse()`] (a file) or [`InlineSpec`] (flags); both yield a [`RunSpec`]. [`spec_hash`] names the
//! experiment as upstream PUMA does. [`names`] holds the tables of legal names. Deliberately absent: reading files.

pub mod names;
pub mod schema;

mod error;
mod frozen;
mod hash;
mod inline;
pub(crate) mod nearest;
mod parse;
mod scoring;
mod section;
mod shipped;
mod tree;

pub use error::{Place, Problem, SpecError};
pub use frozen::to_yaml;
pub use hash::{full_json, spec_hash};
pub use inline::InlineSpec;
pub use names::{SCENARIO_ALIASES, SCENARIOS, STRATEGIES, canonical_scenario, canonical_strategy};
pub use parse::parse;
pub use schema::{Adaptation, AnswerMode, Compat, Inference, ParserMode, RunSpec, Sustainability};
pub use shipped::{SHIPPED, shipped};
