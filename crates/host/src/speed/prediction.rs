//! What a prediction says: a value, an interval, where it comes from; or why there is none.

use puma_core::measure::Reading;
use serde::{Deserialize, Serialize};

/// What the constants behind a number are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Measurements of this very card or chip.
    Table,
    /// A formula fitted from measurements of its kind.
    Fitted,
    /// Own runs on this machine.
    Calibrated,
    /// A neighbour's numbers: a chip nobody measured, an engine with one machine behind it.
    Extrapolated,
}

impl Basis {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Fitted => "fitted",
            Self::Calibrated => "calibrated",
            Self::Extrapolated => "extrapolated",
        }
    }
}

/// A predicted speed and the terms it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate<T> {
    pub tokens_per_s: f64,
    /// Lower end of the 90 % interval; 0 where the value is only an upper bound.
    pub low: f64,
    /// Upper end of the 90 % interval.
    pub high: f64,
    pub basis: Basis,
    pub terms: T,
    /// Sentences a reader should know, such as "bounded by the disk".
    pub notes: Vec<String>,
}

/// How the time of one generated token adds up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecodeTerms {
    /// Weights and cache one token reads, in main and graphics memory together.
    pub bytes_per_token: u64,
    pub bandwidth_gb_s: Option<Reading<f64>>,
    /// Share of the bandwidth that is reached; `None` where only the product with the bandwidth is known.
    pub efficiency: Option<f64>,
    /// Time to read the weights and the cache on the main processor.
    pub read_ms: f64,
    /// Fixed cost of all layers.
    pub overhead_ms: f64,
    /// Time to read what lies in main memory because it was offloaded.
    pub offload_ms: f64,
    /// Time to read what comes from disk.
    pub paging_ms: f64,
}

/// How the time of a prompt adds up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrefillTerms {
    pub prompt_tokens: u32,
    /// Parameters every token multiplies with.
    pub parameters_active: u64,
    /// Arithmetic reached in practice, in 1e12 operations per second, two for each parameter.
    pub effective_tflops: f64,
    /// Share of the speed that is left by attention over the prompt, 1 for short ones.
    pub attention_factor: f64,
    /// Where `effective_tflops` comes from.
    pub source: String,
}

/// An estimate, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction<T> {
    Known(Estimate<T>),
    /// A sentence.
    Unknown(String),
}

impl<T> Prediction<T> {
    pub fn estimate(&self) -> Option<&Estimate<T>> {
        match self {
            Self::Known(estimate) => Some(estimate),
            Self::Unknown(_) => None,
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(reason),
        }
    }
}

impl<T> Estimate<T> {
    /// A value with an interval that is `spread` wide on both sides: from value / spread to value * spread.
    pub(super) fn new(tokens_per_s: f64, spread: f64, basis: Basis, terms: T) -> Self {
        let (low, high) = (tokens_per_s / spread, tokens_per_s * spread);
        Self { tokens_per_s, low, high, basis, terms, notes: Vec::new() }
    }
}

/// Both speeds of a model on a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedPrediction {
    pub decode: Prediction<DecodeTerms>,
    pub prefill: Prediction<PrefillTerms>,
}
