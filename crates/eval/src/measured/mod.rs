//! What a run cost and whether anything disturbed it, from what its sessions measured.
//!
//! [`energy`] sums joules and relates them to answers; [`health`] finds the jobs a disturbance touched;
//! [`sustainability`] makes metrics of both. Deliberately absent: measuring, which is `host`'s business.

mod energy;
mod health;
mod sustainability;

pub use energy::{EnergySummary, energy};
pub use health::{DisturbedJobs, HealthSummary, health};
pub use sustainability::sustainability;
