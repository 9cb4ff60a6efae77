//! Rotary position embedding: what is rotated, and how positions are stretched.

use super::keys::Keys;
use crate::error::EngineError;

/// Which numbers of a head form a pair that is rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeLayout {
    /// `2i` and `2i + 1` (NORM); GGUF files of `llama` are permuted for it.
    Interleaved,
    /// `i` and `i + n/2` (NEOX).
    Halves,
}

/// How positions are stretched beyond the context of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    None,
    /// Positions are divided by `factor`.
    Linear {
        factor: f32,
    },
    /// Low frequencies are divided, high ones kept, and the rotation is made longer.
    /// Source: Peng et al. 2023, "YaRN: Efficient Context Window Extension of Large Language Models".
    Yarn {
        factor: f32,
        beta_fast: f32,
        beta_slow: f32,
        /// Share of the logarithm by which the lengthening is taken back (`rope.scaling.yarn_log_multiplier`); 0 takes
        /// back nothing, 1 all.
        log_multiplier: f32,
    },
    /// Every frequency has a divisor of its own, of two sets one for windows beyond the original context. The divisors
    /// are the tensors `rope_factors_long.weight` and `rope_factors_short.weight`.
    /// Source: Ding et al. 2024, "LongRoPE: Extending LLM Context Window Beyond 2 Million Tokens".
    Long,
}

/// Rotary position embedding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rope {
    pub layout: RopeLayout,
    pub freq_base: f32,
    /// Numbers of each head that are rotated, from its start.
    pub dimension_count: usize,
    pub scaling: RopeScaling,
    /// Context length before stretching, in tokens.
    pub original_context: u32,
    /// Factor of the rotation's length, beside the scaling's own.
    pub attn_factor: f32,
}

impl Rope {
    /// Reads and checks the keys `rope.*` for heads of `key_length` numbers.
    pub(super) fn read(
        keys: &Keys<'_>,
        layout: RopeLayout,
        key_length: usize,
        context_length: usize,
    ) -> Result<Self, EngineError> {
        let dimension_count = keys.ranged("rope.dimension_count", 2..=1024)?.unwrap_or(key_length);
        if dimension_count > key_length || !dimension_count.is_multiple_of(2) {
            let message = format!("{dimension_count} rotated numbers do not fit heads of {key_length}");
            return Err(keys.error("rope.dimension_count", message));
        }
        let original = keys.ranged("rope.scaling.original_context_length", 1..=1 << 24)?.unwrap_or(context_length);
        Ok(Self {
            layout,
            freq_base: freq_base(keys, "rope.freq_base")?.unwrap_or(10_000.0),
            dimension_count,
            scaling: scaling(keys)?,
            original_context: u32::try_from(original).expect("the range ends at 2^24"),
            attn_factor: keys.positive("rope.scaling.attn_factor")?.unwrap_or(1.0),
        })
    }
}

/// The base under `key`, if the file has one.
pub(super) fn freq_base(keys: &Keys<'_>, key: &str) -> Result<Option<f32>, EngineError> {
    match keys.float(key)? {
        Some(base) if !(base > 1.0 && base < 1e12) => Err(keys.error(key, format!("{base} is not a usable base"))),
        base => Ok(base),
    }
}

fn scaling(keys: &Keys<'_>) -> Result<RopeScaling, EngineError> {
    let factor = match keys.float("rope.scaling.factor")? {
        Some(factor) => Some(factor),
        None => keys.float("rope.scale_linear")?,
    };
    // 0 means absent, as in llama.cpp.
    let factor = factor.filter(|&factor| factor != 0.0).unwrap_or(1.0);
    if !(factor > 0.0 && factor < 1e6) {
        return Err(keys.error("rope.scaling.factor", format!("{factor} is not a usable factor")));
    }
    let kind = keys.metadata.string(&keys.name("rope.scaling.type"))?.unwrap_or("linear");
    match kind {
        "none" => Ok(RopeScaling::None),
        "linear" if factor == 1.0 => Ok(RopeScaling::None),
        "linear" => Ok(RopeScaling::Linear { factor }),
        "yarn" => Ok(RopeScaling::Yarn {
            factor,
            beta_fast: keys.float("rope.scaling.yarn_beta_fast")?.unwrap_or(32.0),
            beta_slow: keys.float("rope.scaling.yarn_beta_slow")?.unwrap_or(1.0),
            log_multiplier: keys.float("rope.scaling.yarn_log_multiplier")?.unwrap_or(0.0),
        }),
        "longrope" if factor == 1.0 => Ok(RopeScaling::Long),
        "longrope" => {
            let message = format!("the factor {factor} together with divisors of its own for every frequency");
            Err(keys.unsupported("rope.scaling.factor", format!("{message} is not supported")))
        }
        other => Err(keys.unsupported("rope.scaling.type", format!("the scaling `{other}` is not supported"))),
    }
}
