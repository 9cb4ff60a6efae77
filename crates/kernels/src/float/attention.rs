//! Attention of one query head over the cached positions, in an order that depends on absolute positions only.

use crate::float::activation::soft_cap;
use crate::float::order::{self, LANES};
use crate::math::exp::exp;

/// One head's view of the cache: blocks of `block_len` positions, position `p` in block `p / block_len`.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Per block, the keys of this layer: `[block_len][stride]`.
    pub keys: &'a [&'a [f32]],
    /// Per block, the values of this layer: `[block_len][stride]`.
    pub values: &'a [&'a [f32]],
    /// Positions in one block.
    pub block_len: usize,
    /// Floats from one position to the next.
    pub stride: usize,
    /// Where this head starts within a position.
    pub offset: usize,
    /// First position attended to; above 0 in a sliding window.
    pub first: usize,
    /// Positions attended to: `first..length`, at least one.
    pub length: usize,
    /// Factor of every score, usually `1 / sqrt(head size)`.
    pub scale: f32,
    /// Scores stay within this, by a tanh after the factor; 0 leaves them alone.
    pub softcap: f32,
}

impl<'a> Attention<'a> {
    #[inline(always)]
    fn rows(&self, blocks: &'a [&'a [f32]], size: usize) -> impl Iterator<Item = &'a [f32]> {
        let Self { block_len, stride, offset, length, .. } = *self;
        let mut left = length;
        blocks.iter().flat_map(move |block| {
            let here = left.min(block_len);
            left -= here;
            (0..here).map(move |slot| &block[slot * stride + offset..][..size])
        })
    }
}

/// Attends with `query` and writes the weighted values to `out`.
///
/// Shapes: `query`, `out` `[head size]`; `scores` is scratch of at least `length`.
/// Order: `score[p] = dot(query, key[p]) * scale`, soft-capped; `e[p] = exp(score[p] - max)`; the sum of `e` runs in 64 lanes by
/// position; each output element adds `e[p] * value[p]` in order of position into one accumulator and is multiplied by
/// `1 / sum` last. Nothing depends on how positions came to be computed. Panics on shapes that do not fit.
#[inline(always)]
pub fn attend(query: &[f32], attention: &Attention<'_>, scores: &mut [f32], out: &mut [f32]) {
    assert_eq!(query.len(), out.len(), "attention output has another size than the query");
    let first = attention.first;
    let scores = &mut scores[..attention.length];
    for (score, key) in scores.iter_mut().zip(attention.rows(attention.keys, query.len())).skip(first) {
        *score = order::dot(query, key) * attention.scale;
    }
    if attention.softcap > 0.0 {
        soft_cap(&mut scores[first..], attention.softcap);
    }
    // Positions before the window weigh nothing; the others keep their lanes.
    scores[..first].fill(0.0);
    exponentials(&mut scores[first..]);
    let sum = order::sum(scores);
    let inverse = 1.0 / sum;
    let mut start = 0;
    while start < out.len() {
        let width = LANES.min(out.len() - start);
        let mut lanes = [0.0f32; LANES];
        if width == LANES {
            for (weight, value) in scores.iter().zip(attention.rows(attention.values, query.len())).skip(first) {
                let value = value[start..].first_chunk::<LANES>().expect("width was checked against the head size");
                for i in 0..LANES {
                    lanes[i] += weight * value[i];
                }
            }
        } else {
            for (weight, value) in scores.iter().zip(attention.rows(attention.values, query.len())).skip(first) {
                for (lane, value) in lanes.iter_mut().zip(&value[start..]) {
                    *lane += weight * value;
                }
            }
        }
        for (out, lane) in out[start..].iter_mut().zip(lanes) {
            *out = lane * inverse;
        }
        start += LANES;
    }
}

/// Replaces scores by `exp(score - max)`.
#[inline(always)]
fn exponentials(scores: &mut [f32]) {
    let mut max = f32::NEG_INFINITY;
    for &score in scores.iter() {
        max = if score > max { score } else { max };
    }
    for score in scores.iter_mut() {
        *score = exp(*score - max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_average_the_values() {
        let keys = [1.0f32; 3 * 4 * 2];
        let values: Vec<f32> = (0..24u8).map(f32::from).collect();
        let (keys, values): (Vec<&[f32]>, Vec<&[f32]>) = (keys.chunks(8).collect(), values.chunks(8).collect());
        let attention = |first, softcap| Attention {
            keys: &keys,
            values: &values,
            block_len: 2,
            stride: 4,
            offset: 2,
            first,
            length: 5,
            scale: 0.5,
            softcap,
        };
        let mut out = [0.0; 2];
        // positions 0..5, values 4p + 2 and 4p + 3: mean at p = 2, in a window of the last three at p = 3
        for (first, softcap, mean) in [(0, 0.0, 10.0), (0, 1.5, 10.0), (2, 0.0, 14.0)] {
            attend(&[1.0, 2.0], &attention(first, softcap), &mut [9.0; 8], &mut out);
            assert!((out[0] - mean).abs() < 1e-5 && (out[1] - mean - 1.0).abs() < 1e-5, "{out:?}");
        }
    }

    #[test]
    fn a_soft_cap_draws_unequal_weights_together() {
        let (keys, values) = ([0.0f32, 40.0], [0.0f32, 1.0]);
        let (keys, values): ([&[f32]; 1], [&[f32]; 1]) = ([&keys], [&values]);
        let mut out = [0.0];
        for (softcap, logit) in [(0.0, 40.0), (2.0, 2.0 * 20f32.tanh())] {
            let attention = Attention {
                keys: &keys,
                values: &values,
                block_len: 2,
                stride: 1,
                offset: 0,
                first: 0,
                length: 2,
                scale: 1.0,
                softcap,
            };
            attend(&[1.0], &attention, &mut [0.0; 2], &mut out);
            assert!((out[0] - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-6, "{out:?}");
        }
    }
}
