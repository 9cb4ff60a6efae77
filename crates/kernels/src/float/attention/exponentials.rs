//! From raw scores of one row to exponentials and their sum.

use super::job::Attention;
use crate::float::activation::soft_cap;
use crate::float::order::{LANES, tree};
use crate::math::exp::exp;
use std::ops::Range;

/// Replaces the scores `seen` by `exp(score - max)` and returns their sum in 64 lanes by position.
///
/// `scores` is a whole number of 64 positions and begins at a multiple of 64. What is not seen counts as minus
/// infinity, whose exponential is `+0.0` and changes no lane.
#[inline(always)]
pub(super) fn exponentials(scores: &mut [f32], seen: Range<usize>, job: &Attention<'_>) -> f32 {
    let start = seen.start / LANES * LANES;
    let scores = &mut scores[start..seen.end.next_multiple_of(LANES)];
    let seen = seen.start - start..seen.end - start;
    for score in scores.iter_mut() {
        *score *= job.scale;
    }
    if job.softcap != 0.0 {
        soft_cap(scores, job.softcap);
    }
    scores[..seen.start].fill(f32::NEG_INFINITY);
    scores[seen.end..].fill(f32::NEG_INFINITY);
    let (chunks, _) = scores.as_chunks_mut::<LANES>();
    let mut largest = [f32::NEG_INFINITY; LANES];
    for chunk in chunks.iter() {
        for i in 0..LANES {
            largest[i] = if chunk[i] > largest[i] { chunk[i] } else { largest[i] };
        }
    }
    let mut max = f32::NEG_INFINITY;
    for score in largest {
        max = if score > max { score } else { max };
    }
    let mut sums = [0.0f32; LANES];
    for chunk in chunks {
        for score in chunk.iter_mut() {
            *score = exp(*score - max);
        }
        for i in 0..LANES {
            sums[i] += chunk[i];
        }
    }
    tree(sums)
}
