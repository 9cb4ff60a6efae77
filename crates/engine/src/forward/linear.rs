//! Norms and matrix products of a whole batch, divided among the threads.

use super::pass::Forward;
use crate::model::{Linear, Matrix};
use crate::pool::Rows;
use puma_kernels::Columns;

/// Fewer rows than this for each thread are not worth waking it for.
const ROWS_WORTH_A_THREAD: usize = 32;
/// Fewer tokens than this in a part are not worth waking a thread for.
const TOKENS_WORTH_A_THREAD: usize = 8;
/// Parts for each thread where there is much to do: one that is held up then holds up little.
const PARTS_A_THREAD: usize = 4;
/// So many tokens are much to do.
const MANY_TOKENS: usize = 16;

impl Forward<'_> {
    /// Tokens of one part of a batch of `count`.
    pub(super) fn tokens_a_part(&self, count: usize) -> usize {
        count.div_ceil(self.pool.threads() * PARTS_A_THREAD).max(TOKENS_WORTH_A_THREAD)
    }

    /// The RMS norm of every token or head.
    pub(super) fn normalise(&self, x: &[f32], weight: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len(), 0.0);
        let part = self.tokens_a_part(x.len() / weight.len()) * weight.len();
        self.pool.each(x.chunks(part).zip(out.chunks_mut(part)).collect(), |(x, out): (&[f32], &mut [f32])| {
            for (x, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
                (self.kernels.rms_norm)(x, weight, self.model.config.layer_norm_rms_epsilon, out);
            }
        });
    }

    /// Lets `write` write each of `count` columns of `len` numbers, and makes them ready to multiply with.
    pub(super) fn fill(
        &self,
        columns: &mut Columns,
        count: usize,
        len: usize,
        write: &(dyn Fn(usize, &mut [f32]) + Sync),
    ) {
        columns.reset(count, len);
        let parts = columns.parts_mut(self.tokens_a_part(count)).collect();
        self.pool.each(parts, |mut part| part.fill(self.kernels, &|index, column| write(index, column)));
    }

    /// The columns of `values`, `[count][len]`, as they are.
    pub(super) fn fill_copied(&self, columns: &mut Columns, values: &[f32], len: usize) {
        let copy = |index: usize, column: &mut [f32]| column.copy_from_slice(&values[index * len..][..len]);
        self.fill(columns, values.len() / len, len, &copy);
    }

    /// The RMS norms of `values`, `[count][weight.len()]`, as columns.
    pub(super) fn fill_normal(&self, columns: &mut Columns, values: &[f32], weight: &[f32]) {
        let (len, epsilon) = (weight.len(), self.model.config.layer_norm_rms_epsilon);
        self.fill(columns, values.len() / len, len, &|index, column| {
            (self.kernels.rms_norm)(&values[index * len..][..len], weight, epsilon, column);
        });
    }

    /// The product of `matrix` with every column.
    pub(super) fn multiply(&self, matrix: &Matrix, columns: &Columns, out: &mut Vec<f32>) {
        self.products([(matrix, None)], columns, [out]);
    }

    /// The products of several layers with every column, and their biases.
    pub(super) fn linear<const N: usize>(&self, linears: [&Linear; N], columns: &Columns, outs: [&mut Vec<f32>; N]) {
        self.products(linears.map(|linear| (&linear.weight, linear.bias.as_deref())), columns, outs);
    }

    /// Multiplies every matrix with every column and adds what stands beside it; threads take ranges of rows of all of them.
    fn products<const N: usize>(
        &self,
        matrices: [(&Matrix, Option<&[f32]>); N],
        columns: &Columns,
        outs: [&mut Vec<f32>; N],
    ) {
        let factors = matrices.map(|(matrix, bias)| (self.model.weights(matrix), bias));
        let rows: usize = factors.iter().map(|(weights, _)| weights.rows).sum();
        let parts = if columns.count() >= MANY_TOKENS { PARTS_A_THREAD } else { 1 };
        let threads = self.pool.threads().min(rows.div_ceil(ROWS_WORTH_A_THREAD)).max(1);
        // A multiple of sixteen cuts no panel in two; the split itself changes no bit.
        let part_rows = if threads == 1 { rows } else { rows.div_ceil(threads * parts).next_multiple_of(16) };
        let mut outs: Vec<Rows<'_, f32>> = outs
            .into_iter()
            .zip(&factors)
            .map(|(out, (weights, _))| {
                out.resize(weights.rows * columns.count(), 0.0);
                Rows { items: out, rows: weights.rows }
            })
            .collect();
        self.pool.for_each_row_range(&mut outs, part_rows, &|index, range, slices| {
            let (weights, bias) = &factors[index];
            self.kernels.multiply(weights, range.clone(), columns, slices);
            if let Some(bias) = bias {
                for out in slices {
                    (self.kernels.add)(out, &bias[range.clone()]);
                }
            }
        });
    }
}
