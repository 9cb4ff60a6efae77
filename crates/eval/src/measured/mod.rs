//! What a run cost and whether anything disturbed it, from what its sessions measured.
//!
//! [`energy`] sums joules and relates them to answers; [`health`] finds the jobs a disturbance touched. Deliberately
//! absent: measuring, which is `host`'s business.

mod energy;
mod health;

pub use energy::{EnergySummary, energy};
pub use health::{DisturbedJobs, HealthSummary, health};
