//! Numbers for the tests: a small generator and random but valid rows of every tensor type.
#![allow(dead_code, reason = "each test binary uses its own part")]

use puma_kernels::TensorType;
use puma_kernels::math::half::{f32_to_bf16, f32_to_f16};

/// SplitMix64.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `-size..size`.
    pub(crate) fn float(&mut self, size: f32) -> f32 {
        ((self.next() >> 40) as f32 / 8_388_608.0 - 1.0) * size
    }

    /// A random byte, often an extreme one.
    pub(crate) fn byte(&mut self) -> u8 {
        match self.next() % 8 {
            0 => 0,
            1 => 255,
            2 => 128,
            3 => 127,
            _ => self.next() as u8,
        }
    }
}

/// Where the binary16 scales of a block are.
pub(crate) fn halves(kind: TensorType) -> &'static [usize] {
    match kind {
        TensorType::Q4_0 | TensorType::Q5_0 | TensorType::Q8_0 | TensorType::IQ4NL | TensorType::IQ4XS => &[0],
        TensorType::Q4_1 | TensorType::Q5_1 | TensorType::Q4K | TensorType::Q5K => &[0, 2],
        TensorType::Q2K => &[80, 82],
        TensorType::Q3K => &[108],
        TensorType::Q6K => &[208],
        TensorType::F32 | TensorType::F16 | TensorType::BF16 | TensorType::MXFP4 | TensorType::Q8K => &[],
    }
}

/// A row of random bytes whose float scales are finite and small.
pub(crate) fn random_row(numbers: &mut Numbers, kind: TensorType, len: usize) -> Vec<u8> {
    match kind {
        TensorType::F32 => (0..len).flat_map(|_| numbers.float(1.0).to_le_bytes()).collect(),
        TensorType::F16 => (0..len).flat_map(|_| f32_to_f16(numbers.float(1.0)).to_le_bytes()).collect(),
        TensorType::BF16 => (0..len).flat_map(|_| f32_to_bf16(numbers.float(1.0)).to_le_bytes()).collect(),
        _ => {
            let mut bytes: Vec<u8> = (0..kind.row_bytes(len).expect("whole blocks")).map(|_| numbers.byte()).collect();
            for block in bytes.chunks_mut(kind.block_bytes()) {
                for &at in halves(kind) {
                    block[at..at + 2].copy_from_slice(&f32_to_f16(numbers.float(0.1)).to_le_bytes());
                }
                match kind {
                    // 2^-16 to 2^-1 for the doubled numbers.
                    TensorType::MXFP4 => block[0] = 112 + block[0] % 16,
                    TensorType::Q8K => block[..4].copy_from_slice(&numbers.float(0.1).to_le_bytes()),
                    _ => (),
                }
            }
            bytes
        }
    }
}
