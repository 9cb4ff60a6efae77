//! The product with F32, F16 and BF16 weights: each output is one dot product in the 64-lane order.

use crate::block::row::floats;
use crate::float::order::dot;
use crate::math::half::{bf16_to_f32, f16_to_f32};
use crate::matmul::columns::Weights;
use crate::{Columns, TensorType};
use std::ops::Range;

/// Computes output rows `rows` for every column: `out[column][row - rows.start]`.
///
/// Panics on quantised weights; [`crate::Kernels`] sends those elsewhere.
#[inline(always)]
pub(crate) fn multiply(weights: &Weights<'_>, rows: Range<usize>, columns: &Columns, out: &mut [&mut [f32]]) {
    let row_bytes = weights.row_bytes();
    let mut values = vec![0.0f32; weights.len];
    for row in rows.clone() {
        let bytes = &weights.bytes[row * row_bytes..][..row_bytes];
        match weights.kind {
            TensorType::F32 => floats(bytes, &mut values, f32::from_le_bytes),
            TensorType::F16 => floats(bytes, &mut values, |bytes| f16_to_f32(u16::from_le_bytes(bytes))),
            TensorType::BF16 => floats(bytes, &mut values, |bytes| bf16_to_f32(u16::from_le_bytes(bytes))),
            kind => unreachable!("{} weights are multiplied in integers", kind.name()),
        }
        for (column, out) in out.iter_mut().enumerate() {
            out[row - rows.start] = dot(&values, columns.values(column));
        }
    }
}
