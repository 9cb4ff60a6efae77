//! The angles of rotary position embedding, computed in f64 with the engine's own functions.

use crate::config::{AttentionTemperature, Rope, RopeLayout, RopeScaling};
use crate::model::Model;
use puma_kernels::float::rope::{rotate_halves, rotate_interleaved};
use puma_kernels::math::{ln::ln, pow::pow, sin_cos::sin_cos};

/// Everything a model makes of a position.
#[derive(Debug)]
pub(crate) struct Rotations {
    /// One for each of the configuration's `ropes`.
    each: Vec<Rotation>,
    temperature: Option<AttentionTemperature>,
}

/// What one position does to queries and keys.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// For each rotation.
    angles: Vec<Angles>,
    /// Factor of queries.
    pub(super) query_scale: f32,
}

impl Rotations {
    /// The rotations of `model` in a window of `context_length` tokens, which chooses among LongRoPE's divisors.
    pub(crate) fn of(model: &Model, context_length: usize) -> Self {
        let config = model.config();
        let divisors = model.rope_divisors(context_length);
        let each = config.ropes.iter().map(|rope| Rotation::new(rope, divisors)).collect();
        Self { each, temperature: config.attention_temperature }
    }

    /// What `position` does.
    pub(super) fn turn(&self, position: usize) -> Turn {
        let angles = self.each.iter().map(|rotation| rotation.angles(position)).collect();
        let query_scale = self.temperature.map_or(1.0, |AttentionTemperature { scale, floor }| {
            let floors = (position / floor as usize) as f64;
            (1.0 + f64::from(scale) * ln(1.0 + floors)) as f32
        });
        Turn { angles, query_scale }
    }

    /// Rotates every head of `heads`, `[heads][head_len]`, by rotation `index` of `turn`.
    pub(super) fn rotate(&self, heads: &mut [f32], head_len: usize, turn: &Turn, index: usize) {
        let Angles { cos, sin } = &turn.angles[index];
        for head in heads.chunks_exact_mut(head_len) {
            match self.each[index].layout {
                RopeLayout::Interleaved => rotate_interleaved(head, cos, sin),
                RopeLayout::Halves => rotate_halves(head, cos, sin),
            }
        }
    }
}

/// The frequencies of a model: pair `i` turns by `position * frequencies[i]`.
#[derive(Debug)]
struct Rotation {
    layout: RopeLayout,
    frequencies: Vec<f64>,
    /// Factor of cosine and sine.
    length: f64,
}

/// Cosines and sines of one position.
#[derive(Clone, Debug)]
struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotation {
    /// `divisors` are the model's own, one for each pair.
    ///
    /// Frequency `i` is `freq_base^(-2i/n) / divisor[i]`, then divided by the factor of the scaling; with YaRN the
    /// divided and the original frequency are mixed by a ramp over `i`, as in llama.cpp.
    fn new(rope: &Rope, divisors: Option<&[f32]>) -> Self {
        let pairs = rope.dimension_count / 2;
        let (factor, length) = match rope.scaling {
            RopeScaling::None | RopeScaling::Long => (1.0, 1.0),
            RopeScaling::Linear { factor } => (f64::from(factor), 1.0),
            RopeScaling::Yarn { factor, log_multiplier, .. } => {
                let longer = |share: f64| 1.0 + share * ln(f64::from(factor));
                (f64::from(factor), longer(0.1) / longer(0.1 * f64::from(log_multiplier)))
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
        Self { layout: rope.layout, frequencies, length: f64::from(rope.attn_factor) * length }
    }

    /// Cosines and sines at `position`, rounded to f32.
    fn angles(&self, position: usize) -> Angles {
        let turn = |frequency: &f64| {
            let (sin, cos) = sin_cos(position as f64 * frequency);
            ((cos * self.length) as f32, (sin * self.length) as f32)
        };
        let (cos, sin) = self.frequencies.iter().map(turn).unzip();
        Angles { cos, sin }
    }
}

/// YaRN's ramp: the share of pair `i`'s original frequency that is kept, 1 for high frequencies, 0 for low ones.
fn kept_share(rope: &Rope, i: usize) -> f64 {
    let RopeScaling::Yarn { beta_fast, beta_slow, .. } = rope.scaling else { return 0.0 };
    let n = rope.dimension_count as f64;
    // The pair that makes `turns` turns over the original context.
    let pair = |turns: f32| {
        let wavelengths = f64::from(rope.original_context) / (f64::from(turns) * 2.0 * std::f64::consts::PI);
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
        Rope {
            layout: RopeLayout::Halves,
            freq_base: 10_000.0,
            dimension_count: 64,
            scaling,
            original_context: 2048,
            attn_factor: 1.0,
        }
    }

    #[test]
    fn linear_scaling_is_a_smaller_position() {
        let plain = Rotation::new(&rope(RopeScaling::None), None);
        let linear = Rotation::new(&rope(RopeScaling::Linear { factor: 4.0 }), None);
        assert_eq!(plain.angles(25).cos, linear.angles(100).cos);
    }

    #[test]
    fn yarn_keeps_high_frequencies_and_divides_low_ones() {
        let yarn = |log_multiplier| {
            let scaling = RopeScaling::Yarn { factor: 8.0, beta_fast: 32.0, beta_slow: 1.0, log_multiplier };
            Rotation::new(&rope(scaling), None)
        };
        let (plain, unlengthened, yarn) = (Rotation::new(&rope(RopeScaling::None), None), yarn(1.0), yarn(0.0));
        assert_eq!(yarn.frequencies[0], plain.frequencies[0]);
        assert_eq!(yarn.frequencies[31], plain.frequencies[31] / 8.0);
        assert!((yarn.length - (1.0 + 0.1 * 8f64.ln())).abs() < 1e-12);
        assert_eq!((unlengthened.length, unlengthened.frequencies), (1.0, yarn.frequencies));
    }

    #[test]
    fn the_temperature_grows_by_a_logarithm_at_every_floor() {
        let temperature = Some(AttentionTemperature { scale: 0.1, floor: 100 });
        let rotations = Rotations { each: Vec::new(), temperature };
        let scale = |position| rotations.turn(position).query_scale;
        assert_eq!((scale(0), scale(99)), (1.0, 1.0));
        assert!((scale(100) - (1.0 + 0.1 * 2f32.ln())).abs() < 1e-6);
        assert_eq!(scale(100), scale(199));
        assert!((scale(950) - (1.0 + 0.1 * 10f32.ln())).abs() < 1e-6);
    }
}
