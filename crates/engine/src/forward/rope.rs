//! The angles of rotary position embedding, computed in f64 with the engine's own functions.

use crate::config::{Rope, RopeLayout, RopeScaling};
use puma_kernels::float::rope::{rotate_halves, rotate_interleaved};
use puma_kernels::math::{ln::ln, pow::pow, sin_cos::sin_cos};

/// The frequencies of a model: pair `i` turns by `position * frequencies[i]`.
#[derive(Debug)]
pub(crate) struct Rotation {
    layout: RopeLayout,
    frequencies: Vec<f64>,
    /// Factor of cosine and sine; 1 except with YaRN.
    length: f64,
}

/// Cosines and sines of one position.
#[derive(Clone, Debug)]
pub(crate) struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotation {
    /// `divisors` are the model's `rope_freqs.weight`, one for each pair.
    ///
    /// Frequency `i` is `freq_base^(-2i/n) / divisor[i]`, then divided by the factor of the scaling; with YaRN the
    /// divided and the original frequency are mixed by a ramp over `i`, as in llama.cpp.
    pub(crate) fn new(rope: &Rope, divisors: Option<&[f32]>) -> Self {
        let pairs = rope.dimension_count / 2;
        let (factor, length) = match rope.scaling {
            RopeScaling::None => (1.0, 1.0),
            RopeScaling::Linear { factor } => (f64::from(factor), 1.0),
            RopeScaling::Yarn { factor, attn_factor, .. } => {
                (f64::from(factor), f64::from(attn_factor) * (1.0 + 0.1 * ln(f64::from(factor))))
            }
        };
        let frequencies = (0..pairs)
            .map(|i| {
                let divisor = divisors.map_or(1.0, |divisors| f64::from(divisors[i]));
                let plain = pow(f64::from(rope.freq_base), -((2 * i) as f64) / rope.dimension_count as f64) / divisor;
                let kept = kept_share(rope, i);
                plain / factor * (1.0 - kept) + plain * kept
            })
            .collect();
        Self { layout: rope.layout, frequencies, length }
    }

    /// Cosines and sines at `position`, rounded to f32.
    pub(crate) fn angles(&self, position: usize) -> Angles {
        let turn = |frequency: &f64| {
            let (sin, cos) = sin_cos(position as f64 * frequency);
            ((cos * self.length) as f32, (sin * self.length) as f32)
        };
        let (cos, sin) = self.frequencies.iter().map(turn).unzip();
        Angles { cos, sin }
    }

    /// Rotates every head of `heads`, `[heads][head_len]`.
    pub(crate) fn rotate(&self, heads: &mut [f32], head_len: usize, angles: &Angles) {
        for head in heads.chunks_exact_mut(head_len) {
            match self.layout {
                RopeLayout::Interleaved => rotate_interleaved(head, &angles.cos, &angles.sin),
                RopeLayout::Halves => rotate_halves(head, &angles.cos, &angles.sin),
            }
        }
    }
}

/// YaRN's ramp: the share of pair `i`'s original frequency that is kept, 1 for high frequencies, 0 for low ones.
fn kept_share(rope: &Rope, i: usize) -> f64 {
    let RopeScaling::Yarn { original_context, beta_fast, beta_slow, .. } = rope.scaling else { return 0.0 };
    let n = rope.dimension_count as f64;
    // The pair that makes `turns` turns over the original context.
    let pair = |turns: f32| {
        let wavelengths = f64::from(original_context) / (f64::from(turns) * 2.0 * std::f64::consts::PI);
        n * ln(wavelengths) / (2.0 * ln(f64::from(rope.freq_base)))
    };
    let (low, high) = (floor(pair(beta_fast)).max(0.0), (-floor(-pair(beta_slow))).min(n - 1.0));
    let ramp = (i as f64 - low) / (high - low).max(0.001);
    1.0 - ramp.clamp(0.0, 1.0)
}

/// The largest integer not above `x`, for sizes where an i64 holds it.
fn floor(x: f64) -> f64 {
    let whole = x as i64 as f64;
    if whole > x { whole - 1.0 } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope(scaling: RopeScaling) -> Rope {
        Rope { layout: RopeLayout::Halves, freq_base: 10_000.0, dimension_count: 64, scaling }
    }

    #[test]
    fn linear_scaling_is_a_smaller_position() {
        let plain = Rotation::new(&rope(RopeScaling::None), None);
        let linear = Rotation::new(&rope(RopeScaling::Linear { factor: 4.0 }), None);
        assert_eq!(plain.angles(25).cos, linear.angles(100).cos);
    }

    #[test]
    fn yarn_keeps_high_frequencies_and_divides_low_ones() {
        let scaling = RopeScaling::Yarn {
            factor: 8.0,
            original_context: 2048,
            attn_factor: 1.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
        };
        let (plain, yarn) = (Rotation::new(&rope(RopeScaling::None), None), Rotation::new(&rope(scaling), None));
        assert_eq!(yarn.frequencies[0], plain.frequencies[0]);
        assert_eq!(yarn.frequencies[31], plain.frequencies[31] / 8.0);
        assert!((yarn.length - (1.0 + 0.1 * 8f64.ln())).abs() < 1e-12);
    }
}
