//! The one shape all quantised formats decode into, and the facts the kernels need about each format.

use crate::TensorType;

/// Weights in one group; also the length of an activation block.
pub const GROUP_LEN: usize = 32;

/// 32 consecutive weights of a row.
///
/// Weight `j` is `d * scales[j / 16] * (value(quants[j]) - ZERO) + m * minimums[j / 16]`, with `value` and `ZERO` of the
/// [`Format`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// As stored: not negative, except in `Q8_0` and `Q8_K`; codes where the format has a [`Format::CODEBOOK`].
    pub quants: [i8; GROUP_LEN],
    /// Float scale of the quants.
    pub d: f32,
    /// Float scale of the minimums; negative zero or below where the format subtracts them.
    pub m: f32,
    /// Integer scale of each half; 1 in formats without them.
    pub scales: [i16; 2],
    /// Integer minimum of each half; 1 in formats with one float minimum, 0 in formats with none.
    pub minimums: [i16; 2],
}

impl Group {
    /// Nothing: contributes zero.
    pub const EMPTY: Self = Self { quants: [0; GROUP_LEN], d: 0.0, m: 0.0, scales: [0; 2], minimums: [0; 2] };
}

/// What is added to a group beside its scaled quants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minimum {
    /// Nothing.
    None,
    /// `m` for each weight.
    Whole,
    /// `m * minimums[half]` for each weight.
    Scaled,
}

/// A quantised tensor type: its facts, known at compile time, and its decoder.
///
/// Two sums are formed from a group and an activation block `x` (quants in -127..=127):
/// `I = sum over halves of scales[h] * sum of (value(quants[j]) - ZERO) * x[j]` and
/// `M = sum over halves of minimums[h] * sum of x[j]`. Both stay below 2^24, so that their conversion to f32 is exact;
/// each implementation carries the proof for `I`. For `M`: at most 2 * 63 * 16 * 127 = 256,032.
pub trait Format {
    /// The tensor type this describes.
    const KIND: TensorType;
    /// Groups in one block.
    const GROUPS: usize = Self::BLOCK_LEN / GROUP_LEN;
    /// Weights in one block.
    const BLOCK_LEN: usize;
    /// Bytes of one block.
    const BLOCK_BYTES: usize;
    /// What is subtracted from each value; 0 where there is a code book.
    const ZERO: i32;
    /// Bits a stored quant needs: 2, 3, 4, 5, 6 or 8.
    const QUANT_BITS: u32;
    /// The value of each stored quant where it is a code; otherwise a quant is its own value.
    const CODEBOOK: Option<[i8; 16]> = None;
    /// Whether values can be negative (then down to -128).
    const SIGNED: bool = false;
    /// Whether the halves have integer scales.
    const SCALED: bool;
    /// Whether the two halves of a group can have different scales or minimums.
    const HALVES: bool = false;
    /// Whether `d` and `m` are exact in binary16.
    const D_IS_HALF: bool = true;
    /// What is added.
    const MINIMUM: Minimum;

    /// Decodes one block of [`BLOCK_BYTES`](Self::BLOCK_BYTES) bytes into [`GROUPS`](Self::GROUPS) groups.
    fn decode(block: &[u8], groups: &mut [Group]);

    /// What a stored quant stands for.
    #[inline(always)]
    fn value(quant: i8) -> i8 {
        match Self::CODEBOOK {
            Some(values) => values[usize::from(quant as u8 & 15)],
            None => quant,
        }
    }
}

/// The quants that `quant` makes of 32 bytes. A loop, because `array::map` is not always inlined, which costs its callers
/// their vector instructions.
#[inline(always)]
pub(crate) fn quants_of(bytes: &[u8; GROUP_LEN], quant: impl Fn(u8) -> u8) -> [i8; GROUP_LEN] {
    let mut quants = [0i8; GROUP_LEN];
    for (quant_out, byte) in quants.iter_mut().zip(bytes) {
        *quant_out = quant(*byte) as i8;
    }
    quants
}

/// Reads a little-endian binary16 at `at`.
#[inline(always)]
pub(crate) fn half_at(block: &[u8], at: usize) -> f32 {
    crate::math::half::f16_to_f32(u16::from_le_bytes([block[at], block[at + 1]]))
}
