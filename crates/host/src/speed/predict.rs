//! The one question: how fast.

use super::constants::Constants;
use super::input::SpeedInput;
use super::prediction::SpeedPrediction;
use super::{decode, prefill};

/// What published measurements say about a model on a machine. Own runs know better: see
/// [`Correction::apply`](super::Correction::apply).
pub fn predict(input: &SpeedInput) -> SpeedPrediction {
    let constants = Constants::fitted();
    SpeedPrediction { decode: decode::predict(input, constants), prefill: prefill::predict(input, constants) }
}
