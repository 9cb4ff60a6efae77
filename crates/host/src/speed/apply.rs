//! Predictions in the light of own runs.

use super::decode::bytes_per_token;
use super::input::{Engine, SpeedInput};
use super::learn::{Correction, ENOUGH_RUNS, Factor, Phase, is_plain};
use super::prediction::{Basis, DecodeTerms, Estimate, Prediction, PrefillTerms, SpeedPrediction};
use super::prefill;

impl Correction {
    /// The factor of an engine and phase, if there were runs.
    pub fn factor(&self, engine: Engine, phase: Phase) -> Option<&Factor> {
        self.factors.iter().find(|factor| (factor.engine, factor.phase) == (engine, phase))
    }

    /// `raw` as [`predict`](super::predict) gave it for `input`, corrected. Without runs of the engine it stays as it is.
    pub fn apply(&self, input: &SpeedInput, raw: &SpeedPrediction) -> SpeedPrediction {
        SpeedPrediction { decode: self.decode(input, &raw.decode), prefill: self.prefill(input, &raw.prefill) }
    }

    fn decode(&self, input: &SpeedInput, raw: &Prediction<DecodeTerms>) -> Prediction<DecodeTerms> {
        let Some(factor) = self.factor(input.engine, Phase::Decode) else { return raw.clone() };
        if let Some(calibrated) = self.calibrated(input, factor, raw) {
            return Prediction::Known(calibrated);
        }
        match raw {
            Prediction::Known(raw) => Prediction::Known(scaled(raw, factor)),
            Prediction::Unknown(_) if is_plain(input) && input.weights_active_bytes > 0 => {
                Prediction::Known(decode_by_work(input, factor))
            }
            Prediction::Unknown(_) => raw.clone(),
        }
    }

    fn calibrated(
        &self,
        input: &SpeedInput,
        factor: &Factor,
        raw: &Prediction<DecodeTerms>,
    ) -> Option<Estimate<DecodeTerms>> {
        let (_, calibration) = self.calibrations.iter().find(|(engine, _)| *engine == input.engine)?;
        if !is_plain(input) || input.weights_active_bytes == 0 {
            return None;
        }
        let bytes = bytes_per_token(input);
        let total_ms = calibration.milliseconds(bytes as f64, f64::from(input.layers));
        let overhead_ms = f64::from(input.layers) * calibration.overhead_ms_per_layer;
        let bandwidth = input.bandwidth_gb_s.clone();
        let terms = DecodeTerms {
            bytes_per_token: bytes,
            efficiency: bandwidth.as_ref().map(|bandwidth| calibration.effective_gb_s / bandwidth.value),
            bandwidth_gb_s: bandwidth,
            read_ms: total_ms - overhead_ms,
            overhead_ms,
            offload_ms: 0.0,
            paging_ms: 0.0,
        };
        let spread = raw.estimate().map_or(calibration.spread, |raw| factor.spread_after(raw, calibration.spread));
        let mut estimate = Estimate::new(1000.0 / total_ms, spread, Basis::Calibrated, terms);
        estimate
            .notes
            .push(format!("Bandwidth and overhead come from {} models run on this machine.", calibration.models));
        Some(estimate)
    }

    fn prefill(&self, input: &SpeedInput, raw: &Prediction<PrefillTerms>) -> Prediction<PrefillTerms> {
        let Some(factor) = self.factor(input.engine, Phase::Prefill) else { return raw.clone() };
        match (raw, prefill::terms(input)) {
            (Prediction::Known(raw), _) => Prediction::Known(scaled(raw, factor)),
            (Prediction::Unknown(_), Ok((parameters, attention_factor))) => {
                Prediction::Known(prefill_by_work(input, parameters, attention_factor, factor))
            }
            (Prediction::Unknown(_), Err(_)) => raw.clone(),
        }
    }
}

fn scaled<T: Clone>(raw: &Estimate<T>, factor: &Factor) -> Estimate<T> {
    let spread = factor.spread_after(raw, factor.spread);
    let mut estimate = Estimate::new(raw.tokens_per_s * factor.factor, spread, raw.basis, raw.terms.clone());
    if factor.runs >= ENOUGH_RUNS {
        estimate.basis = Basis::Calibrated;
    }
    if raw.low == 0.0 {
        // An upper bound stays one.
        estimate.low = 0.0;
    }
    estimate.notes.clone_from(&raw.notes);
    estimate.notes.push(format!("Corrected by {:.2} after {} on this machine.", factor.factor, counted(factor.runs)));
    estimate
}

fn counted(runs: usize) -> String {
    if runs == 1 { "1 run".into() } else { format!("{runs} runs") }
}

fn decode_by_work(input: &SpeedInput, factor: &Factor) -> Estimate<DecodeTerms> {
    let bytes = bytes_per_token(input);
    let tokens_per_s = factor.work_per_s / bytes as f64;
    let terms = DecodeTerms {
        bytes_per_token: bytes,
        bandwidth_gb_s: None,
        efficiency: None,
        read_ms: 1000.0 / tokens_per_s,
        overhead_ms: 0.0,
        offload_ms: 0.0,
        paging_ms: 0.0,
    };
    let mut estimate = Estimate::new(tokens_per_s, unlike(factor), Basis::Calibrated, terms);
    estimate.notes.push(format!("Scaled by size from {} on this machine.", counted(factor.runs)));
    estimate
}

fn prefill_by_work(
    input: &SpeedInput,
    parameters_active: u64,
    attention_factor: f64,
    factor: &Factor,
) -> Estimate<PrefillTerms> {
    let tokens_per_s = factor.work_per_s / (2.0 * parameters_active as f64) * attention_factor;
    let terms = PrefillTerms {
        prompt_tokens: input.prompt_tokens,
        parameters_active,
        effective_tflops: factor.work_per_s / 1e12,
        attention_factor,
        source: format!("{} on this machine", counted(factor.runs)),
    };
    Estimate::new(tokens_per_s, unlike(factor), Basis::Calibrated, terms)
}

/// Work per second depends on size more than a prediction's error does; one model tells nothing about that.
fn unlike(factor: &Factor) -> f64 {
    if factor.models < 2 { factor.work_spread.max(super::decode::CPU_SPREAD) } else { factor.work_spread }
}
