//! `Q4_0` and `Q4_1`: 32 weights of four bits.
//!
//! `Q4_0`: binary16 `d`, 16 bytes. `Q4_1`: binary16 `d`, binary16 `m`, 16 bytes. Byte `j` holds weight `j` in its low
//! and weight `j + 16` in its high nibble.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at};

/// `d * (q - 8)`. `|I| <= 32 * 8 * 127 = 32,512`.
pub struct Q4_0;

/// `d * q + m`. `I <= 32 * 15 * 127 = 60,960`.
pub struct Q4_1;

const _: () = assert!(Q4_0::BLOCK_BYTES == 18 && Q4_1::BLOCK_BYTES == 20);

/// Spreads 16 bytes into 32 nibbles.
#[inline(always)]
pub(crate) fn nibbles(bytes: &[u8; 16]) -> [i8; 32] {
    let mut quants = [0i8; 32];
    for j in 0..16 {
        quants[j] = (bytes[j] & 15) as i8;
        quants[j + 16] = (bytes[j] >> 4) as i8;
    }
    quants
}

impl Format for Q4_0 {
    const KIND: TensorType = TensorType::Q4_0;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 2 + 16;
    const ZERO: i32 = 8;
    const QUANT_BITS: u32 = 4;
    const SCALED: bool = false;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let bytes = block[2..].first_chunk::<16>().expect("a block has its full length");
        let (quants, d) = (nibbles(bytes), half_at(block, 0));
        groups[0] = Group { quants, d, m: 0.0, scales: [1; 2], minimums: [0; 2] };
    }
}

impl Format for Q4_1 {
    const KIND: TensorType = TensorType::Q4_1;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 2 + 2 + 16;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 4;
    const SCALED: bool = false;
    const MINIMUM: Minimum = Minimum::Whole;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let bytes = block[4..].first_chunk::<16>().expect("a block has its full length");
        let (quants, d, m) = (nibbles(bytes), half_at(block, 0), half_at(block, 2));
        groups[0] = Group { quants, d, m, scales: [1; 2], minimums: [1; 2] };
    }
}
