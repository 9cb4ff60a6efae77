//! The product with F32, F16 and BF16 weights: each output is one dot product in the 64-lane order.

use crate::Columns;
use crate::block::row::plain;
use crate::float::order::dot;
use crate::matmul::columns::Weights;
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
        plain(weights.kind, bytes, &mut values);
        for (column, out) in out.iter_mut().enumerate() {
            out[row - rows.start] = dot(&values, columns.values(column));
        }
    }
}
