//! The whole of attention: scores, exponentials, weighted values.

use super::job::{Attention, BLOCK_LEN, Row, padded};
use super::{exponentials, scores, values};
use crate::arch::rows::Arch;
use crate::float::order::LANES;

/// Rows computed against a block while it is near: enough to use it well, few enough for their scores to stay near too.
const GROUP: usize = 32;

/// Attends with every token and query head of `job` and writes the weighted values to `out`.
///
/// Shapes: `out` one slice of `heads * head_len` for each token; `scratch` is resized as needed.
/// Order: `score[p] = dot(query, key[p]) * scale`, soft-capped; `e[p] = exp(score[p] - max)`; the sum of `e` runs in 64
/// lanes by position; each output element adds `e[p] * value[p]` in order of position into one accumulator and is
/// multiplied by `1 / sum` last. Panics on shapes that do not fit.
#[inline(always)]
pub(crate) fn attend<A: Arch>(arch: A, job: &Attention<'_>, scratch: &mut Vec<f32>, out: &mut [&mut [f32]]) {
    assert!(job.heads > 0 && job.head_len > 0 && job.window > 0, "an attention job without heads or window");
    assert!(out.iter().all(|out| out.len() == job.heads * job.head_len), "one output number a query number");
    assert!(job.position + out.len() <= job.blocks.len() * BLOCK_LEN, "the cache does not reach the last token");
    let rows = out.len() * job.heads;
    let mut start = 0;
    while start < rows {
        let end = rows.min(start + GROUP);
        group(arch, job, start..end, scratch, out);
        start = end;
    }
}

#[inline(always)]
fn group<A: Arch>(
    arch: A,
    job: &Attention<'_>,
    numbers: std::ops::Range<usize>,
    scratch: &mut Vec<f32>,
    out: &mut [&mut [f32]],
) {
    let nothing = Row { query: &[], first: 0, end: 0 };
    let mut storage = [nothing; GROUP];
    let rows = &mut storage[..numbers.len()];
    for (row, number) in rows.iter_mut().zip(numbers.clone()) {
        *row = job.row(number);
    }
    // Both grow with the rows. A whole number of 64 positions, so that lanes of sums are columns of scores.
    let base = rows[0].first / LANES * LANES;
    let span = (rows[rows.len() - 1].end - base).next_multiple_of(LANES);
    let (width, head_len) = (padded(job.head_len), job.head_len);
    let sizes = [rows.len() * span, rows.len() * width, BLOCK_LEN * width];
    scratch.resize(sizes.iter().sum::<usize>() + LANES, 0.0);
    // Registers are loaded and stored fastest within a cache line.
    let aligned = scratch.as_ptr().align_offset(64).min(LANES);
    let (all_scores, rest) = scratch[aligned..].split_at_mut(sizes[0]);
    let (sums, rest) = rest.split_at_mut(sizes[1]);
    let converted = &mut rest[..sizes[2]];
    let blocks = base / BLOCK_LEN..rows[rows.len() - 1].end.div_ceil(BLOCK_LEN);
    for number in blocks.clone() {
        let keys = job.blocks[number].keys.floats(job.kv_head * head_len * BLOCK_LEN, head_len * BLOCK_LEN, converted);
        scores::block(arch, keys, number * BLOCK_LEN, rows, base, all_scores);
    }
    let mut inverses = [0.0; GROUP];
    for ((scores, row), inverse) in all_scores.chunks_exact_mut(span).zip(&*rows).zip(&mut inverses) {
        *inverse = 1.0 / exponentials::exponentials(scores, row.first - base..row.end - base, job);
    }
    sums.fill(0.0);
    for number in blocks {
        let values = job.blocks[number].values.floats(job.kv_head * BLOCK_LEN * width, BLOCK_LEN * width, converted);
        values::block(arch, values, number * BLOCK_LEN, rows, (base, all_scores), sums);
    }
    for ((sums, inverse), number) in sums.chunks_exact(width).zip(inverses).zip(numbers) {
        let out = &mut out[number / job.heads][number % job.heads * head_len..][..head_len];
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum * inverse;
        }
    }
}
