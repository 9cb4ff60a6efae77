//! Every pair of weight byte and activation, in every one of the 32 places of a group and of the eight rows.

use puma_kernels::math::half::f32_to_f16;
use puma_kernels::{Columns, Kernels, Level, TensorType, Weights};

mod common;
use common::halves;

/// `Q8_0` with scale 1 multiplies signed bytes; activations with amax 127 have scale 1, so products come out exactly.
#[test]
fn every_byte_pair_multiplies_exactly_in_every_place() {
    for level in Level::available() {
        let kernels = Kernels::new(level);
        // 256 rows, one for each weight byte; one group to hold the pair, a second one to fix the activation scale.
        for place in 0..32 {
            let mut bytes = Vec::new();
            for weight in i8::MIN..=i8::MAX {
                let mut block = [0u8; 34];
                block[..2].copy_from_slice(&f32_to_f16(1.0).to_le_bytes());
                block[2 + place] = weight as u8;
                bytes.extend(block);
            }
            let weights = Weights::new(TensorType::Q8_0, &bytes, 256, 32).unwrap();
            let mut values = Vec::new();
            for x in -127i8..=127 {
                let mut column = [0.0f32; 32];
                column[(place + 1) % 32] = 127.0;
                column[place] = f32::from(x);
                values.extend(column);
            }
            let mut columns = Columns::default();
            columns.fill(&kernels, &values, 32);
            let mut out = vec![0.0f32; 256 * 255];
            kernels.multiply(&weights, 0..256, &columns, &mut out.chunks_mut(256).collect::<Vec<_>>());
            for (column, x) in (-127i8..=127).enumerate() {
                for (row, weight) in (i8::MIN..=i8::MAX).enumerate() {
                    let want = f32::from(i16::from(weight) * i16::from(x));
                    assert_eq!(out[column * 256 + row], want, "{level} {weight} * {x} at {place}");
                }
            }
        }
    }
}

/// Blocks of all-equal extreme bytes with all-equal extreme activations: the largest sums each format can make.
#[test]
fn the_largest_sums_do_not_overflow() {
    for kind in TensorType::all().filter(|kind| kind.block_len() > 1) {
        for byte in [0u8, 0x7f, 0x80, 0xff] {
            let len = 256;
            let mut bytes = vec![byte; kind.row_bytes(len).unwrap() * 8];
            for block in bytes.chunks_mut(kind.block_bytes()) {
                for &at in halves(kind) {
                    block[at..at + 2].copy_from_slice(&f32_to_f16(1.0).to_le_bytes());
                }
                match kind {
                    TensorType::MXFP4 => block[0] = 128,
                    TensorType::Q8K => block[..4].copy_from_slice(&1.0f32.to_le_bytes()),
                    _ => (),
                }
            }
            let mut row = vec![0.0f32; len];
            puma_kernels::block::dequantise(kind, &bytes[..kind.row_bytes(len).unwrap()], &mut row);
            for x in [-127.0f32, 127.0] {
                let want: f64 = row.iter().map(|weight| f64::from(*weight) * f64::from(x)).sum();
                for level in Level::available() {
                    let kernels = Kernels::new(level);
                    let weights = Weights::new(kind, &bytes, 8, len).unwrap();
                    let mut columns = Columns::default();
                    columns.fill(&kernels, &vec![x; len * 5], len);
                    let mut out = vec![0.0f32; 8 * 5];
                    kernels.multiply(&weights, 0..8, &columns, &mut out.chunks_mut(8).collect::<Vec<_>>());
                    for got in &out {
                        let error = (f64::from(*got) - want).abs();
                        assert!(error <= 1e-5 * want.abs().max(1.0), "{} {byte:#x} {level}: {got} {want}", kind.name());
                    }
                }
            }
        }
    }
}
