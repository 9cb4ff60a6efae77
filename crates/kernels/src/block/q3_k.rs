//! `Q3_K`: 256 weights of three bits, a six-bit scale for each 16.
//!
//! 32 bytes of third bits, 64 bytes of low bits, 12 bytes of scales, binary16 `d`. Group `g = 4n + j`: the low bits of
//! weight `l` are bits `2j..2j+2` of byte `32n + l`, its third bit is bit `g` of third-bit byte `l`. Scale `i`, 0 to
//! 15: four low bits in byte `i % 8` (low nibble for `i < 8`, else high), two high bits in byte `8 + i % 4` at bit
//! `2 * (i / 4)`; 32 is subtracted.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at};

/// `d * (scale - 32) * (q - 4)`. `|I| <= 2 * 32 * 16 * 4 * 127 = 520,192`.
pub struct Q3K;

const _: () = assert!(Q3K::BLOCK_BYTES == 110);

#[inline(always)]
fn scale(bytes: &[u8; 12], i: usize) -> i16 {
    let low = (bytes[i % 8] >> (4 * (i / 8))) & 15;
    let high = (bytes[8 + i % 4] >> (2 * (i / 4))) & 3;
    i16::from(low | (high << 4)) - 32
}

impl Format for Q3K {
    const KIND: TensorType = TensorType::Q3K;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 32 + 64 + 12 + 2;
    const ZERO: i32 = 4;
    const QUANT_BITS: u32 = 3;
    const SCALED: bool = true;
    const HALVES: bool = true;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let d = half_at(block, 108);
        let thirds = block.first_chunk::<32>().expect("a block has its full length");
        let scales = block[96..].first_chunk::<12>().expect("a block has its full length");
        for (g, group) in groups.iter_mut().enumerate() {
            let lows = block[32 + 32 * (g / 4)..].first_chunk::<32>().expect("a block has its full length");
            let mut quants = [0i8; 32];
            for l in 0..32 {
                quants[l] = (((lows[l] >> (2 * (g % 4))) & 3) | (((thirds[l] >> g) & 1) << 2)) as i8;
            }
            *group =
                Group { quants, d, m: 0.0, scales: [scale(scales, 2 * g), scale(scales, 2 * g + 1)], minimums: [0; 2] };
        }
    }
}
