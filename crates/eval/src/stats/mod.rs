//! Statistics: seeded bootstrap over instances, score intervals, exact paired tests, quantiles.
//!
//! Everything here gives the same bits on every machine: own integer generator, own logarithm, fixed order of sums.

mod bootstrap;
mod mcnemar;
mod portable;
mod quantile;
mod random;
mod ranked;
mod wilson;

pub use bootstrap::{Bootstrap, Clustered, Estimate, Tally};
pub use mcnemar::{PairedCounts, mcnemar_exact};
pub use portable::{ln, normal_quantile};
pub use quantile::{median, quantile};
pub use random::SplitMix64;
pub use ranked::Ranked;
pub use wilson::wilson;
