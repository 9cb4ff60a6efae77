//! What a run costs in joules: meters, the thread that reads them, and which of their numbers belong into a total.
//!
//! Start at [`chain()`]: it asks the machine for every source it could have, best first, and says why the others are
//! missing. [`EnergySession`] reads a chain during a run. Deliberately absent: grams of CO₂ (`grid`) and what a correct
//! answer cost, which only the owner of the answers can tell.

pub mod agent;
mod chain;
mod counted;
mod counter;
mod gpu;
mod idle;
mod integral;
mod ledger;
#[cfg(test)]
mod ledger_tests;
mod linux;
mod macos;
mod phases;
mod profile;
mod report;
mod series;
mod session;
#[cfg(test)]
mod session_tests;
mod track;

pub use chain::{Chain, ChainOptions, Missing, chain};
pub use counter::{Counter, CounterLimits};
pub use idle::{IDLE_SECONDS, IdleBaseline, measure_idle};
pub use integral::Integral;
pub use ledger::SessionOptions;
pub use linux::PerfCounter;
pub use phases::{JobSpan, split};
pub use profile::PowerInterval;
pub use session::EnergySession;
