//! The speed of reading a prompt: bound by arithmetic.

use super::constants::Constants;
use super::errors::EXTRAPOLATED_SPREAD;
use super::gpu_name::{Family, family, normalised};
use super::input::{Engine, Processor, SpeedInput};
use super::prediction::{Basis, Estimate, Prediction, PrefillTerms};

/// For a card of the table and another model than the table's. Chosen: each card was measured with one model only.
const SAME_CARD_SPREAD: f64 = 1.25;

/// Effective arithmetic with what is known about it.
struct Arithmetic {
    tflops: f64,
    spread: f64,
    basis: Basis,
    source: String,
}

/// The share of the speed that a prompt of `tokens` leaves: attention multiplies every token with all before it,
/// `1 / (1 + tokens * layers * width / parameters)`. 1 where the width is not known.
pub(super) fn attention_factor(tokens: u32, layers: u32, width: Option<u32>, parameters: u64) -> f64 {
    let Some(width) = width.filter(|_| parameters > 0) else { return 1.0 };
    1.0 / (1.0 + f64::from(tokens) * f64::from(layers) * f64::from(width) / parameters as f64)
}

pub(super) fn predict(input: &SpeedInput, constants: &Constants) -> Prediction<PrefillTerms> {
    match terms(input) {
        Err(reason) => Prediction::Unknown(reason),
        Ok((parameters, factor)) => match arithmetic(input, constants) {
            Err(reason) => Prediction::Unknown(reason),
            Ok(arithmetic) => Prediction::Known(estimate(input, parameters, factor, arithmetic)),
        },
    }
}

/// Parameters one token multiplies with, and the attention factor; or why prefill cannot be spoken of at all.
pub(super) fn terms(input: &SpeedInput) -> Result<(u64, f64), String> {
    let Some(parameters) = input.parameters_active.filter(|parameters| *parameters > 0) else {
        return Err("Prefill is not predicted: how many parameters the model has is not known.".into());
    };
    if input.prompt_tokens == 0 {
        return Err("Prefill is not predicted: there is no prompt.".into());
    }
    if input.offload.is_some() || input.paging.is_some() {
        return Err("Prefill is not predicted: part of the weights is not in the processor's own memory, and no \
                    measurement says what that costs."
            .into());
    }
    Ok((parameters, attention_factor(input.prompt_tokens, input.layers, input.attention_width, parameters)))
}

fn estimate(input: &SpeedInput, parameters: u64, factor: f64, from: Arithmetic) -> Estimate<PrefillTerms> {
    let tokens_per_s = from.tflops * 1e12 / (2.0 * parameters as f64) * factor;
    let terms = PrefillTerms {
        prompt_tokens: input.prompt_tokens,
        parameters_active: parameters,
        effective_tflops: from.tflops,
        attention_factor: factor,
        source: from.source,
    };
    let mut estimate = Estimate::new(tokens_per_s, from.spread, from.basis, terms);
    if input.attention_width.is_none() {
        estimate.notes.push("The cost of attention over the prompt is left out: its width is not known.".into());
    }
    estimate
}

fn arithmetic(input: &SpeedInput, constants: &Constants) -> Result<Arithmetic, String> {
    match (&input.processor, input.engine) {
        (_, Engine::Embedded | Engine::LlamaCpu) | (Processor::Cpu, _) => Err(
            "Prefill on processor cores is not predicted before the first run: no table says what an engine reaches."
                .into(),
        ),
        (Processor::AppleGpu { generation, gpu_cores }, _) => apple(input, *generation, *gpu_cores, constants),
        (Processor::Gpu { name, fp16_tflops }, engine) => {
            let (table, foreign) = match engine {
                Engine::Cuda => (&constants.cuda_prefill, false),
                Engine::Vulkan => (&constants.vulkan_prefill, false),
                // Measured through Vulkan; ROCm uses the same units of the card.
                Engine::Rocm => (&constants.vulkan_prefill, true),
                _ => return Err(format!("Prefill is not predicted: {} does not run on {name}.", engine.as_str())),
            };
            let mut found = card(name, *fp16_tflops, table)?;
            if foreign {
                found.basis = Basis::Extrapolated;
                found.spread = found.spread.max(EXTRAPOLATED_SPREAD);
                found.source.push_str(", measured through Vulkan");
            }
            if input.mixture_of_experts {
                let factor = constants.cuda_prefill.mixture_factor;
                found.tflops *= factor.ok_or("Prefill is not predicted: no mixture of experts was measured.")?;
                found.spread = found.spread.max(EXTRAPOLATED_SPREAD);
                found.source.push_str(", with routed experts");
            }
            Ok(found)
        }
    }
}

fn apple(
    input: &SpeedInput,
    generation: u32,
    gpu_cores: Option<u32>,
    constants: &Constants,
) -> Result<Arithmetic, String> {
    let Some(cores) = gpu_cores.filter(|cores| *cores > 0) else {
        return Err("Prefill is not predicted: the number of GPU cores is not known.".into());
    };
    let (tflops, spread, single) = constants.apple_prefill.tflops(generation, cores, input.float_weights);
    let basis = if single { Basis::Extrapolated } else { Basis::Fitted };
    let source = format!("{cores} GPU cores of generation M{generation}");
    Ok(Arithmetic { tflops, spread, basis, source })
}

fn card(name: &str, fp16_tflops: Option<f64>, table: &super::prefill_fit::CardPrefill) -> Result<Arithmetic, String> {
    let wanted = normalised(name);
    if let Some((_, tflops)) = table.tflops.iter().find(|(card, _)| *card == wanted) {
        let source = format!("table of measured cards, {name}");
        return Ok(Arithmetic { tflops: *tflops, spread: SAME_CARD_SPREAD, basis: Basis::Table, source });
    }
    let family = family(name);
    let share = table.by_vendor_tflops.iter().find(|(of, _)| Some(*of) == family).map(|(_, share)| *share);
    let stacked = family == Some(Family::NvidiaStacked);
    match (fp16_tflops.filter(|tflops| *tflops > 0.0), share) {
        (Some(vendor), Some(share)) => Ok(Arithmetic {
            tflops: vendor * share,
            spread: if stacked { table.spread_by_vendor.powf(1.5) } else { table.spread_by_vendor },
            basis: Basis::Extrapolated,
            source: format!("the vendor's {vendor} TFLOP/s FP16 and what measured cards make of theirs"),
        }),
        _ => Err(format!("Prefill is not predicted: nobody measured {name} or enough about cards like it.")),
    }
}
