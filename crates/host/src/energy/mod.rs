//! What a run costs in joules: meters, the thread that reads them, and which of their numbers belong into a total.
//!
//! Start at [`chain`]: it asks the machine for every source it could have, best first, and says why the
//! others are missing.
//! [`EnergySession`] samples a chain during a run. Deliberately absent: grams of CO₂ (`grid`) and what a correct answer
//! cost, which only the owner of the answers can tell.

mod chain;
mod counter;
mod integral;
mod powercap;

pub use chain::{Chain, ChainOptions, Missing, chain};
pub use counter::{Counter, CounterLimits};
pub use integral::Integral;
