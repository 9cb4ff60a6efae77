//! `Q4_K`: 256 weights of four bits, a six-bit scale and a six-bit minimum for each 32.
//!
//! binary16 `d`, binary16 `dmin`, 12 bytes of scales, 128 bytes. Group `g`: weight `l` is the low (even `g`) or high
//! (odd `g`) nibble of byte `32 * (g / 2) + l`.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at, quants_of};
use crate::block::k_scales::scale_and_minimum;

/// `d * scale * q - dmin * minimum`. `I <= 63 * 32 * 15 * 127 = 3,840,480`.
pub struct Q4K;

const _: () = assert!(Q4K::BLOCK_BYTES == 144);

impl Format for Q4K {
    const KIND: TensorType = TensorType::Q4K;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 2 + 2 + 12 + 128;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 4;
    const SCALED: bool = true;
    const MINIMUM: Minimum = Minimum::Scaled;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let (d, m) = (half_at(block, 0), -half_at(block, 2));
        let scales = block[4..].first_chunk::<12>().expect("a block has its full length");
        let (pairs, _) = groups.as_chunks_mut::<2>();
        for (pair, [low, high]) in pairs.iter_mut().enumerate() {
            let bytes = block[16 + 32 * pair..].first_chunk::<32>().expect("a block has its full length");
            let ((scale, minimum), (scale_high, minimum_high)) =
                (scale_and_minimum(scales, 2 * pair), scale_and_minimum(scales, 2 * pair + 1));
            let quants = quants_of(bytes, |byte| byte & 15);
            *low = Group { quants, d, m, scales: [scale; 2], minimums: [minimum; 2] };
            let quants = quants_of(bytes, |byte| byte >> 4);
            *high = Group { quants, d, m, scales: [scale_high; 2], minimums: [minimum_high; 2] };
        }
    }
}
