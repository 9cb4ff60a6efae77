//! `Q5_K`: 256 weights of five bits, a six-bit scale and a six-bit minimum for each 32.
//!
//! binary16 `d`, binary16 `dmin`, 12 bytes of scales, 32 bytes of fifth bits, 128 bytes. Nibbles as in `Q4_K`; the
//! fifth bit of weight `l` of group `g` is bit `g` of fifth-bit byte `l`.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at};
use crate::block::k_scales::scale_and_minimum;

/// `d * scale * q - dmin * minimum`. `I <= 63 * 32 * 31 * 127 = 7,936,992`.
pub struct Q5K;

const _: () = assert!(Q5K::BLOCK_BYTES == 176);

impl Format for Q5K {
    const KIND: TensorType = TensorType::Q5K;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 2 + 2 + 12 + 32 + 128;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 5;
    const SCALED: bool = true;
    const MINIMUM: Minimum = Minimum::Scaled;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let (d, m) = (half_at(block, 0), -half_at(block, 2));
        let scales = block[4..].first_chunk::<12>().expect("a block has its full length");
        let fifths = block[16..].first_chunk::<32>().expect("a block has its full length");
        for (g, group) in groups.iter_mut().enumerate() {
            let bytes = block[48 + 32 * (g / 2)..].first_chunk::<32>().expect("a block has its full length");
            let (scale, minimum) = scale_and_minimum(scales, g);
            let mut quants = [0i8; 32];
            for l in 0..32 {
                quants[l] = (((bytes[l] >> (4 * (g % 2))) & 15) | (((fifths[l] >> g) & 1) << 4)) as i8;
            }
            *group = Group { quants, d, m, scales: [scale; 2], minimums: [minimum; 2] };
        }
    }
}
