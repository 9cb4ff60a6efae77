//! The table of functions for one level; built once, passed by reference.

use crate::block::{iq4::IQ4NL, iq4::IQ4XS, mxfp4::MXFP4, q8_k::Q8K};
use crate::block::{q2_k::Q2K, q3_k::Q3K, q4::Q4_0, q4::Q4_1, q4_k::Q4K};
use crate::block::{q5::Q5_0, q5::Q5_1, q5_k::Q5K, q6_k::Q6K, q8::Q8_0};
use crate::float::{activation, attention, norm, order};
use crate::math::log_softmax;
use crate::matmul::activation::{self as activations, ActivationGroup};
use crate::matmul::columns::Weights;
use crate::matmul::float_rows;
use crate::{Attention, Columns, Level, TensorType, arch};
use std::ops::Range;

type Multiply = fn(&Weights<'_>, Range<usize>, &Columns, &mut [&mut [f32]]);

/// The kernels of one level. Every function gives the same bits at every level.
#[derive(Clone, Copy, Debug)]
pub struct Kernels {
    /// The level these functions use.
    pub level: Level,
    /// See [`order::dot`].
    pub dot: fn(&[f32], &[f32]) -> f32,
    /// See [`norm::rms_norm`].
    pub rms_norm: fn(&[f32], &[f32], f32, &mut [f32]),
    /// See [`activation::silu_mul`].
    pub silu_mul: fn(&mut [f32], &[f32]),
    /// See [`activation::gelu_mul`].
    pub gelu_mul: fn(&mut [f32], &[f32]),
    /// See [`activation::soft_cap`].
    pub soft_cap: fn(&mut [f32], f32),
    /// See [`activation::add`].
    pub add: fn(&mut [f32], &[f32]),
    /// See [`attention::attend`].
    pub attend: fn(&[f32], &Attention<'_>, &mut [f32], &mut [f32]),
    /// See [`log_softmax::log_normaliser`].
    pub log_normaliser: fn(&[f32]) -> f64,
    /// See [`activations::quantise`].
    pub quantise: fn(&[f32], &mut [ActivationGroup]),
    multiply: fn(TensorType) -> Multiply,
}

impl Kernels {
    /// The functions of `level`.
    pub fn new(level: Level) -> Self {
        match level {
            Level::Scalar => scalar(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => avx2(level),
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
        (self.multiply)(weights.kind)(weights, rows, columns, out);
    }
}

fn scalar() -> Kernels {
    Kernels {
        level: Level::Scalar,
        dot: order::dot,
        rms_norm: norm::rms_norm,
        silu_mul: activation::silu_mul,
        gelu_mul: activation::gelu_mul,
        soft_cap: activation::soft_cap,
        add: activation::add,
        attend: attention::attend,
        log_normaliser: log_softmax::log_normaliser,
        quantise: activations::quantise,
        multiply: |kind| match kind {
            TensorType::F32 | TensorType::F16 | TensorType::BF16 => float_rows::multiply,
            TensorType::Q4_0 => arch::scalar::multiply::<Q4_0>,
            TensorType::Q4_1 => arch::scalar::multiply::<Q4_1>,
            TensorType::Q5_0 => arch::scalar::multiply::<Q5_0>,
            TensorType::Q5_1 => arch::scalar::multiply::<Q5_1>,
            TensorType::Q8_0 => arch::scalar::multiply::<Q8_0>,
            TensorType::Q2K => arch::scalar::multiply::<Q2K>,
            TensorType::Q3K => arch::scalar::multiply::<Q3K>,
            TensorType::Q4K => arch::scalar::multiply::<Q4K>,
            TensorType::Q5K => arch::scalar::multiply::<Q5K>,
            TensorType::Q6K => arch::scalar::multiply::<Q6K>,
            TensorType::IQ4NL => arch::scalar::multiply::<IQ4NL>,
            TensorType::IQ4XS => arch::scalar::multiply::<IQ4XS>,
            TensorType::MXFP4 => arch::scalar::multiply::<MXFP4>,
            TensorType::Q8K => arch::scalar::multiply::<Q8K>,
        },
    }
}

/// A plain function that enters a `#[target_feature]` function of `arch::avx2`.
#[cfg(target_arch = "x86_64")]
macro_rules! enter {
    (|$($argument:ident),*| $function:expr) => {
        // SAFETY: this table is built from a `Level::Avx2` only, whose token exists only after AVX2 was detected.
        |$($argument),*| unsafe { $function($($argument),*) }
    };
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "entering functions of a detected instruction set")]
fn avx2(level: Level) -> Kernels {
    use arch::avx2::*;
    Kernels {
        level,
        dot: enter!(|x, y| dot),
        rms_norm: enter!(|x, weight, epsilon, out| rms_norm),
        silu_mul: enter!(|gate, up| silu_mul),
        gelu_mul: enter!(|gate, up| gelu_mul),
        soft_cap: enter!(|x, cap| soft_cap),
        add: enter!(|x, y| add),
        attend: enter!(|query, attention, scores, out| attend),
        log_normaliser: enter!(|logits| log_normaliser),
        quantise: enter!(|values, out| quantise),
        multiply: |kind| match kind {
            TensorType::F32 | TensorType::F16 | TensorType::BF16 => enter!(|w, r, x, y| multiply_floats),
            TensorType::Q4_0 => enter!(|w, r, x, y| multiply::<Q4_0>),
            TensorType::Q4_1 => enter!(|w, r, x, y| multiply::<Q4_1>),
            TensorType::Q5_0 => enter!(|w, r, x, y| multiply::<Q5_0>),
            TensorType::Q5_1 => enter!(|w, r, x, y| multiply::<Q5_1>),
            TensorType::Q8_0 => enter!(|w, r, x, y| multiply::<Q8_0>),
            TensorType::Q2K => enter!(|w, r, x, y| multiply::<Q2K>),
            TensorType::Q3K => enter!(|w, r, x, y| multiply::<Q3K>),
            TensorType::Q4K => enter!(|w, r, x, y| multiply::<Q4K>),
            TensorType::Q5K => enter!(|w, r, x, y| multiply::<Q5K>),
            TensorType::Q6K => enter!(|w, r, x, y| multiply::<Q6K>),
            TensorType::IQ4NL => enter!(|w, r, x, y| multiply::<IQ4NL>),
            TensorType::IQ4XS => enter!(|w, r, x, y| multiply::<IQ4XS>),
            TensorType::MXFP4 => enter!(|w, r, x, y| multiply::<MXFP4>),
            TensorType::Q8K => enter!(|w, r, x, y| multiply::<Q8K>),
        },
    }
}
