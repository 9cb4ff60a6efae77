//! What own runs on a machine teach about predictions for it.

use super::calibrate::{Calibration, Point};
use super::input::{Engine, SpeedInput};
use super::prediction::Estimate;
use super::robust::{location, median, scale_about};
use super::scatter::{PRIOR_SCATTER, Scatter};
use super::{decode, predict::predict, prefill};
use puma_core::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Runs of one model that count: engines change, so the newest.
const NEWEST: usize = 9;
/// From this many runs on, the interval is the learned one.
pub(super) const ENOUGH_RUNS: usize = 3;
/// How far predictions are off for a machine as a whole, as a standard deviation of the logarithm: what is believed
/// before the first run. Chosen: the factor of 1.7 in nine of ten that unmeasured engines are given is 0.32.
const PRIOR_BIAS: f64 = 0.35;
/// Which of the two speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Decode,
    Prefill,
}

/// A speed that was predicted and then measured on this machine. Store it as it is; it is what [`learn`] reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub engine: Engine,
    /// Anything that tells models apart; a digest is best.
    pub model: String,
    pub phase: Phase,
    pub at: Timestamp,
    /// Without any correction; `None` where nothing was known.
    pub predicted_tokens_per_s: Option<f64>,
    pub measured_tokens_per_s: f64,
    /// Work of one token: bytes for decoding, operations for prefill.
    pub work_per_token: f64,
    pub layers: u32,
    /// Of the machine, as far as it was known when the prediction was made.
    pub bandwidth_gb_s: Option<f64>,
    /// Whether the model is dense and wholly in the processor's own memory, so that a calibration may use it.
    pub plain: bool,
}

impl Observation {
    /// Sets a measured speed beside what [`predict`] says today. `None` when the speed is no positive number, or the
    /// work behind it is not known. Leave out runs that were disturbed: they say nothing about the machine.
    pub fn new(
        input: &SpeedInput,
        phase: Phase,
        model: impl Into<String>,
        at: Timestamp,
        measured_tokens_per_s: f64,
    ) -> Option<Self> {
        if !(measured_tokens_per_s.is_finite() && measured_tokens_per_s > 0.0) {
            return None;
        }
        let prediction = predict(input);
        let (predicted, work_per_token) = match phase {
            Phase::Decode => (
                prediction.decode.estimate().map(|estimate| estimate.tokens_per_s),
                decode::bytes_per_token(input) as f64,
            ),
            Phase::Prefill => (
                prediction.prefill.estimate().map(|estimate| estimate.tokens_per_s),
                prefill::terms(input).ok().map(|(parameters, factor)| 2.0 * parameters as f64 / factor)?,
            ),
        };
        (work_per_token > 0.0).then(|| Self {
            engine: input.engine,
            model: model.into(),
            phase,
            at,
            predicted_tokens_per_s: predicted,
            measured_tokens_per_s,
            work_per_token,
            layers: input.layers,
            bandwidth_gb_s: input.bandwidth_gb_s.as_ref().map(|reading| reading.value),
            plain: is_plain(input),
        })
    }

    fn is_sound(&self) -> bool {
        let sound = |value: f64| value.is_finite() && value > 0.0;
        sound(self.measured_tokens_per_s)
            && sound(self.work_per_token)
            && self.predicted_tokens_per_s.is_none_or(sound)
            && self.bandwidth_gb_s.is_none_or(sound)
    }
}

pub(super) fn is_plain(input: &SpeedInput) -> bool {
    let elsewhere = input.offload.is_some() || input.paging.is_some();
    !elsewhere && !input.mixture_of_experts && input.layers > 0
}

/// What the runs of one engine say about one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    pub engine: Engine,
    pub phase: Phase,
    /// Multiplies a prediction; 1 without runs.
    pub factor: f64,
    /// A next model's measured speed lies, in nine cases of ten, between corrected / spread and corrected * spread.
    pub spread: f64,
    pub runs: usize,
    pub models: usize,
    /// Work per second that was reached: bytes for decoding, operations for prefill. For models of which nothing else
    /// can be predicted.
    pub work_per_s: f64,
    /// Of `work_per_s`, like `spread`.
    pub work_spread: f64,
}

/// Everything learned on a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// In the order of engines and phases.
    pub factors: Vec<Factor>,
    /// Engines of which models of different size were run.
    pub calibrations: Vec<(Engine, Calibration)>,
}

/// Learns from all observations of one machine, in any order. The typical log ratio of measured to predicted over
/// models (each the median of its newest runs; Huber's location, so one wild model weighs little) is shrunk towards 0
/// by what was believed before.
pub fn learn(observations: &[Observation]) -> Correction {
    let sound: Vec<&Observation> = observations.iter().filter(|observation| observation.is_sound()).collect();
    let keys: BTreeSet<(Engine, Phase)> = sound.iter().map(|o| (o.engine, o.phase)).collect();
    let mut correction = Correction::default();
    for (engine, phase) in keys {
        let mut models: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
        for observation in sound.iter().filter(|o| (o.engine, o.phase) == (engine, phase)) {
            models.entry(&observation.model).or_default().push(observation);
        }
        for runs in models.values_mut() {
            runs.sort_by(|a, b| order(b, a));
            runs.truncate(NEWEST);
        }
        correction.factors.push(factor(engine, phase, &models));
        if phase == Phase::Decode
            && let Some(calibration) = calibrate(&models)
        {
            correction.calibrations.push((engine, calibration));
        }
    }
    correction
}

/// By time, then by value, so that the order of the input makes no difference.
fn order(a: &Observation, b: &Observation) -> std::cmp::Ordering {
    let ratio = |o: &Observation| o.measured_tokens_per_s / o.predicted_tokens_per_s.unwrap_or(1.0);
    a.at.cmp(&b.at)
        .then(ratio(a).total_cmp(&ratio(b)))
        .then(a.work_per_token.total_cmp(&b.work_per_token))
        .then(a.measured_tokens_per_s.total_cmp(&b.measured_tokens_per_s))
}

fn factor(engine: Engine, phase: Phase, models: &BTreeMap<&str, Vec<&Observation>>) -> Factor {
    let medians = |of: &dyn Fn(&Observation) -> Option<f64>| -> Vec<f64> {
        models.values().filter_map(|runs| median(&runs.iter().filter_map(|run| of(run)).collect::<Vec<_>>())).collect()
    };
    let ratios = medians(&|run| Some((run.measured_tokens_per_s / run.predicted_tokens_per_s?).ln()));
    let works = medians(&|run| Some((run.measured_tokens_per_s * run.work_per_token).ln()));
    let bias = Learned::from(&ratios);
    let work = Learned::from(&works);
    Factor {
        engine,
        phase,
        factor: (bias.location * bias.trust).exp(),
        spread: bias.spread.exp(),
        runs: models.values().map(Vec::len).sum(),
        models: models.len(),
        work_per_s: work.location.exp(),
        work_spread: work.spread.exp(),
    }
}

/// A location of logarithms with its uncertainty.
struct Learned {
    location: f64,
    /// 0 for none, towards 1 for many.
    trust: f64,
    /// Half of the 90 % interval of the next value.
    spread: f64,
}

impl Learned {
    /// `logs`: one for each model.
    fn from(logs: &[f64]) -> Self {
        let Some(location) = location(logs, PRIOR_SCATTER) else {
            return Self {
                location: 0.0,
                trust: 0.0,
                spread: Scatter::before_any().log_spread.hypot(1.645 * PRIOR_BIAS),
            };
        };
        let scatter = Scatter::of(scale_about(logs, location), logs.len(), 1);
        let of_location = scatter.variance / logs.len() as f64;
        let trust = PRIOR_BIAS.powi(2) / (PRIOR_BIAS.powi(2) + of_location);
        Self { location, trust, spread: scatter.log_spread }
    }
}

fn calibrate(models: &BTreeMap<&str, Vec<&Observation>>) -> Option<Calibration> {
    let points: Vec<Point> = models
        .values()
        .filter_map(|runs| {
            let plain: Vec<&&Observation> = runs.iter().filter(|run| run.plain).collect();
            // The work differs a little between runs of a model, with the length of their context.
            let of =
                |value: &dyn Fn(&Observation) -> f64| median(&plain.iter().map(|run| value(run)).collect::<Vec<_>>());
            Some(Point {
                bytes: of(&|run| run.work_per_token)?,
                layers: f64::from(plain.first()?.layers),
                measured_ms: 1000.0 / of(&|run| run.measured_tokens_per_s)?,
            })
        })
        .collect();
    let bandwidths: Vec<f64> = models.values().flatten().filter_map(|run| run.bandwidth_gb_s).collect();
    Calibration::from_points(&points, median(&bandwidths))
}

impl Factor {
    /// What is left of a prediction's interval when `learned` is that of the runs: the learned one after enough runs,
    /// before that the wider of the two.
    pub(super) fn spread_after<T>(&self, raw: &Estimate<T>, learned: f64) -> f64 {
        let before = raw.high / raw.tokens_per_s;
        if self.runs >= ENOUGH_RUNS { learned } else { learned.max(before) }
    }
}
