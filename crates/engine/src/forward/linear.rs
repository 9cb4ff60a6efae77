//! Norms and matrix products of a whole batch, divided among the threads.

use super::pass::Forward;
use crate::model::{Linear, Matrix};
use puma_kernels::Columns;

/// Fewer rows than this for each thread are not worth waking it for.
const ROWS_WORTH_A_THREAD: usize = 32;

impl Forward<'_> {
    /// The RMS norm of every token.
    pub(super) fn normalise(&self, x: &[f32], weight: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len(), 0.0);
        for (x, out) in x.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
            (self.kernels.rms_norm)(x, weight, self.model.config.layer_norm_rms_epsilon, out);
        }
    }

    /// The product with `linear`, and its bias.
    pub(super) fn linear(&self, linear: &Linear, columns: &Columns, out: &mut Vec<f32>) {
        self.multiply(&linear.weight, columns, out);
        if let Some(bias) = &linear.bias {
            for out in out.chunks_exact_mut(bias.len()) {
                (self.kernels.add)(out, bias);
            }
        }
    }

    /// Multiplies `matrix` with every column; threads take ranges of rows.
    pub(super) fn multiply(&self, matrix: &Matrix, columns: &Columns, out: &mut Vec<f32>) {
        let weights = self.model.weights(matrix);
        let rows = weights.rows;
        out.resize(rows * columns.count(), 0.0);
        let threads = self.pool.threads().min(rows.div_ceil(ROWS_WORTH_A_THREAD)).max(1);
        // A multiple of sixteen cuts no panel in two; the split itself changes no bit.
        let part = rows.div_ceil(threads).next_multiple_of(16);
        self.pool.for_each_row_range(out, rows, part, &|range, slices| {
            self.kernels.multiply(&weights, range, columns, slices);
        });
    }
}
