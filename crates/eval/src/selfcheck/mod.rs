//! The noise floor of a backend: how far it differs from itself when nothing that should matter changes.
//!
//! [`PASSES`] is the table of what is varied; [`ask`] runs one pass over a plan, [`judge_pass`] holds it against the
//! reference pass with the same judge that compares two machines, and [`floor`] is the worst of them. A difference between
//! two machines that is smaller than the floor says nothing about the machines.

mod ask;
mod judge;
mod pass;

pub use ask::ask;
pub use judge::{Floor, LogprobNoise, PassReport, floor, judge_pass, skipped};
pub use pass::{Before, PASSES, Pass, Way};
