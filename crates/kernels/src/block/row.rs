//! Whole rows of any tensor type as f32: token embeddings, norms, and the oracle of the tests.

use crate::TensorType;
use crate::block::format::{Format, GROUP_LEN, Group, Minimum};
use crate::block::with_format;
use crate::math::half::{bf16_to_f32, f16_to_f32};

/// Writes the f32 values of one row.
///
/// Shapes: `out` `[n]`, `bytes` the row as stored, `kind.row_bytes(n)` long. Order: the integer
/// `scale * (value - ZERO)` is exact, times `d`, plus `minimum * m` where the format has minimums.
/// Panics if the lengths do not fit.
pub fn dequantise(kind: TensorType, bytes: &[u8], out: &mut [f32]) {
    assert_eq!(kind.row_bytes(out.len()), Some(bytes.len()), "row of {} has another length", kind.name());
    with_format!(kind, F => groups::<F>(bytes, out), else plain(kind, bytes, out));
}

/// Converts plain floats. Panics on quantised types.
#[inline(always)]
pub(crate) fn plain(kind: TensorType, bytes: &[u8], out: &mut [f32]) {
    match kind {
        TensorType::F32 => floats(bytes, out, f32::from_le_bytes),
        TensorType::F16 => floats(bytes, out, |bytes| f16_to_f32(u16::from_le_bytes(bytes))),
        TensorType::BF16 => floats(bytes, out, |bytes| bf16_to_f32(u16::from_le_bytes(bytes))),
        kind => unreachable!("{} is no plain float", kind.name()),
    }
}

/// Converts little-endian numbers of `N` bytes.
#[inline(always)]
fn floats<const N: usize>(bytes: &[u8], out: &mut [f32], convert: impl Fn([u8; N]) -> f32) {
    let (numbers, _) = bytes.as_chunks::<N>();
    for (out, number) in out.iter_mut().zip(numbers) {
        *out = convert(*number);
    }
}

fn groups<F: Format>(bytes: &[u8], out: &mut [f32]) {
    let mut scratch = [Group::EMPTY; 8];
    let scratch = &mut scratch[..F::GROUPS];
    for (block, out) in bytes.chunks_exact(F::BLOCK_BYTES).zip(out.chunks_exact_mut(F::BLOCK_LEN)) {
        F::decode(block, scratch);
        for (group, out) in scratch.iter().zip(out.chunks_exact_mut(GROUP_LEN)) {
            for (j, out) in out.iter_mut().enumerate() {
                let half = j / 16;
                let integer = i32::from(group.scales[half]) * (i32::from(F::value(group.quants[j])) - F::ZERO);
                let scaled = integer as f32 * group.d;
                *out = match F::MINIMUM {
                    Minimum::None => scaled,
                    Minimum::Whole | Minimum::Scaled => scaled + f32::from(group.minimums[half]) * group.m,
                };
            }
        }
    }
}
