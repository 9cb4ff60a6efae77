//! AVX2: integer sums of eight rows at once, and instances of the portable float code.
#![expect(unsafe_code, reason = "loads and stores of whole registers; each block says why it is in bounds")]

use crate::Columns;
use crate::block::format::{Format, GROUP_LEN, Minimum};
use crate::float::{activation, attention, norm, order};
use crate::math::log_softmax;
use crate::matmul::activation::{self as activations, ActivationGroup};
use crate::matmul::columns::Weights;
use crate::matmul::float_rows;
use crate::matmul::panel::{PanelGroup, ROWS};
use crate::matmul::quantised_rows::{self, Arch, Integers, TILE};
use core::arch::x86_64::*;
use std::ops::Range;

#[target_feature(enable = "avx2")]
#[inline]
fn load_bytes(bytes: &[i8; 32]) -> __m256i {
    // SAFETY: the reference covers exactly the 32 bytes read; the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_pairs(pairs: &[[i16; 2]; ROWS]) -> __m256i {
    // SAFETY: eight pairs of two bytes each are exactly the 32 bytes read; the load needs no alignment.
    unsafe { _mm256_loadu_si256(pairs.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn to_array(vector: __m256i) -> [i32; ROWS] {
    let mut array = [0i32; ROWS];
    // SAFETY: the array has exactly the 32 bytes written; the store needs no alignment.
    unsafe { _mm256_storeu_si256(array.as_mut_ptr().cast(), vector) };
    array
}

/// Turns rows into steps: a transposition of 8 by 8 words of four weights.
#[target_feature(enable = "avx2")]
#[inline]
fn interleave(rows: [&[i8; GROUP_LEN]; ROWS], steps: &mut [[i8; GROUP_LEN]; 8]) {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    let (r0, r1, r2, r3) = (load_bytes(r0), load_bytes(r1), load_bytes(r2), load_bytes(r3));
    let (r4, r5, r6, r7) = (load_bytes(r4), load_bytes(r5), load_bytes(r6), load_bytes(r7));
    let (a0, a1) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
    let (a2, a3) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
    let (a4, a5) = (_mm256_unpacklo_epi32(r4, r5), _mm256_unpackhi_epi32(r4, r5));
    let (a6, a7) = (_mm256_unpacklo_epi32(r6, r7), _mm256_unpackhi_epi32(r6, r7));
    let (b0, b1) = (_mm256_unpacklo_epi64(a0, a2), _mm256_unpackhi_epi64(a0, a2));
    let (b2, b3) = (_mm256_unpacklo_epi64(a1, a3), _mm256_unpackhi_epi64(a1, a3));
    let (b4, b5) = (_mm256_unpacklo_epi64(a4, a6), _mm256_unpackhi_epi64(a4, a6));
    let (b6, b7) = (_mm256_unpacklo_epi64(a5, a7), _mm256_unpackhi_epi64(a5, a7));
    let columns = [
        _mm256_permute2x128_si256::<0x20>(b0, b4),
        _mm256_permute2x128_si256::<0x20>(b1, b5),
        _mm256_permute2x128_si256::<0x20>(b2, b6),
        _mm256_permute2x128_si256::<0x20>(b3, b7),
        _mm256_permute2x128_si256::<0x31>(b0, b4),
        _mm256_permute2x128_si256::<0x31>(b1, b5),
        _mm256_permute2x128_si256::<0x31>(b2, b6),
        _mm256_permute2x128_si256::<0x31>(b3, b7),
    ];
    for (step, column) in steps.iter_mut().zip(columns) {
        // SAFETY: the reference covers exactly the 32 bytes written; the store needs no alignment.
        unsafe { _mm256_storeu_si256(step.as_mut_ptr().cast(), column) };
    }
}

/// Pairwise products of four weights of each row with four activations, as i16 (see [`Format::PAIRS_IN_I16`]).
///
/// Exact: unsigned weights are at most 63, so a pair is at most 2 * 63 * 127 = 16,002; signed ones go in as magnitudes
/// up to 128 with the sign moved to the activation (never -128), so a pair is at most 2 * 128 * 127 = 32,512.
#[target_feature(enable = "avx2")]
#[inline]
fn pairs<F: Format>(weights: &PanelGroup, x: &ActivationGroup, step: usize) -> __m256i {
    let w = load_bytes(&weights.quants[step]);
    let [a, b, c, d] = [0, 1, 2, 3].map(
        #[inline(always)]
        |k: usize| x.quants[4 * step + k] as u8,
    );
    let x = _mm256_set1_epi32(i32::from_le_bytes([a, b, c, d]));
    if F::SIGNED {
        _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))
    } else {
        _mm256_maddubs_epi16(w, x)
    }
}

/// Adds the pairwise products of steps `from..to`, widening with `factor` (i16 per pair element) as late as is exact.
#[target_feature(enable = "avx2")]
#[inline]
fn widen<F: Format>(weights: &PanelGroup, x: &ActivationGroup, from: usize, to: usize, factor: __m256i) -> __m256i {
    let mut sum = _mm256_setzero_si256();
    let mut step = from;
    while step < to {
        let mut short = pairs::<F>(weights, x, step);
        let mut next = step + 1;
        while next < step + F::PAIRS_IN_I16 {
            short = _mm256_add_epi16(short, pairs::<F>(weights, x, next));
            next += 1;
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(short, factor));
        step = next;
    }
    sum
}

#[target_feature(enable = "avx2")]
#[inline]
fn integers<F: Format>(weights: &PanelGroup, x: &ActivationGroup) -> Integers {
    let total = i32::from(x.sums[0]) + i32::from(x.sums[1]);
    let [low, high] = [x.sums[0] as u16, x.sums[1] as u16];
    let halves = _mm256_set1_epi32((u32::from(low) | (u32::from(high) << 16)) as i32);
    let sums = if F::SCALED {
        let (first, second) = (load_pairs(&weights.scales[0]), load_pairs(&weights.scales[1]));
        let sum = _mm256_add_epi32(widen::<F>(weights, x, 0, 4, first), widen::<F>(weights, x, 4, 8, second));
        if F::ZERO == 0 {
            sum
        } else {
            // Take ZERO * (scale0 * sum0 + scale1 * sum1) away; at most 32 * 2 * 128 * 2,032 in size, fits an i32.
            let scales = _mm256_blend_epi16::<0b1010_1010>(first, second);
            let zero = _mm256_mullo_epi32(_mm256_madd_epi16(scales, halves), _mm256_set1_epi32(F::ZERO));
            _mm256_sub_epi32(sum, zero)
        }
    } else {
        let sum = widen::<F>(weights, x, 0, 8, _mm256_set1_epi16(1));
        if F::ZERO == 0 { sum } else { _mm256_sub_epi32(sum, _mm256_set1_epi32(F::ZERO * total)) }
    };
    let minimums = match F::MINIMUM {
        Minimum::None => _mm256_setzero_si256(),
        Minimum::Whole => _mm256_set1_epi32(total),
        Minimum::Scaled => _mm256_madd_epi16(load_pairs(&weights.minimums), halves),
    };
    (to_array(sums), to_array(minimums))
}

#[target_feature(enable = "avx2")]
pub(crate) fn multiply<F: Format>(
    weights: &Weights<'_>,
    rows: Range<usize>,
    columns: &Columns,
    out: &mut [&mut [f32]],
) {
    let arch = Arch::new(
        #[inline(always)]
        |rows: [&[i8; GROUP_LEN]; ROWS], steps: &mut [[i8; GROUP_LEN]; 8]| interleave(rows, steps),
        #[inline(always)]
        |bytes: &[u8]| prefetch(bytes),
        #[inline(always)]
        |panel: &[PanelGroup], columns: [&[ActivationGroup]; TILE]| {
            quantised_rows::panel_dot::<F, _>(
                panel,
                columns,
                #[inline(always)]
                |weights, x| integers::<F>(weights, x),
            )
        },
        #[inline(always)]
        |panel: &[PanelGroup], columns: [&[ActivationGroup]; 1]| {
            quantised_rows::panel_dot::<F, _>(
                panel,
                columns,
                #[inline(always)]
                |weights, x| integers::<F>(weights, x),
            )
        },
    );
    quantised_rows::multiply::<F, _, _, _, _>(weights, rows, columns, out, arch);
}

/// Asks for the cache lines of `bytes`: eight rows are more streams, in smaller pages, than the hardware follows.
#[target_feature(enable = "avx2")]
#[inline]
fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(64) {
        _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
    }
}

#[target_feature(enable = "avx2")]
pub(crate) fn multiply_floats(weights: &Weights<'_>, rows: Range<usize>, columns: &Columns, out: &mut [&mut [f32]]) {
    float_rows::multiply(weights, rows, columns, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn quantise(values: &[f32], out: &mut [ActivationGroup]) {
    activations::quantise(values, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn dot(x: &[f32], y: &[f32]) -> f32 {
    order::dot(x, y)
}

#[target_feature(enable = "avx2")]
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    norm::rms_norm(x, weight, epsilon, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn silu_mul(gate: &mut [f32], up: &[f32]) {
    activation::silu_mul(gate, up);
}

#[target_feature(enable = "avx2")]
pub(crate) fn gelu_mul(gate: &mut [f32], up: &[f32]) {
    activation::gelu_mul(gate, up);
}

#[target_feature(enable = "avx2")]
pub(crate) fn soft_cap(x: &mut [f32], cap: f32) {
    activation::soft_cap(x, cap);
}

#[target_feature(enable = "avx2")]
pub(crate) fn add(x: &mut [f32], y: &[f32]) {
    activation::add(x, y);
}

#[target_feature(enable = "avx2")]
pub(crate) fn attend(query: &[f32], attention: &attention::Attention<'_>, scores: &mut [f32], out: &mut [f32]) {
    attention::attend(query, attention, scores, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn log_normaliser(logits: &[f32]) -> f64 {
    log_softmax::log_normaliser(logits)
}
