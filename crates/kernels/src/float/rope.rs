//! Rotary position embedding: turning pairs of numbers by an angle that depends on the position.

/// Rotates pairs `(x[2i], x[2i+1])` by angle `i`; GGUF's `llama` layout (NORM, interleaved).
///
/// Shapes: `x` at least `2 * cos.len()`, the rest of the head is left alone; `cos`, `sin` `[rotated pairs]`.
/// Order: `a*cos - b*sin`, `a*sin + b*cos`, each product rounded.
#[inline(always)]
pub fn rotate_interleaved(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (pairs, _) = x.as_chunks_mut::<2>();
    for ((pair, cos), sin) in pairs.iter_mut().zip(cos).zip(sin) {
        let [a, b] = *pair;
        *pair = [a * cos - b * sin, a * sin + b * cos];
    }
}

/// Rotates pairs `(x[i], x[i + n])`, `n = cos.len()`, by angle `i`; GGUF's `qwen2` layout (NEOX, halves).
///
/// Shapes and order: as [`rotate_interleaved`].
#[inline(always)]
pub fn rotate_halves(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (low, high) = x.split_at_mut(cos.len());
    for (((a, b), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
        let (old_a, old_b) = (*a, *b);
        *a = old_a * cos - old_b * sin;
        *b = old_a * sin + old_b * cos;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_moves_the_first_of_a_pair_to_the_second() {
        let mut x = [1.0, 0.0, 2.0, 0.0, 9.0];
        rotate_interleaved(&mut x, &[0.0, 0.0], &[1.0, 1.0]);
        assert_eq!(x, [0.0, 1.0, 0.0, 2.0, 9.0]);
        let mut x = [1.0, 2.0, 0.0, 0.0, 9.0];
        rotate_halves(&mut x, &[0.0, 0.0], &[1.0, 1.0]);
        assert_eq!(x, [0.0, 0.0, 1.0, 2.0, 9.0]);
    }
}
