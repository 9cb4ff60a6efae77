//! Which model with which strategy is best, and which of them the data cannot tell apart.
//!
//! [`leaderboard`] sorts recorded runs into tables whose entries judged the very same instances, tests every pair of
//! entries, and says with [letters](compact_letters) and [rank intervals](rank_intervals) what the tests found.
//! Deliberately absent: reading runs and printing.

mod board;
mod entry;
mod letters;
mod ranks;
mod tests_of_pairs;

pub use board::{Board, BoardError, Options, leaderboard};
pub use entry::{BaselineRow, Cell, Entry, LeftOut, Table};
pub use letters::compact_letters;
pub use ranks::rank_intervals;
