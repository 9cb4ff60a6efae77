//! The constants of the model, fitted from the embedded tables when they are first asked for.

use super::engine_table::{self, Row, Use};
use super::errors::{EXTRAPOLATED_SPREAD, Errors, spread};
use super::fit::{Form, Sample, Term};
use super::gpu_name::{Family, family, normalised};
use super::input::Engine;
use super::m_series;
use super::prefill_fit::{ApplePrefill, CardPrefill};
use super::robust::median;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// `t = bytes / (efficiency * bandwidth) + layers * (overhead + by_generation / generation + mixture)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecodeConstants {
    /// Share of the bandwidth that is reached while reading.
    pub efficiency: f64,
    pub overhead_ms_per_layer: f64,
    /// What older chips need on top: divided by the generation of an Apple chip, 0 where it makes no difference.
    pub overhead_ms_per_layer_by_generation: f64,
    /// On top for routed experts.
    pub mixture_ms_per_layer: f64,
    /// The newest chip generation among the measurements, where generations matter.
    pub newest_generation: Option<u32>,
    /// Nine tenths of held-out speeds lie between prediction / spread and prediction * spread.
    pub spread: f64,
    /// On what was fitted; `None` for constants that were chosen.
    pub errors_in_sample: Option<Errors>,
    /// With a whole chip generation or machine left out of the fit and then predicted.
    pub errors_held_out: Option<Errors>,
}

/// Everything that was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constants {
    pub metal_2025: DecodeConstants,
    pub metal_2026: DecodeConstants,
    pub cuda: DecodeConstants,
    /// CUDA cards with stacked memory: they reach the bandwidth less.
    pub cuda_stacked: DecodeConstants,
    pub vulkan: DecodeConstants,
    /// Intel cards through Vulkan.
    pub vulkan_intel: DecodeConstants,
    pub apple_prefill: ApplePrefill,
    pub cuda_prefill: CardPrefill,
    pub vulkan_prefill: CardPrefill,
}

static CONSTANTS: LazyLock<Constants> = LazyLock::new(Constants::from_tables);

impl Constants {
    /// The constants of this build. The first call fits them, in about a millisecond.
    pub fn fitted() -> &'static Self {
        &CONSTANTS
    }

    fn from_tables() -> Self {
        let metal_2025 = decode_constants(
            &m_series_samples(),
            Form { known_efficiency: None, terms: &[Term::Roof, Term::Layers, Term::LayersByGeneration] },
        );
        let known_efficiency = Some(metal_2025.efficiency);
        let metal_2026 = decode_constants(
            &samples(Engine::Metal2026),
            Form { known_efficiency, terms: &[Term::Layers, Term::MixtureLayers] },
        );
        // Where no mixture of experts was measured, its cost is that of the engine where one was.
        let mixture_ms_per_layer = metal_2026.mixture_ms_per_layer;
        let cuda = decode_constants(
            &samples(Engine::Cuda),
            Form { known_efficiency: None, terms: &[Term::Roof, Term::Layers] },
        );
        let vulkan = decode_constants(&samples(Engine::Vulkan), Form { known_efficiency, terms: &[Term::Layers] });
        let cuda = DecodeConstants { mixture_ms_per_layer, ..cuda };
        let vulkan = DecodeConstants { mixture_ms_per_layer, ..vulkan };
        Self {
            metal_2025: DecodeConstants {
                newest_generation: m_series::table().iter().map(|cell| cell.generation).max(),
                mixture_ms_per_layer,
                ..metal_2025
            },
            metal_2026,
            cuda_stacked: apart(&cuda, Engine::Cuda, Family::NvidiaStacked),
            vulkan_intel: apart(&vulkan, Engine::Vulkan, Family::Intel),
            apple_prefill: ApplePrefill::from_tables(),
            cuda_prefill: CardPrefill::from_table(Engine::Cuda),
            vulkan_prefill: CardPrefill::from_table(Engine::Vulkan),
            cuda,
            vulkan,
        }
    }
}

/// The overhead per layer of a card of the table, from its own row; `None` for cards that are not in it.
pub(super) fn own_overhead_ms_per_layer(engine: Engine, card: &str, efficiency: f64) -> Option<f64> {
    let card = normalised(card);
    let row = fit_rows(engine).find(|row| normalised(&row.machine) == card)?;
    sample_of(row).map(|sample| overhead_per_layer(&sample, efficiency))
}

fn overhead_per_layer(sample: &Sample, efficiency: f64) -> f64 {
    ((sample.measured_ms - sample.roof_ms / efficiency) / sample.layers).max(0.0)
}

fn fit_rows(engine: Engine) -> impl Iterator<Item = &'static Row> {
    engine_table::rows().iter().filter(move |row| row.engine == engine && row.decode == Some(Use::Fit))
}

fn samples(engine: Engine) -> Vec<Sample> {
    let apart = [Some(Family::NvidiaStacked), Some(Family::Intel)];
    fit_rows(engine).filter(|row| !apart.contains(&family(&row.machine))).filter_map(sample_of).collect()
}

pub(super) fn sample_of(row: &Row) -> Option<Sample> {
    Some(Sample {
        group: row.machine.clone(),
        roof_ms: 1000.0 * row.active_gb / row.bandwidth_gb_s,
        layers: f64::from(row.layers),
        generation: row.apple_generation.map(f64::from),
        mixture: row.mixture == 1,
        measured_ms: 1000.0 / row.tg_tok_s?,
    })
}

/// Every decode cell of the M-series table, grouped by chip generation.
pub(super) fn m_series_samples() -> Vec<Sample> {
    let cells = m_series::table().iter();
    let samples = cells.filter_map(|cell| {
        Some(Sample {
            group: format!("M{}", cell.generation),
            roof_ms: 1000.0 * cell.weights.bytes() / 1e9 / cell.bandwidth_gb_s,
            layers: f64::from(m_series::LAYERS),
            generation: Some(f64::from(cell.generation)),
            mixture: false,
            measured_ms: 1000.0 / cell.decode_tokens_per_s?,
        })
    });
    samples.collect()
}

fn decode_constants(samples: &[Sample], form: Form) -> DecodeConstants {
    let coefficients = form.fit(samples).expect("the embedded tables determine the constants, as a test shows");
    let of = |term: Term| form.terms.iter().position(|t| *t == term).map(|index| coefficients[index]);
    let in_sample: Vec<f64> = samples.iter().map(|sample| form.log_ratio(sample, &coefficients)).collect();
    let held_out = form.held_out(samples);
    let efficiency = form.known_efficiency.or(of(Term::Roof).map(|by| 1.0 / by));
    DecodeConstants {
        efficiency: efficiency.expect("a form fits the efficiency or knows it"),
        overhead_ms_per_layer: of(Term::Layers).unwrap_or(0.0),
        overhead_ms_per_layer_by_generation: of(Term::LayersByGeneration).unwrap_or(0.0),
        mixture_ms_per_layer: of(Term::MixtureLayers).unwrap_or(0.0),
        newest_generation: None,
        spread: spread(&held_out),
        errors_in_sample: Errors::of(&in_sample),
        errors_held_out: Errors::of(&held_out),
    }
}

/// The constants of a family that stands apart: the efficiency of the other cards, an overhead of its own. Two cards
/// tell too little about an interval.
fn apart(others: &DecodeConstants, engine: Engine, apart: Family) -> DecodeConstants {
    let overheads: Vec<f64> = fit_rows(engine)
        .filter(|row| family(&row.machine) == Some(apart))
        .filter_map(sample_of)
        .map(|sample| overhead_per_layer(&sample, others.efficiency))
        .collect();
    DecodeConstants {
        overhead_ms_per_layer: median(&overheads).expect("the table has cards of this family"),
        spread: EXTRAPOLATED_SPREAD,
        errors_in_sample: None,
        errors_held_out: None,
        ..others.clone()
    }
}
