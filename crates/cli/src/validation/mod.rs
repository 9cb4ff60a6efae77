//! Holding a run against an expected number: upstream's published references, or the user's own.
//!
//! [`judge`] compares the number, [`environment`] tells what is otherwise than where the reference was made, [`text`]
//! says both to people.

mod environment;
mod judge;
mod text;

pub(crate) use judge::{Expectation, judge};
pub(crate) use text::{references_text, verdict_text};
