//! Activations as integers: blocks of 32 signed bytes with one float scale.

use crate::block::format::GROUP_LEN;

/// 32 consecutive activations of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationGroup {
    /// In -127..=127, so that sums of products with weights keep their proven ranges.
    pub quants: [i8; GROUP_LEN],
    /// Sum of the quants of each half; at most 16 * 127 = 2,032 in size.
    pub halves: [i32; 2],
    /// Sum of all quants.
    pub total: i32,
    /// Scale: value `i` is about `quants[i] * d`.
    pub d: f32,
}

impl ActivationGroup {
    /// All zeros.
    pub const ZERO: Self = Self { quants: [0; GROUP_LEN], halves: [0; 2], total: 0, d: 0.0 };
}

/// Below this largest magnitude a block counts as zeros: `127 / amax` would overflow further down.
const SMALLEST: u32 = 0x0d80_0000; // 2^-100
/// Infinity; magnitudes from here up are not finite.
const INFINITY: u32 = 0x7f80_0000;
/// 1.5 * 2^23: adding it rounds to an integer, half to even, kept in the low bits.
const ROUND: f32 = 12_582_912.0;

/// Quantises `values` into blocks of 32.
///
/// Shapes: `values` `[n]`, `out` `[n / 32]`. `amax` is the largest magnitude of the block, `d = amax / 127`,
/// `quant = round_half_even(value * (127 / amax))`. A block whose largest magnitude is below 2^-100 is all zeros with
/// `d = 0`; a block that holds an infinity or NaN has zero quants and `d` NaN, so that the outputs it reaches are NaN.
/// Panics if the lengths do not fit.
#[inline(always)]
pub fn quantise(values: &[f32], out: &mut [ActivationGroup]) {
    assert_eq!(values.len(), out.len() * GROUP_LEN, "activations are no whole number of groups");
    let (blocks, _) = values.as_chunks::<GROUP_LEN>();
    for (block, group) in blocks.iter().zip(out) {
        *group = quantise_block(block);
    }
}

#[inline(always)]
fn quantise_block(values: &[f32; GROUP_LEN]) -> ActivationGroup {
    // Magnitudes compare as integers; that orders NaN above infinity and needs no float comparison.
    let mut largest = 0u32;
    for value in values {
        largest = largest.max(value.to_bits() & 0x7fff_ffff);
    }
    if largest < SMALLEST {
        return ActivationGroup::ZERO;
    }
    if largest >= INFINITY {
        return ActivationGroup { d: f32::NAN, ..ActivationGroup::ZERO };
    }
    let largest = f32::from_bits(largest);
    let inverse = 127.0 / largest;
    let mut quants = [0i8; GROUP_LEN];
    for i in 0..GROUP_LEN {
        let rounded = values[i] * inverse + ROUND;
        quants[i] = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) as i8;
    }
    let mut halves = [0i32; 2];
    for i in 0..GROUP_LEN / 2 {
        halves[0] += i32::from(quants[i]);
        halves[1] += i32::from(quants[i + GROUP_LEN / 2]);
    }
    ActivationGroup { quants, halves, total: halves[0] + halves[1], d: largest / 127.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(values: [f32; 32]) -> ActivationGroup {
        let mut out = [ActivationGroup::ZERO];
        quantise(&values, &mut out);
        out[0]
    }

    #[test]
    fn zeros_tiny_and_non_finite_blocks_have_fixed_answers() {
        assert_eq!(one([0.0; 32]), ActivationGroup::ZERO);
        assert_eq!(one([1e-40; 32]), ActivationGroup::ZERO);
        let mut values = [1.0; 32];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            values[5] = bad;
            let group = one(values);
            assert!(group.d.is_nan() && group.quants == [0; 32]);
        }
    }

    #[test]
    fn halves_round_to_even() {
        let mut values = [0.0; 32];
        values[0] = 127.0;
        (values[1], values[2], values[3], values[4]) = (0.5, 1.5, 2.5, -2.5);
        let group = one(values);
        assert_eq!(group.quants[..5], [127, 0, 2, 2, -2]);
        assert_eq!((group.d, group.halves, group.total), (1.0, [129, 0], 129));
    }

    proptest! {
        #[test]
        fn every_value_is_within_half_a_step(values in proptest::array::uniform32(-1e4f32..1e4)) {
            let group = one(values);
            for (value, quant) in values.iter().zip(group.quants) {
                prop_assert!(quant != -128);
                prop_assert!((value - f32::from(quant) * group.d).abs() <= group.d * 0.501);
            }
            let total: i32 = group.quants.iter().map(|&quant| i32::from(quant)).sum();
            prop_assert_eq!((total, total), (group.total, group.halves[0] + group.halves[1]));
        }
    }
}
