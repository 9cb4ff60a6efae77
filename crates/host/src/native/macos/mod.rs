//! The interfaces of macOS: Metal, IOReport, the system management controller, the kernel's processor times.
//!
//! Apple's frameworks are opened by name when they are asked for and never linked, so that the program can be linked on
//! another system and starts where one of them is missing. Deliberately absent: what the answers mean.

mod core_foundation;
mod io_report;
mod library;
mod metal;
mod objective_c;
mod processor;
mod smc;

pub(super) use io_report::energy;
pub(super) use metal::device;
pub(super) use processor::ticks;
pub(super) use smc::system_power;
