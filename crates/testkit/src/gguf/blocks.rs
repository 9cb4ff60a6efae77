//! Random weights of any tensor type, with scales that keep a model's activations near 1.

use super::random::Random;
use puma_kernels::TensorType;

/// One row of `len` weights of type `kind` whose standard deviation is about `deviation`.
///
/// The quants are random bytes; the scales are chosen so that the dequantised numbers have the wanted spread and a mean
/// near zero. Layouts: ggml's block structs.
///
/// # Panics
/// If `len` is no multiple of the type's block length.
pub fn random_row(kind: TensorType, len: usize, deviation: f32, random: &mut Random) -> Vec<u8> {
    let bytes = kind.row_bytes(len).expect("a row is a whole number of blocks");
    let mut row = Vec::with_capacity(bytes);
    for _ in 0..len / kind.block_len() {
        push_block(&mut row, kind, deviation, random);
    }
    row
}

fn push_block(row: &mut Vec<u8>, kind: TensorType, deviation: f32, random: &mut Random) {
    // Uniform numbers have a deviation of 1/sqrt(3) of their half-width.
    let number = random.signed() * deviation * 1.732;
    // No two blocks share a scale, so that a reader that mixes blocks up is found out.
    let jitter = 0.75 + random.unit() * 0.5;
    let start = row.len();
    row.resize(start + kind.block_bytes(), 0);
    let block = &mut row[start..];
    random.fill(block);
    // Each divisor is the deviation of the quants times their sub-scales, for uniform bits; each minimum centres them.
    let scale = |divisor: f32| deviation * jitter / divisor;
    match kind {
        TensorType::F32 => block.copy_from_slice(&number.to_le_bytes()),
        TensorType::F16 => put_f16(block, 0, number),
        TensorType::BF16 => block.copy_from_slice(&((number.to_bits() >> 16) as u16).to_le_bytes()),
        TensorType::Q4_0 => put_f16(block, 0, scale(4.6)),
        TensorType::Q4_1 => put_pair(block, 0, scale(4.6), scale(4.6) * -7.5),
        TensorType::Q5_0 => put_f16(block, 0, scale(9.2)),
        TensorType::Q5_1 => put_pair(block, 0, scale(9.2), scale(9.2) * -15.5),
        TensorType::Q8_0 => put_f16(block, 0, scale(73.0)),
        TensorType::Q2K => put_pair(block, 80, scale(13.9), scale(13.9) * 1.5),
        TensorType::Q3K => put_f16(block, 108, scale(43.0)),
        TensorType::Q4K => put_pair(block, 0, scale(258.0), scale(258.0) * 7.5),
        TensorType::Q5K => put_pair(block, 0, scale(527.0), scale(527.0) * 15.5),
        TensorType::Q6K => put_f16(block, 208, scale(1369.0)),
        TensorType::IQ4NL => put_f16(block, 0, scale(67.4)),
        TensorType::IQ4XS => put_f16(block, 0, scale(1246.0)),
        // A power of two; the exponent varies by one instead of the jitter.
        TensorType::MXFP4 => block[0] = ((scale(5.85).to_bits() >> 23) + 1 + u32::from(block[0] & 1)) as u8,
        TensorType::Q8K => block[..4].copy_from_slice(&scale(73.9).to_le_bytes()),
    }
}

fn put_pair(block: &mut [u8], at: usize, first: f32, second: f32) {
    put_f16(block, at, first);
    put_f16(block, at + 2, second);
}

fn put_f16(block: &mut [u8], at: usize, number: f32) {
    block[at..at + 2].copy_from_slice(&f16_bits(number).to_le_bytes());
}

/// The half-precision number next to `number` towards zero; rounding does not matter for random weights.
fn f16_bits(number: f32) -> u16 {
    let bits = number.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let exponent = (bits >> 23 & 0xff) as i32 - 127 + 15;
    let mantissa = (bits >> 13 & 0x3ff) as u16;
    match exponent {
        31.. => sign | 0x7bff,
        1..=30 => sign | (exponent as u16) << 10 | mantissa,
        // Subnormal: the hidden bit becomes visible and moves right.
        -9..=0 => sign | (mantissa | 0x400) >> (1 - exponent),
        _ => sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_of_known_numbers() {
        for (number, bits) in [
            (0.0, 0x0000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (1e9, 0x7bff),
            (6.103_515_6e-5, 0x0400),
            (5.960_464_5e-8, 0x0001),
            (3.051_757_8e-5, 0x0200),
            (1e-9, 0x0000),
        ] {
            assert_eq!(f16_bits(number), bits, "{number}");
        }
    }

    #[test]
    fn every_type_fills_its_row_and_repeats_with_its_seed() {
        for kind in TensorType::all() {
            let row = random_row(kind, 512, 0.1, &mut Random::new(1));
            assert_eq!(Some(row.len()), kind.row_bytes(512));
            assert_eq!(row, random_row(kind, 512, 0.1, &mut Random::new(1)));
            assert_ne!(row, random_row(kind, 512, 0.1, &mut Random::new(2)));
        }
    }
}
