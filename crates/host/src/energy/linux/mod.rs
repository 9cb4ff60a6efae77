//! Where a Linux machine tells its joules, best first.

mod battery;
mod cpu_power;
mod hwmon;
mod load;
mod perf;
mod powercap;
mod proc_stat;
mod process;

pub(super) use battery::Battery;
pub(super) use hwmon::Hwmon;
pub(super) use load::{LoadEstimate, MemoryEstimate};
pub use perf::PerfCounter;
pub(super) use perf::PerfEvents;
pub(super) use powercap::Powercap;
pub(super) use process::ProcessShare;
