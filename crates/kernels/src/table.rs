//! The table of functions for one level; built once, passed by reference.

use crate::matmul::activation::ActivationGroup;
use crate::matmul::columns::Weights;
use crate::{Attention, Columns, Level, TensorType, arch};
use std::ops::Range;

type Multiply = fn(&Weights<'_>, Range<usize>, &Columns, &mut [&mut [f32]]);

/// The kernels of one level. Every function gives the same bits at every level.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    /// The level these functions use.
    pub level: Level,
    /// See [`crate::float::order::dot`].
    pub dot: fn(&[f32], &[f32]) -> f32,
    /// See [`crate::float::norm::rms_norm`].
    pub rms_norm: fn(&[f32], &[f32], f32, &mut [f32]),
    /// See [`crate::float::activation::silu_mul`].
    pub silu_mul: fn(&mut [f32], &[f32]),
    /// See [`crate::float::activation::gelu_mul`].
    pub gelu_mul: fn(&mut [f32], &[f32]),
    /// See [`crate::float::activation::soft_cap`].
    pub soft_cap: fn(&mut [f32], f32),
    /// See [`crate::float::activation::add`].
    pub add: fn(&mut [f32], &[f32]),
    /// Attends with every token and query head of the job and writes the weighted values to the last argument, one
    /// slice of `heads * head_len` for each token; the second is scratch. See [`crate::float::attention`].
    pub attend: fn(&Attention<'_>, &mut Vec<f32>, &mut [&mut [f32]]),
    /// See [`crate::math::log_softmax::log_normaliser`].
    pub log_normaliser: fn(&[f32]) -> f64,
    /// See [`crate::matmul::activation::quantise`].
    pub quantise: fn(&[f32], &mut [ActivationGroup]),
    pub(crate) multiply_floats: Multiply,
    pub(crate) multiply: fn(TensorType) -> Option<Multiply>,
}

impl Kernels {
    /// The functions of `level`.
    pub fn new(level: Level) -> Self {
        match level {
            Level::Scalar => arch::scalar::kernels(level),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => arch::ymm::avx2::kernels(level),
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni(_) => arch::ymm::avx_vnni::kernels(level),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => arch::avx512::kernels(level),
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => arch::neon::plain::kernels(level),
            #[cfg(target_arch = "aarch64")]
            Level::NeonDotprod(_) => arch::neon::dotprod::kernels(level),
            #[cfg(target_arch = "aarch64")]
            Level::NeonI8mm(_) => arch::neon::i8mm::kernels(level),
        }
    }

    /// Multiplies weight rows `rows` with every column: `out[column][row - rows.start]`.
    ///
    /// Shapes: `out` one slice of `rows.len()` per column. Each output element is summed alone in the order of contract
    /// N1, so neither `rows` nor the number of columns changes a bit. Panics if the shapes do not fit.
    pub fn multiply(&self, weights: &Weights<'_>, rows: Range<usize>, columns: &Columns, out: &mut [&mut [f32]]) {
        assert_eq!(weights.len, columns.len(), "weight rows and columns differ in length");
        assert_eq!(out.len(), columns.count(), "one output slice a column");
        assert!(rows.end <= weights.rows, "rows {rows:?} of {}", weights.rows);
        assert!(out.iter().all(|out| out.len() == rows.len()), "output slices have the length of the row range");
        let multiply = (self.multiply)(weights.kind).unwrap_or(self.multiply_floats);
        multiply(weights, rows, columns, out);
    }
}
