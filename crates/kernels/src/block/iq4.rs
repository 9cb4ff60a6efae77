//! `IQ4_NL` and `IQ4_XS`: weights of four bits that choose one of 16 unevenly spaced numbers.
//!
//! `IQ4_NL`, 32 weights: binary16 `d`, 16 bytes of codes. `IQ4_XS`, 256 weights: binary16 `d`, 16 bits of upper scale bits,
//! 4 bytes of lower ones, 128 bytes of codes. In both, byte `j` of a group's 16 holds code `j` in its low and code `j + 16`
//! in its high nibble. The six-bit scale of group `g` of `IQ4_XS` is nibble `g` of the lower bits (low nibble first) and
//! bits `2g..2g+2` of the little-endian upper bits; 32 is subtracted.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at};
use crate::block::q4::nibbles;

/// The numbers that codes stand for.
const VALUES: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// `d * value(q)`. `|I| <= 32 * 127 * 127 = 516,128`.
pub struct IQ4NL;

/// `d * (scale - 32) * value(q)`. `|I| <= 32 * 32 * 127 * 127 = 16,516,096 < 2^24`.
pub struct IQ4XS;

const _: () = assert!(IQ4NL::BLOCK_BYTES == 18 && IQ4XS::BLOCK_BYTES == 136);

impl Format for IQ4NL {
    const KIND: TensorType = TensorType::IQ4NL;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 2 + 16;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 4;
    const CODEBOOK: Option<[i8; 16]> = Some(VALUES);
    const SIGNED: bool = true;
    const SCALED: bool = false;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let bytes = block[2..].first_chunk::<16>().expect("a block has its full length");
        groups[0] = Group { quants: nibbles(bytes), d: half_at(block, 0), m: 0.0, scales: [1; 2], minimums: [0; 2] };
    }
}

impl Format for IQ4XS {
    const KIND: TensorType = TensorType::IQ4XS;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 2 + 2 + 4 + 128;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 4;
    const CODEBOOK: Option<[i8; 16]> = Some(VALUES);
    const SIGNED: bool = true;
    const SCALED: bool = true;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let d = half_at(block, 0);
        let uppers = u16::from_le_bytes([block[2], block[3]]);
        for (g, group) in groups.iter_mut().enumerate() {
            let lower = (block[4 + g / 2] >> (4 * (g % 2))) & 15;
            let upper = (uppers >> (2 * g)) & 3;
            let scale = (i16::from(lower) | (upper << 4) as i16) - 32;
            let bytes = block[8 + 16 * g..].first_chunk::<16>().expect("a block has its full length");
            *group = Group { quants: nibbles(bytes), d, m: 0.0, scales: [scale; 2], minimums: [0; 2] };
        }
    }
}
