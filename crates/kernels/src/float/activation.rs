//! What layers do to single numbers: the gates of the feed-forward block, soft caps, scales and additions.

use crate::math::exp::exp;
use crate::math::tanh::tanh;

/// sqrt(2 / pi).
const SQRT_2_OVER_PI: f32 = 0.797_884_6;

/// `gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i]`, the SwiGLU product.
///
/// Order: `(gate * (1 / (1 + exp(-gate)))) * up`. Panics if the lengths differ.
/// Source: Shazeer 2020, "GLU Variants Improve Transformer".
#[inline(always)]
pub fn silu_mul(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "silu_mul of vectors of different lengths");
    for (gate, up) in gate.iter_mut().zip(up) {
        let sigmoid = 1.0 / (1.0 + exp(-*gate));
        *gate = (*gate * sigmoid) * up;
    }
}

/// `gate[i] = gelu(gate[i]) * up[i]` with the tanh approximation of GELU, the GeGLU product.
///
/// Order: `((0.5 * gate) * (1 + tanh((sqrt(2/pi) * gate) * (1 + (0.044715 * gate) * gate)))) * up`. Panics if the lengths
/// differ. Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units"; Shazeer 2020, as [`silu_mul`].
#[inline(always)]
pub fn gelu_mul(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "gelu_mul of vectors of different lengths");
    for (gate, up) in gate.iter_mut().zip(up) {
        let x = *gate;
        let inner = (SQRT_2_OVER_PI * x) * (1.0 + (0.044_715 * x) * x);
        *gate = ((0.5 * x) * (1.0 + tanh(inner))) * up;
    }
}

/// `x[i] = cap * tanh(x[i] / cap)`: keeps numbers within `cap`.
///
/// Source: Gemma Team 2024, "Gemma 2", section 2.
#[inline(always)]
pub fn soft_cap(x: &mut [f32], cap: f32) {
    for x in x {
        *x = cap * tanh(*x / cap);
    }
}

/// `x[i] *= factor`.
#[inline(always)]
pub fn scale(x: &mut [f32], factor: f32) {
    for x in x {
        *x *= factor;
    }
}

/// `x[i] += factor * y[i]`, the product rounded first. Panics if the lengths differ.
#[inline(always)]
pub fn add_scaled(x: &mut [f32], factor: f32, y: &[f32]) {
    assert_eq!(x.len(), y.len(), "add_scaled of vectors of different lengths");
    for (x, y) in x.iter_mut().zip(y) {
        *x += factor * y;
    }
}

/// `x[i] += y[i]`: residuals and biases. Panics if the lengths differ.
#[inline(always)]
pub fn add(x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "add of vectors of different lengths");
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silu_is_zero_at_zero_and_the_identity_far_out() {
        let mut gate = [0.0, 50.0, -200.0];
        silu_mul(&mut gate, &[1.0, 2.0, 1.0]);
        assert_eq!(gate[0], 0.0);
        assert_eq!(gate[1], 100.0);
        assert_eq!(gate[2], 0.0);
    }

    #[test]
    fn gelu_is_zero_at_zero_the_identity_far_out_and_known_at_one() {
        let mut gate = [0.0, 50.0, -50.0, 1.0];
        gelu_mul(&mut gate, &[1.0, 2.0, 1.0, 1.0]);
        assert_eq!((gate[0], gate[1], gate[2]), (0.0, 100.0, -0.0));
        // 0.5 (1 + tanh(0.7978845608 * 1.044715)), by hand
        assert!((gate[3] - 0.841_192).abs() < 1e-6, "{}", gate[3]);
    }

    #[test]
    fn a_soft_cap_leaves_small_numbers_and_bounds_large_ones() {
        let mut x = [0.01, -1e6, 1e6, 30.0];
        soft_cap(&mut x, 30.0);
        assert!((x[0] - 0.01).abs() < 1e-6);
        assert_eq!((x[1], x[2]), (-30.0, 30.0));
        assert!((x[3] - 30.0 * 0.761_594_2).abs() < 1e-4);
    }

    #[test]
    fn scaled_addition_is_addition_of_the_scaled() {
        let (mut x, mut y) = ([1.0, 2.0, 3.0], [0.1, 0.2, 0.3]);
        let mut want = x;
        add_scaled(&mut x, 0.7, &y);
        scale(&mut y, 0.7);
        add(&mut want, &y);
        assert_eq!(x, want);
    }
}
