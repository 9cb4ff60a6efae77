//! `Q2_K`: 256 weights of two bits, a four-bit scale and a four-bit minimum for each 16.
//!
//! 16 bytes (low nibble scale, high nibble minimum), 64 bytes of quants, binary16 `d`, binary16 `dmin`. Group
//! `g = 4n + j`: weight `l` is bits `2j..2j+2` of quant byte `32n + l`.

use crate::TensorType;
use crate::block::format::{Format, Group, Minimum, half_at, quants_of};

/// `d * scale * q - dmin * minimum`. `I <= 2 * 15 * 16 * 3 * 127 = 182,880`.
pub struct Q2K;

const _: () = assert!(Q2K::BLOCK_BYTES == 84);

impl Format for Q2K {
    const KIND: TensorType = TensorType::Q2K;
    const BLOCK_LEN: usize = 256;
    const BLOCK_BYTES: usize = 16 + 64 + 2 + 2;
    const ZERO: i32 = 0;
    const QUANT_BITS: u32 = 2;
    const SCALED: bool = true;
    const HALVES: bool = true;
    const MINIMUM: Minimum = Minimum::Scaled;

    #[inline(always)]
    fn decode(block: &[u8], groups: &mut [Group]) {
        let (d, m) = (half_at(block, 80), -half_at(block, 82));
        for (g, group) in groups.iter_mut().enumerate() {
            let bytes = block[16 + 32 * (g / 4)..].first_chunk::<32>().expect("a block has its full length");
            let halves = [block[2 * g], block[2 * g + 1]];
            *group = Group {
                quants: quants_of(bytes, |byte| (byte >> (2 * (g % 4))) & 3),
                d,
                m,
                scales: halves.map(|byte| i16::from(byte & 15)),
                minimums: halves.map(|byte| i16::from(byte >> 4)),
            };
        }
    }
}
