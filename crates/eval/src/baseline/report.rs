//! The shape of a judged baseline.

use serde::{Deserialize, Serialize};

/// What a judge that reads no prompt reaches: one metric of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// A name of [`BASELINES`](super::BASELINES).
    pub name: String,
    /// The metric it is judged by.
    pub metric: String,
    pub value: f64,
    /// Bounds of the interval over instances, at the confidence of the report; `None` where there is none.
    #[serde(default)]
    pub ci_low: Option<f64>,
    #[serde(default)]
    pub ci_high: Option<f64>,
    /// Where it learned: `train pool of 120`, `train split of 1008`, `the judged data itself`, `leave one out`, `nothing`, ….
    pub basis: String,
    /// Instances judged.
    pub n: usize,
}
