//! `MXFP4`: 32 four-bit floats (E2M1) with a power of two as their scale (E8M0).
//!
//! One byte of exponent `e`, 16 bytes; byte `j` holds weight `j` in its low and weight `j + 16` in its high nibble.
//! Source: OCP Microscaling Formats (MX) Specification 1.0. As in ggml, codes stand for the doubled numbers, so that they are
//! integers, and the scale is halved: `2^(e - 128)`. The specification's NaN scale, `e` = 255, is read as `2^127`, as ggml
//! does.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum};
use crate::block::q4::nibbles;

/// `2^(e - 128) * value(q)`. `|I| <= 32 * 12 * 127 = 48,768`.
pub struct MXFP4;

const _: () = assert!(MXFP4::BLOCK_BYTES == 17);

/// `2^(e - 128)`: exact for every `e`; the two smallest are subnormal.
#[inline(always)]
fn scale(e: u8) -> f32 {
    f32::from_bits(if e < 2 { 0x0020_0000 << e } else { u32::from(e - 1) << 23 })
}

impl Format for MXFP4 {
    const KIND: TensorType = TensorType::MXFP4;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 1 + 16;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 4;
    const CODEBOOK: Option<[i8; 16]> = Some([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]);
    const SIGNED: bool = true;
    const SCALED: bool = false;
    const D_IS_HALF: bool = false;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let bytes = block[1..].first_chunk::<16>().expect("a block has its full length");
        groups[0] = Group { quants: nibbles(bytes), d: scale(block[0]), m: 0.0, scales: [1; 2], minimums: [0; 2] };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_the_powers_of_two_from_minus_128() {
        let mut power = 1.0f64;
        for _ in 0..128 {
            power /= 2.0;
        }
        for e in 0..=255 {
            assert_eq!(f64::from(scale(e)), power, "{e}");
            power *= 2.0;
        }
    }
}
