//! Confidence intervals by resampling instances.
//!
//! `clustered` groups items by instance, `tally` is how a statistic is computed from items, `run` draws and leaves out,
//! `kinds` and `binomial_draw` make that cheap where many instances count alike, `interval` turns the values into bounds.

mod binomial_draw;
mod clustered;
mod estimate;
mod interval;
mod kinds;
mod resampler;
mod run;
mod tally;

pub use clustered::Clustered;
pub use estimate::{Estimate, IntervalMethod};
pub use interval::{acceleration, bca_interval};
pub use run::Bootstrap;
pub use tally::{MeanTally, Tally};
