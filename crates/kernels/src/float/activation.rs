//! The gate of the feed-forward block.

use crate::math::exp::exp;

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
}
