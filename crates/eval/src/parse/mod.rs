//! Reading answers out of a model's text: pure functions that take any text and never fail.
//!
//! Start at [`Parsed`]. [`label`], [`story_points`] and [`choice`] read one kind of answer each; in
//! [`ParserMode::FinalAnswer`](crate::spec::ParserMode) the final answer counts, in `FirstMatch` the first mention, as
//! upstream reads. [`outcome`] decides what became of a completion.
//! Deliberately absent: what the right answer is.

mod choice;
mod first_match;
mod label;
mod marker;
mod negation;
mod outcome;
mod parsed;
mod points;
mod reader;
mod reasoning;

pub use choice::{A_OR_B, ChoiceNames, X_OR_Y, choice};
pub use label::label;
pub use outcome::outcome;
pub use parsed::{Parsed, Standing, shortest_decimal};
pub use points::story_points;
pub use reasoning::{Visible, visible};
