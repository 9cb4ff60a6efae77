//! Constants of prefill: arithmetic per GPU core and generation, effective arithmetic of cards.

use super::engine_table::{self, Row, Use};
use super::errors::{EXTRAPOLATED_SPREAD, Errors, spread};
use super::gpu_name::{Family, family, normalised};
use super::input::Engine;
use super::m_series::{self, Weights};
use super::prefill::attention_factor;
use super::robust::{median, regress};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most GPU cores on one die, M1 to M5; an Ultra is two dies that talk to each other.
const CORES_OF_ONE_DIE: u32 = 40;
/// From this generation on the GPU has matrix units, and engines use them (llama.cpp's Metal tensor API).
const MATRIX_GENERATION: u32 = 5;

/// The table has one model. Others, with other shapes and kinds of quantisation, were seen up to 14 % away: chosen.
const OTHER_MODEL_SPREAD: f64 = 1.15;

/// `effective GFLOP/s = cores * of its generation * (float weights?) * (two dies?)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplePrefill {
    /// Generation and GFLOP/s per GPU core with quantised weights, oldest first.
    pub gflops_per_core: Vec<(u32, f64)>,
    /// From one generation to the next where nothing else is known.
    pub growth: f64,
    pub float_factor: f64,
    pub two_dies_factor: f64,
    /// For generations of the table: held out chip by chip, and room for other models.
    pub spread: f64,
    /// For generations nobody measured: held out generation by generation, and room for other models.
    pub spread_unknown_generation: f64,
    pub errors_in_sample: Option<Errors>,
    /// A chip (`M2 Max`) left out, its generation known from the others.
    pub errors_chip_held_out: Option<Errors>,
    /// A whole generation left out and extrapolated from the trend of the others.
    pub errors_generation_held_out: Option<Errors>,
}

/// Effective arithmetic of graphics cards in the prefill of an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardPrefill {
    /// Normalised name and effective TFLOP/s with a dense quantised model.
    pub tflops: Vec<(String, f64)>,
    /// Effective by the vendor's FP16 figure, for cards that are not in the table, where their family is.
    pub by_vendor_tflops: Vec<(Family, f64)>,
    /// With routed experts, by the dense figure; `None` where none was measured.
    pub mixture_factor: Option<f64>,
    /// For cards known by their vendor's figure only: held out card by card.
    pub spread_by_vendor: f64,
    pub errors_by_vendor_held_out: Option<Errors>,
}

struct Speed {
    chip: String,
    generation: u32,
    float: bool,
    two_dies: bool,
    log_gflops_per_core: f64,
}

/// How the dependence on the generation is written.
#[derive(Clone, Copy, PartialEq)]
enum Generations {
    /// A constant each.
    Each(u32),
    /// A straight line in the logarithm.
    Trend,
}

impl Generations {
    fn row(self, speed: &Speed) -> Vec<f64> {
        let flag = |set: bool| f64::from(u8::from(set));
        let mut row = match self {
            Self::Each(newest) => (1..=newest).map(|generation| flag(generation == speed.generation)).collect(),
            Self::Trend => vec![1.0, f64::from(speed.generation)],
        };
        row.extend([flag(speed.float), flag(speed.two_dies)]);
        row
    }

    fn fit(self, speeds: &[&Speed]) -> Vec<f64> {
        let rows: Vec<Vec<f64>> = speeds.iter().map(|speed| self.row(speed)).collect();
        let targets: Vec<f64> = speeds.iter().map(|speed| speed.log_gflops_per_core).collect();
        regress(&rows, &targets).expect("the embedded table determines the constants, as a test shows")
    }

    fn log_ratio(self, coefficients: &[f64], speed: &Speed) -> f64 {
        let predicted: f64 = self.row(speed).iter().zip(coefficients).map(|(x, by)| x * by).sum();
        predicted - speed.log_gflops_per_core
    }

    fn held_out(self, speeds: &[Speed], together: impl Fn(&Speed, &Speed) -> bool) -> Vec<f64> {
        let judged = speeds.iter().map(|speed| {
            let others: Vec<&Speed> = speeds.iter().filter(|other| !together(speed, other)).collect();
            self.log_ratio(&self.fit(&others), speed)
        });
        judged.collect()
    }
}

impl ApplePrefill {
    pub(super) fn from_tables() -> Self {
        let speeds = m_series_speeds();
        let all: Vec<&Speed> = speeds.iter().collect();
        let newest = speeds.iter().map(|speed| speed.generation).max().unwrap_or(1);
        let (each, trend) = (Generations::Each(newest), Generations::Trend);
        let coefficients = each.fit(&all);
        let mut gflops_per_core: Vec<(u32, f64)> = (1..=newest).zip(coefficients.iter().map(|c| c.exp())).collect();
        gflops_per_core.extend(measured_apart(newest));
        let in_sample: Vec<f64> = speeds.iter().map(|speed| each.log_ratio(&coefficients, speed)).collect();
        let by_chip = each.held_out(&speeds, |a, b| a.chip == b.chip);
        let by_generation = trend.held_out(&speeds, |a, b| a.generation == b.generation);
        let (float, dies) = (coefficients[newest as usize], coefficients[newest as usize + 1]);
        Self {
            gflops_per_core,
            growth: trend.fit(&all)[1].exp(),
            float_factor: float.exp(),
            two_dies_factor: dies.exp(),
            spread: spread(&by_chip).ln().hypot(OTHER_MODEL_SPREAD.ln()).exp(),
            spread_unknown_generation: spread(&by_generation).ln().hypot(OTHER_MODEL_SPREAD.ln()).exp(),
            errors_in_sample: Errors::of(&in_sample),
            errors_chip_held_out: Errors::of(&by_chip),
            errors_generation_held_out: Errors::of(&by_generation),
        }
    }

    /// Effective TFLOP/s of a GPU, and the factor by which nine tenths are off at most; the third is whether this
    /// generation was extrapolated.
    pub(super) fn tflops(&self, generation: u32, gpu_cores: u32, float: bool) -> (f64, f64, bool) {
        let newest = self.gflops_per_core.last().map_or(1, |(newest, _)| *newest);
        let nearest = generation.clamp(1, newest);
        let known = self.gflops_per_core.iter().find(|(g, _)| *g == nearest).map_or(0.0, |(_, per_core)| *per_core);
        let beyond = f64::from(generation) - f64::from(nearest);
        let per_core = known * self.growth.powf(beyond);
        let factor = if float { self.float_factor } else { 1.0 }
            * if gpu_cores > CORES_OF_ONE_DIE { self.two_dies_factor } else { 1.0 };
        // One machine stands behind the generations with matrix units, none behind those to come.
        let single = generation >= MATRIX_GENERATION;
        let spread = if beyond != 0.0 {
            (self.spread_unknown_generation.ln() * (2.0 + beyond)).exp().min(2.5)
        } else if single {
            self.spread_unknown_generation.powi(2)
        } else {
            self.spread
        };
        (f64::from(gpu_cores) * per_core * factor / 1000.0, spread, single)
    }
}

fn m_series_speeds() -> Vec<Speed> {
    let factor = attention_factor(
        m_series::PROMPT_TOKENS,
        m_series::LAYERS,
        Some(m_series::ATTENTION_WIDTH),
        m_series::PARAMETERS_ACTIVE,
    );
    let gflop = 2.0 * m_series::PARAMETERS_ACTIVE as f64 / factor / 1e9;
    let speeds = m_series::table().iter().filter_map(|cell| {
        Some(Speed {
            chip: cell.chip.clone(),
            generation: cell.generation,
            float: cell.weights == Weights::F16,
            two_dies: cell.gpu_cores > CORES_OF_ONE_DIE,
            log_gflops_per_core: (cell.prefill_tokens_per_s? * gflop / f64::from(cell.gpu_cores)).ln(),
        })
    });
    speeds.collect()
}

/// Generations newer than the M-series table that another table has a prefill measurement of.
fn measured_apart(newest: u32) -> Vec<(u32, f64)> {
    let rows = engine_table::rows().iter().filter(|row| row.prefill == Some(Use::Fit));
    let found = rows.filter_map(|row| {
        let generation = row.apple_generation.filter(|generation| *generation > newest)?;
        Some((generation, row.effective_tflops()? * 1000.0 / f64::from(row.gpu_cores?)))
    });
    found.collect()
}

impl CardPrefill {
    pub(super) fn from_table(engine: Engine) -> Self {
        let rows = || engine_table::rows().iter().filter(|r| r.engine == engine && r.prefill == Some(Use::Fit));
        let dense = || rows().filter(|row| row.mixture == 0);
        let tflops: Vec<(String, f64)> =
            dense().filter_map(|row| Some((normalised(&row.machine), row.effective_tflops()?))).collect();
        let mut of_families: BTreeMap<Family, Vec<f64>> = BTreeMap::new();
        for row in dense() {
            if let Some((family, share)) = share_of_vendor(row) {
                of_families.entry(family).or_default().push(share);
            }
        }
        let held_out: Vec<f64> = of_families.values().flat_map(|shares| left_out(shares)).collect();
        let medians = of_families.iter().filter_map(|(family, shares)| Some((*family, median(shares)?.exp())));
        let mixtures: Vec<f64> = rows()
            .filter(|row| row.mixture == 1)
            .filter_map(|row| {
                let card = normalised(&row.machine);
                let (_, dense) = tflops.iter().find(|(name, _)| *name == card)?;
                Some((row.effective_tflops()? / dense).ln())
            })
            .collect();
        Self {
            by_vendor_tflops: medians.collect(),
            mixture_factor: median(&mixtures).map(f64::exp),
            spread_by_vendor: spread(&held_out).max(EXTRAPOLATED_SPREAD),
            errors_by_vendor_held_out: Errors::of(&held_out),
            tflops,
        }
    }
}

/// The logarithm of effective by vendor's figure.
fn share_of_vendor(row: &Row) -> Option<(Family, f64)> {
    Some((family(&row.machine)?, (row.effective_tflops()? / row.fp16_tflops?).ln()))
}

/// For each value, how far the median of the others is off; nothing for a value that is alone.
fn left_out(values: &[f64]) -> Vec<f64> {
    let judged = values.iter().enumerate().map(|(index, value)| {
        let others: Vec<f64> = values.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, v)| *v).collect();
        Some(median(&others)? - value)
    });
    judged.flatten().collect()
}
