//! `Q5_0` and `Q5_1`: 32 weights of five bits.
//!
//! `Q5_0`: binary16 `d`, 32 fifth bits, 16 bytes. `Q5_1`: binary16 `d`, binary16 `m`, 32 fifth bits, 16 bytes. Nibbles
//! as in `Q4_0`; bit `j` of the little-endian u32 is the fifth bit of weight `j`.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at};
use crate::block::q4::nibbles;

/// `d * (q - 16)`. `|I| <= 32 * 16 * 127 = 65,024`.
pub struct Q5_0;

/// `d * q + m`. `I <= 32 * 31 * 127 = 125,984`.
pub struct Q5_1;

const _: () = assert!(Q5_0::BLOCK_BYTES == 22 && Q5_1::BLOCK_BYTES == 24);

/// Five-bit quants from the 4 bytes of fifth bits and the 16 bytes of nibbles behind them.
#[inline(always)]
fn quants(bytes: &[u8]) -> [i8; 32] {
    let fifth = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let mut quants = nibbles(bytes[4..].first_chunk::<16>().expect("a block has its full length"));
    for (j, quant) in quants.iter_mut().enumerate() {
        *quant |= (((fifth >> j) & 1) << 4) as i8;
    }
    quants
}

impl Format for Q5_0 {
    const KIND: TensorType = TensorType::Q5_0;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 2 + 4 + 16;
    const ZERO: i32 = 16;
    const QUANT_BITS: u32 = 5;
    const SCALED: bool = false;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let (quants, d) = (quants(&block[2..]), half_at(block, 0));
        groups[0] = Group { quants, d, m: 0.0, scales: [1; 2], minimums: [0; 2] };
    }
}

impl Format for Q5_1 {
    const KIND: TensorType = TensorType::Q5_1;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 2 + 2 + 4 + 16;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 5;
    const SCALED: bool = false;
    const MINIMUM: Minimum = Minimum::Whole;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let (quants, d, m) = (quants(&block[4..]), half_at(block, 0), half_at(block, 2));
        groups[0] = Group { quants, d, m, scales: [1; 2], minimums: [1; 2] };
    }
}
