//! Root mean square normalisation.

use crate::float::order;

/// Normalises `x` by its root mean square and scales it by `weight`.
///
/// Shapes: `x`, `weight`, `out` `[dim]`. Order: contract N1, rule 3; `out[i] = (x[i] * s) * weight[i]` with
/// `s = 1 / sqrt(sum(x*x) / dim + epsilon)`. Panics if the lengths differ.
/// Source: Zhang and Sennrich 2019, equation 4; epsilon inside the root, as in GGUF `*.layer_norm_rms_epsilon`.
#[inline(always)]
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    assert!(x.len() == weight.len() && x.len() == out.len(), "rms_norm of vectors of different lengths");
    let mean = order::dot(x, x) / x.len() as f32;
    let scale = 1.0 / (mean + epsilon).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = (x * scale) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_of_equal_numbers_becomes_the_weight() {
        let mut out = [0.0; 96];
        let weight: Vec<f32> = (0..96u8).map(f32::from).collect();
        rms_norm(&[3.0; 96], &weight, 0.0, &mut out);
        for (out, weight) in out.iter().zip(&weight) {
            assert!((out - weight).abs() <= 1e-5 * weight);
        }
    }
}
