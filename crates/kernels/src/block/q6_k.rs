//! `Q6_K`: 256 weights of six bits, a signed eight-bit scale for each 16.
//!
//! 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, binary16 `d`. Group `g = 4n + j`: the low
//! nibble of weight `l` is in byte `64n + 32(j % 2) + l` (high nibble for `j >= 2`), its two high bits are bits
//! `2j..2j+2` of high-bit byte `32n + l`.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at};

/// `d * scale * (q - 32)`. `|I| <= 2 * 128 * 16 * 32 * 127 = 16,646,144 < 2^24`.
pub struct Q6K;

const _: () = assert!(Q6K::BLOCK_BYTES == 210);

impl Format for Q6K {
    const KIND: TensorType = TensorType::Q6K;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 128 + 64 + 16 + 2;
    const ZERO: i32 = 32;
    const QUANT_BITS: u32 = 6;
    const SCALED: bool = true;
    const HALVES: bool = true;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let d = half_at(block, 208);
        for (g, group) in groups.iter_mut().enumerate() {
            let (n, j) = (g / 4, g % 4);
            let lows = block[64 * n + 32 * (j % 2)..].first_chunk::<32>().expect("a block has its full length");
            let highs = block[128 + 32 * n..].first_chunk::<32>().expect("a block has its full length");
            let mut quants = [0i8; 32];
            for l in 0..32 {
                quants[l] = (((lows[l] >> (4 * (j / 2))) & 15) | (((highs[l] >> (2 * j)) & 3) << 4)) as i8;
            }
            let scales = [block[192 + 2 * g] as i8, block[193 + 2 * g] as i8].map(i16::from);
            *group = Group { quants, d, m: 0.0, scales, minimums: [0; 2] };
        }
    }
}
