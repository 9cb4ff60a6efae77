//! How fast a model will answer on a machine, before it is tried; and what own runs teach about that.
//!
//! Start at [`predict`]. Decoding is bound by memory: `t = bytes / (efficiency * bandwidth) + overhead * layers`, with
//! constants fitted from published tables ([`Constants`]). Prefill is bound by arithmetic. [`learn`] turns pairs of
//! predicted and measured speeds of one machine into a [`Correction`]. `docs/speed-model.md` has the errors.
//! Deliberately absent: reading the machine; everything comes in as numbers, save [`measure_read_bandwidth`].

#[cfg(test)]
mod accuracy_tests;
mod apply;
mod bandwidth;
mod calibrate;
mod constants;
mod decode;
mod engine_table;
mod errors;
mod fit;
mod gpu_name;
mod input;
mod learn;
#[cfg(test)]
mod learn_tests;
mod m_series;
mod predict;
#[cfg(test)]
mod predict_tests;
mod prediction;
mod prefill;
mod prefill_fit;
mod robust;
mod scatter;

pub use bandwidth::{BandwidthError, measure_read_bandwidth, theoretical_bandwidth};
pub use calibrate::Calibration;
pub use constants::{Constants, DecodeConstants};
pub use errors::Errors;
pub use gpu_name::{Family, apple_generation};
pub use input::{Engine, Offload, Paging, Processor, SpeedInput};
pub use learn::{Correction, Factor, Observation, Phase, learn};
pub use predict::predict;
pub use prediction::{Basis, DecodeTerms, Estimate, Prediction, PrefillTerms, SpeedPrediction};
pub use prefill_fit::{ApplePrefill, CardPrefill};
