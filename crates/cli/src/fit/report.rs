//! What `puma fit` tells, as plain values.

use puma_core::measure::{Quality, Reading};
use puma_host::fit::{Budget, Fit, KvType, LargestContext, ShapeSource};
use serde::Serialize;

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct FitReport {
    pub machine: MachineLine,
    /// Model by model, and within a model by context.
    pub models: Vec<FitRow>,
}

/// The machine, as far as it decides.
#[derive(Debug, Serialize)]
pub(crate) struct MachineLine {
    /// Names the hardware without saying whose it is; own runs are kept under it.
    pub key: String,
    pub cpu: Option<String>,
    pub memory_bytes: Option<u64>,
    /// True when the facts come from `--host`.
    pub recorded: bool,
    /// Read bandwidth of main memory; null on a recorded machine and where no processor core reads weights.
    pub memory_bandwidth_gb_s: Option<Reading<f64>>,
}

/// One model with one context.
#[derive(Debug, Serialize)]
pub(crate) struct FitRow {
    pub model: String,
    pub engine: String,
    pub on_this_machine: bool,
    /// False where PUMA's own engine does not run the architecture; null where that is not known.
    pub runs_embedded: Option<bool>,
    pub quantization: Option<String>,
    pub parameters: Option<u64>,
    pub active_parameters: Option<u64>,
    pub weights_bytes: Option<u64>,
    /// Where the sizes come from.
    pub source: Option<ShapeSource>,
    pub quality: Quality,
    pub trained_context: Option<u32>,
    pub context: u32,
    pub kv_type: KvType,
    pub sequences: u32,
    pub budget: Option<Budget>,
    #[serde(flatten)]
    pub fit: Option<Fit>,
    pub layers: Option<u32>,
    /// The largest context that fits with the margin kept.
    pub largest_context: Option<LargestContext>,
    /// The largest that neither pages nor fails.
    pub largest_context_without_paging: Option<LargestContext>,
    pub speed: Option<SpeedLine>,
    /// Why it cannot be judged.
    pub problem: Option<String>,
}

/// A model that would write fewer tokens in a second is listed after those that write more: an answer takes a minute.
pub(crate) const SLOW_TOKENS_PER_S: f64 = 5.0;

impl FitRow {
    /// What is expected of decoding: after what own runs taught, where there are any.
    pub(crate) fn decode_tokens_per_s(&self) -> Option<f64> {
        let decode = &self.speed.as_ref()?.decode;
        decode.corrected.as_ref().or(decode.predicted.as_ref()).map(|range| range.tokens_per_s)
    }

    /// Too slow to work with; a speed that is not known is given the benefit of the doubt.
    pub(crate) fn is_slow(&self) -> bool {
        self.decode_tokens_per_s().is_some_and(|speed| speed < SLOW_TOKENS_PER_S)
    }
}

/// Predicted, corrected and measured speeds.
#[derive(Debug, Serialize)]
pub(crate) struct SpeedLine {
    /// Tokens of the prompt that the prediction is made for.
    pub prompt_tokens: u32,
    pub decode: PhaseLine,
    pub prefill: PhaseLine,
}

/// One phase: reading the prompt or writing the answer.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PhaseLine {
    /// Before any own run is considered.
    pub predicted: Option<SpeedRange>,
    /// After what own runs of this engine on this machine taught.
    pub corrected: Option<SpeedRange>,
    /// What multiplies predictions by those runs.
    pub correction: Option<CorrectionLine>,
    pub measured: Vec<MeasuredLine>,
    /// Why nothing is predicted.
    pub unknown: Option<String>,
}

/// A speed with its 90 % interval.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SpeedRange {
    pub tokens_per_s: f64,
    pub low: f64,
    pub high: f64,
    /// `table`, `fitted`, `calibrated` or `extrapolated`.
    pub basis: String,
    pub notes: Vec<String>,
}

/// What own runs say about an engine's predictions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CorrectionLine {
    pub factor: f64,
    pub runs: usize,
    pub models: usize,
}

/// This model's own runs with one number of sequences at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MeasuredLine {
    /// Median over the runs, all sequences together.
    pub tokens_per_s: f64,
    pub sequences: u32,
    pub runs: usize,
    pub tokens: u64,
}
