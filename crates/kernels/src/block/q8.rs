//! `Q8_0`: binary16 `d`, 32 signed bytes.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at, quants_of};

/// `d * q`. `|I| <= 32 * 128 * 127 = 520,192`.
pub struct Q8_0;

const _: () = assert!(Q8_0::BLOCK_BYTES == 34);

impl Format for Q8_0 {
    const KIND: TensorType = TensorType::Q8_0;
    const BLOCK_LEN: usize = 32;
    const BLOCK_BYTES: usize = 2 + 32;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 8;
    const SIGNED: bool = true;
    const SCALED: bool = false;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let bytes = block[2..].first_chunk::<32>().expect("a block has its full length");
        let quants = quants_of(bytes, |byte| byte);
        groups[0] = Group { quants, d: half_at(block, 0), m: 0.0, scales: [1; 2], minimums: [0; 2] };
    }
}
