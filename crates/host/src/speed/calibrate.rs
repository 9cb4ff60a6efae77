//! The two constants of decoding on one machine, from own runs of models of different size.

use super::robust::{regress, scale_about};
use super::scatter::Scatter;
use serde::{Deserialize, Serialize};

/// Below this ratio between the largest and the smallest model's bytes per layer, reading and overhead cannot be told
/// apart.
const LEAST_RATIO: f64 = 1.5;
/// Bandwidth and overhead.
const UNKNOWNS: usize = 2;
/// The most a reader can exceed the stated bandwidth: tables round, and small models live in caches.
const MOST_EFFICIENCY: f64 = 1.05;

/// `t = bytes / effective_gb_s + layers * overhead`, for dense models that are wholly in the processor's own memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Bandwidth that is reached, in 1e9 bytes per second.
    pub effective_gb_s: f64,
    pub overhead_ms_per_layer: f64,
    /// How many models it comes from.
    pub models: usize,
    /// A next model's measured speed lies, in nine cases of ten, between predicted / spread and predicted * spread.
    pub spread: f64,
}

/// One model's typical token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) bytes: f64,
    pub(super) layers: f64,
    pub(super) measured_ms: f64,
}

impl Calibration {
    pub(super) fn milliseconds(&self, bytes: f64, layers: f64) -> f64 {
        bytes / 1e6 / self.effective_gb_s + layers * self.overhead_ms_per_layer
    }

    /// From one point for each model. `None` where the models are too alike, or where what follows is impossible: an
    /// overhead below zero, or more than the bandwidth of the machine, if that is known.
    pub(super) fn from_points(points: &[Point], bandwidth_gb_s: Option<f64>) -> Option<Self> {
        let per_layer = points.iter().map(|point| point.bytes / point.layers);
        let (least, most) = per_layer.fold((f64::INFINITY, 0.0_f64), |(l, m), x| (l.min(x), m.max(x)));
        if points.len() < UNKNOWNS || most < LEAST_RATIO * least {
            return None;
        }
        let rows: Vec<Vec<f64>> = points
            .iter()
            .map(|point| vec![point.bytes / 1e6 / point.measured_ms, point.layers / point.measured_ms])
            .collect();
        let found = regress(&rows, &vec![1.0; points.len()])?;
        let (per_gb_s, overhead_ms_per_layer) = (found[0], found[1]);
        let possible = per_gb_s > 0.0
            && overhead_ms_per_layer >= 0.0
            && bandwidth_gb_s.is_none_or(|most| 1.0 / per_gb_s <= MOST_EFFICIENCY * most);
        if !possible {
            return None;
        }
        let mut found =
            Self { effective_gb_s: 1.0 / per_gb_s, overhead_ms_per_layer, models: points.len(), spread: 1.0 };
        let residual = |point: &Point| (point.measured_ms / found.milliseconds(point.bytes, point.layers)).ln();
        let residuals: Vec<f64> = points.iter().map(residual).collect();
        found.spread = Scatter::of(scale_about(&residuals, 0.0), points.len(), UNKNOWNS).log_spread.exp();
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(bytes: f64, layers: f64) -> Point {
        Point { bytes, layers, measured_ms: bytes / 1e6 / 90.0 + layers * 0.07 }
    }

    #[test]
    fn two_models_of_different_size_determine_both_constants() {
        let found = Calibration::from_points(&[point(0.4e9, 24.0), point(2.0e9, 36.0)], Some(100.0));
        let found = found.expect("two models, two unknowns");
        assert!((found.effective_gb_s - 90.0).abs() < 1e-6 && (found.overhead_ms_per_layer - 0.07).abs() < 1e-9);
    }

    #[test]
    fn models_of_one_size_determine_nothing() {
        assert_eq!(Calibration::from_points(&[point(1e9, 24.0), point(1.1e9, 24.0)], None), None);
        assert_eq!(Calibration::from_points(&[point(1e9, 24.0)], None), None);
    }

    #[test]
    fn the_impossible_is_not_learned() {
        let points = [point(0.4e9, 24.0), point(2.0e9, 36.0)];
        assert_eq!(Calibration::from_points(&points, Some(50.0)), None, "faster than the memory");
        let slow_when_large = Point { measured_ms: 100.0, ..point(2.0e9, 36.0) };
        assert_eq!(Calibration::from_points(&[point(0.4e9, 24.0), slow_when_large], None), None, "overhead below zero");
    }
}
