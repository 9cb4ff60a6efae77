//! Sums of weighted values: one accumulator for each output number, positions in order.

use super::job::{BLOCK_LEN, Row};
use crate::arch::rows::{Arch, ROWS as WIDTH};
use std::ops::Range;

/// Adds `weight[p] * value[p]` for the positions of the block at `start` that each row attends to.
///
/// Shapes: `values` `[32][width]`, the weights `[rows][span]` from the given position on, `sums` `[rows][width]`.
#[inline(always)]
pub(super) fn block<A: Arch>(
    arch: A,
    values: &[f32],
    start: usize,
    rows: &[Row<'_>],
    (base, weights): (usize, &[f32]),
    sums: &mut [f32],
) {
    let (span, width) = (weights.len() / rows.len(), sums.len() / rows.len());
    let slots = |row: usize| {
        let from = rows[row].first.saturating_sub(start).min(BLOCK_LEN);
        from..rows[row].end.saturating_sub(start).clamp(from, BLOCK_LEN)
    };
    let weights = |row: usize| {
        let weights = weights[row * span + start - base..].first_chunk::<BLOCK_LEN>();
        weights.expect("a span is whole blocks")
    };
    let tile = if A::QUERIES == 4 { 4 } else { 2 };
    let mut at = 0;
    while at < rows.len() {
        let last = (at + tile).min(rows.len()) - 1;
        // Seen by every row of the tile; some see earlier positions (windows) or later ones.
        let shared = slots(last).start..slots(at).end;
        let whole = last + 1 - at == tile && !shared.is_empty();
        for row in at..=last {
            let before = if whole { slots(row).start..shared.start } else { slots(row) };
            add::<A, 1>(arch, values, before, [weights(row)], &mut sums[row * width..][..width]);
        }
        if whole {
            let sums = &mut sums[at * width..(last + 1) * width];
            if A::QUERIES == 4 {
                add(
                    arch,
                    values,
                    shared.clone(),
                    [weights(at), weights(at + 1), weights(at + 2), weights(at + 3)],
                    sums,
                );
            } else {
                add(arch, values, shared.clone(), [weights(at), weights(at + 1)], sums);
            }
            for row in at..=last {
                let (weights, sums) = ([weights(row)], &mut sums[(row - at) * width..][..width]);
                add::<A, 1>(arch, values, shared.end..slots(row).end, weights, sums);
            }
        }
        at = last + 1;
    }
}

/// Adds the positions `slots` for `N` rows; `sums` is `[N][width]`.
#[inline(always)]
fn add<A: Arch, const N: usize>(
    arch: A,
    values: &[f32],
    slots: Range<usize>,
    weights: [&[f32; BLOCK_LEN]; N],
    sums: &mut [f32],
) {
    if slots.is_empty() {
        return;
    }
    let width = sums.len() / N;
    let mut at = 0;
    if A::QUERIES == 4 {
        while at + 4 * WIDTH <= width {
            columns::<A, N, 4>(arch, values, at, slots.clone(), weights, sums);
            at += 4 * WIDTH;
        }
    }
    while at + 2 * WIDTH <= width {
        columns::<A, N, 2>(arch, values, at, slots.clone(), weights, sums);
        at += 2 * WIDTH;
    }
    if at < width {
        columns::<A, N, 1>(arch, values, at, slots, weights, sums);
    }
}

/// Adds `16 * M` columns of the values from column `at` on.
#[inline(always)]
fn columns<A: Arch, const N: usize, const M: usize>(
    arch: A,
    values: &[f32],
    at: usize,
    slots: Range<usize>,
    weights: [&[f32; BLOCK_LEN]; N],
    sums: &mut [f32],
) {
    let width = sums.len() / N;
    let mut registers = [[arch.splat(0.0); M]; N];
    for (row, registers) in registers.iter_mut().enumerate() {
        let (sums, _) = sums[row * width + at..][..M * WIDTH].as_chunks::<WIDTH>();
        for (register, sums) in registers.iter_mut().zip(sums) {
            *register = arch.floats(sums);
        }
    }
    let positions = values[slots.start * width..slots.end * width].chunks_exact(width);
    for (slot, values) in slots.zip(positions) {
        let (values, _) = values[at..at + M * WIDTH].as_chunks::<WIDTH>();
        let mut value = [arch.splat(0.0); M];
        for (value, values) in value.iter_mut().zip(values) {
            *value = arch.floats(values);
        }
        for (registers, weights) in registers.iter_mut().zip(weights) {
            let weight = arch.splat(weights[slot]);
            for (register, value) in registers.iter_mut().zip(value) {
                *register = arch.add(*register, arch.mul(weight, value));
            }
        }
    }
    for (row, registers) in registers.iter().enumerate() {
        let (sums, _) = sums[row * width + at..][..M * WIDTH].as_chunks_mut::<WIDTH>();
        for (register, sums) in registers.iter().zip(sums) {
            *sums = arch.to_array(*register);
        }
    }
}
