//! `Q8_K`: 256 weights of eight bits with a binary32 scale. llama.cpp keeps activations in it; a file may hold it too.
//!
//! binary32 `d`, 256 signed bytes, 16 sums of 16 quants each as i16. The sums follow from the quants and are not read.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, quants_of};

/// `d * q`. `|I| <= 32 * 128 * 127 = 520,192`.
pub struct Q8K;

const _: () = assert!(Q8K::BLOCK_BYTES == 292);

impl Format for Q8K {
    const KIND: TensorType = TensorType::Q8K;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 4 + 256 + 2 * 16;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 8;
    const SIGNED: bool = true;
    const SCALED: bool = false;
    const D_IS_HALF: bool = false;
    const MINIMUM: Minimum = Minimum::None;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let d = f32::from_le_bytes(*block.first_chunk::<4>().expect("a block has its full length"));
        for (g, group) in groups.iter_mut().enumerate() {
            let bytes = block[4 + 32 * g..].first_chunk::<32>().expect("a block has its full length");
            let quants = quants_of(bytes, |byte| byte);
            *group = Group { quants, d, m: 0.0, scales: [1; 2], minimums: [0; 2] };
        }
    }
}
