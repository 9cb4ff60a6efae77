//! Joules on a Mac: IOReport's counters, `powermetrics`, the system management controller, and an estimate by chip.
//!
//! Start at [`meters`]: which of them a Mac offers, best first. None of this was ever run on a Mac by us; the forms of
//! the answers are those that Macs printed publicly.

mod chain;
mod energy_model;
mod estimate;
mod io_report;
mod powermetrics;
mod powermetrics_sample;
mod processor_time;
mod system_power;

pub(super) use chain::{estimates, meters};
