//! What is wrong with a data file before anybody believes a score on it.
//!
//! [`check`] looks for rows that cannot be read, repeated and contradicting issues, words and keys that give the answer
//! away, an order that follows the answers, unbalanced answers, and examples that leak into what is judged. Whether
//! something "gives the answer away" is measured by how well it alone predicts it, and only told where chance does not
//! explain it ([`association`]).

mod association;
mod balance;
mod check;
mod duplicates;
mod finding;
mod issues;
mod leaks;
mod order;
mod rows;
mod similar;
mod words;

pub use check::{CheckInput, check, unreadable_file};
pub use finding::{Check, CheckReport, Example, Finding, Severity};
pub use similar::similar_pairs;
