//! The table of metrics: names, formulas, ranges, sources. One file a family, one row per name the reports can hold.
//!
//! Start at [`metrics`]; [`resolve`] finds one by name or alias. A new family gets a file and a place in `lookup`.

mod accuracy;
mod calibration;
mod definition;
mod efficiency;
mod fairness;
mod lookup;
mod missing;
mod outcomes;
mod ranking;
mod regression;
mod robustness;
mod stability;
mod sustainability;

pub use definition::{Better, Family, MetricDef};
pub use lookup::{UnknownMetric, metrics, resolve};
pub use missing::Missing;
