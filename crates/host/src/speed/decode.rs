//! The speed of generating: bound by memory, with a fixed cost in every layer.

use super::constants::{Constants, DecodeConstants, own_overhead_ms_per_layer};
use super::errors::EXTRAPOLATED_SPREAD;
use super::gpu_name::{Family, family};
use super::input::{Engine, Processor, SpeedInput};
use super::prediction::{Basis, DecodeTerms, Estimate, Prediction};
use puma_core::measure::Reading;

/// Processor cores reading weights. Chosen, not fitted: few machines stand behind them, so the interval is wide and
/// own runs replace them. docs/speed-model.md names the measurements.
pub(super) const CPU_SPREAD: f64 = 1.7;
const LLAMA_CPU_EFFICIENCY: f64 = 0.8;
const EMBEDDED_EFFICIENCY: f64 = 0.5;
const CPU_OVERHEAD_MS_PER_LAYER: f64 = 0.1;

/// The one card of its age that was measured, a GTX 1050 Ti, takes more than twice as long as a newer one would.
const OLD_CARD_SPREAD: f64 = 2.5;

/// What one token costs on the processor that holds the weights.
struct Cost {
    efficiency: f64,
    overhead_ms_per_layer: f64,
    spread: f64,
    basis: Basis,
}

pub(super) fn predict(input: &SpeedInput, constants: &Constants) -> Prediction<DecodeTerms> {
    match estimate(input, constants) {
        Ok(estimate) => Prediction::Known(estimate),
        Err(reason) => Prediction::Unknown(reason),
    }
}

/// The bytes one token reads, all places together.
pub(super) fn bytes_per_token(input: &SpeedInput) -> u64 {
    input.weights_active_bytes.saturating_add(input.kv_bytes_at_position)
}

fn estimate(input: &SpeedInput, constants: &Constants) -> Result<Estimate<DecodeTerms>, String> {
    let bytes = bytes_per_token(input);
    if input.weights_active_bytes == 0 || input.layers == 0 {
        return Err("Decoding is not predicted: the size of the model or its number of layers is not known.".into());
    }
    let bandwidth = known(input.bandwidth_gb_s.as_ref())
        .ok_or("Decoding is not predicted: the bandwidth of the memory is not known.")?;
    let cost = cost(input, constants)?;
    let elsewhere = elsewhere(input)?;
    let own_bytes = bytes.saturating_sub(elsewhere.bytes);
    let read_ms = milliseconds(own_bytes, cost.efficiency * bandwidth.value);
    let overhead_ms = cost.overhead_ms_per_layer * f64::from(input.layers);
    let own_ms = read_ms + overhead_ms;
    let total_ms = own_ms + elsewhere.offload_ms + elsewhere.paging_ms;
    // Each part is uncertain by itself; in the sum it counts by its share of the time.
    let log_spread =
        (own_ms * cost.spread.ln() + (elsewhere.offload_ms + elsewhere.paging_ms) * CPU_SPREAD.ln()) / total_ms;
    let terms = DecodeTerms {
        bytes_per_token: bytes,
        bandwidth_gb_s: Some(bandwidth.clone()),
        efficiency: Some(cost.efficiency),
        read_ms,
        overhead_ms,
        offload_ms: elsewhere.offload_ms,
        paging_ms: elsewhere.paging_ms,
    };
    let mut estimate = Estimate::new(1000.0 / total_ms, log_spread.exp(), cost.basis, terms);
    if elsewhere.offload_ms > 0.0 {
        estimate.notes.push("Part of the model is read from main memory for every token.".into());
    }
    if elsewhere.paging_ms > 0.0 {
        estimate.low = 0.0;
        estimate.notes.push("Part of the model is read from disk for every token: an upper bound.".into());
    }
    Ok(estimate)
}

/// A reading that can be calculated with.
fn known(reading: Option<&Reading<f64>>) -> Option<&Reading<f64>> {
    reading.filter(|reading| reading.value.is_finite() && reading.value > 0.0)
}

fn milliseconds(bytes: u64, gb_s: f64) -> f64 {
    bytes as f64 / 1e6 / gb_s
}

/// What does not come from the processor's own memory.
struct Elsewhere {
    bytes: u64,
    offload_ms: f64,
    paging_ms: f64,
}

fn elsewhere(input: &SpeedInput) -> Result<Elsewhere, String> {
    let mut found = Elsewhere { bytes: 0, offload_ms: 0.0, paging_ms: 0.0 };
    if let Some(offload) = input.offload.as_ref().filter(|offload| offload.cpu_bytes > 0) {
        let bandwidth = known(offload.bandwidth_gb_s.as_ref())
            .ok_or("Decoding is not predicted: part of the model lies in main memory, whose bandwidth is not known.")?;
        found.bytes += offload.cpu_bytes;
        found.offload_ms = milliseconds(offload.cpu_bytes, LLAMA_CPU_EFFICIENCY * bandwidth.value);
    }
    if let Some(paging) = input.paging.as_ref().filter(|paging| paging.missing_bytes > 0) {
        let disk = known(paging.disk_gb_s.as_ref())
            .ok_or("Decoding is not predicted: the model does not fit, and how fast the disk reads is not known.")?;
        found.bytes = found.bytes.saturating_add(paging.missing_bytes);
        found.paging_ms = milliseconds(paging.missing_bytes, disk.value);
    }
    Ok(found)
}

fn cost(input: &SpeedInput, constants: &Constants) -> Result<Cost, String> {
    let generation = match input.processor {
        Processor::AppleGpu { generation, .. } => Some(generation.max(1)),
        Processor::Gpu { .. } | Processor::Cpu => None,
    };
    let fitted = |of: &DecodeConstants| from_constants(of, generation, input.mixture_of_experts);
    match (input.engine, &input.processor) {
        (Engine::Metal2025, _) => Ok(fitted(&constants.metal_2025)),
        (Engine::Metal2026, _) => Ok(fitted(&constants.metal_2026)),
        (Engine::LlamaCpu, _) => Ok(chosen(LLAMA_CPU_EFFICIENCY)),
        (Engine::Embedded, _) => Ok(chosen(EMBEDDED_EFFICIENCY)),
        (engine, Processor::Gpu { name, .. }) => card_cost(input, engine, name, constants),
        (engine, _) => Err(format!("Decoding is not predicted: {} needs a graphics card.", engine.as_str())),
    }
}

fn card_cost(input: &SpeedInput, engine: Engine, name: &str, constants: &Constants) -> Result<Cost, String> {
    let family = family(name);
    let of = match (engine, family) {
        (_, Some(Family::AmdStacked)) => {
            return Err(format!("Decoding is not predicted: nobody measured a card like {name}."));
        }
        (Engine::Cuda, Some(Family::NvidiaStacked)) => &constants.cuda_stacked,
        (Engine::Cuda, _) => &constants.cuda,
        (_, Some(Family::Intel)) => &constants.vulkan_intel,
        _ => &constants.vulkan,
    };
    let cost = from_constants(of, None, input.mixture_of_experts);
    if let Some(own) = own_overhead_ms_per_layer(engine, name, of.efficiency) {
        let overhead_ms_per_layer = cost.overhead_ms_per_layer - of.overhead_ms_per_layer + own;
        return Ok(Cost { overhead_ms_per_layer, basis: Basis::Table, ..cost });
    }
    let least = match (engine, family) {
        (_, Some(Family::NvidiaOld)) => OLD_CARD_SPREAD,
        // No machine was measured twice through ROCm: what Vulkan reaches, with doubt.
        (Engine::Rocm, _) | (_, Some(Family::NvidiaStacked | Family::Intel) | None) => EXTRAPOLATED_SPREAD,
        _ => return Ok(cost),
    };
    Ok(Cost { spread: cost.spread.max(least), basis: Basis::Extrapolated, ..cost })
}

fn chosen(efficiency: f64) -> Cost {
    Cost {
        efficiency,
        overhead_ms_per_layer: CPU_OVERHEAD_MS_PER_LAYER,
        spread: CPU_SPREAD,
        basis: Basis::Extrapolated,
    }
}

fn from_constants(of: &DecodeConstants, generation: Option<u32>, mixture: bool) -> Cost {
    let by_generation = generation.map_or(0.0, |g| of.overhead_ms_per_layer_by_generation / f64::from(g));
    let mixture_ms = if mixture { of.mixture_ms_per_layer } else { 0.0 };
    let beyond = of.newest_generation.zip(generation).is_some_and(|(newest, generation)| generation > newest);
    Cost {
        efficiency: of.efficiency,
        overhead_ms_per_layer: of.overhead_ms_per_layer + by_generation + mixture_ms,
        // Beyond the measured generations nothing was held out: the interval is twice as wide.
        spread: if beyond { of.spread.powi(2) } else { of.spread },
        basis: if beyond { Basis::Extrapolated } else { Basis::Fitted },
    }
}
