//! Portable integer sums; the reference for every other level.

use crate::Columns;
use crate::block::format::{Format, GROUP_LEN, Minimum};
use crate::matmul::activation::ActivationGroup;
use crate::matmul::columns::Weights;
use crate::matmul::panel::{PanelGroup, ROWS};
use crate::matmul::quantised_rows::{self, Arch, Integers, TILE};
use std::ops::Range;

/// Turns rows into steps: step `s` takes weights `4s..4s+4` of every row.
#[inline(always)]
pub(crate) fn interleave(rows: [&[i8; GROUP_LEN]; ROWS], steps: &mut [[i8; GROUP_LEN]; 8]) {
    for (s, step) in steps.iter_mut().enumerate() {
        for (row, quants) in rows.iter().enumerate() {
            step[4 * row..4 * row + 4].copy_from_slice(&quants[4 * s..4 * s + 4]);
        }
    }
}

#[inline(always)]
pub(crate) fn integers<F: Format>(weights: &PanelGroup, x: &ActivationGroup) -> Integers {
    let [low, high] = x.sums.map(i32::from);
    let mut halves = [[0i32; ROWS]; 2];
    for (s, step) in weights.quants.iter().enumerate() {
        let x: [i32; 4] = std::array::from_fn(|k| i32::from(x.quants[4 * s + k]));
        for row in 0..ROWS {
            for k in 0..4 {
                halves[s / 4][row] += i32::from(step[4 * row + k]) * x[k];
            }
        }
    }
    let (mut sums, mut minimums) = ([0i32; ROWS], [0i32; ROWS]);
    for row in 0..ROWS {
        let (first, second) = (halves[0][row] - F::ZERO * low, halves[1][row] - F::ZERO * high);
        sums[row] = if F::SCALED {
            i32::from(weights.scales[0][row][0]) * first + i32::from(weights.scales[1][row][0]) * second
        } else {
            first + second
        };
        minimums[row] = match F::MINIMUM {
            Minimum::None => 0,
            Minimum::Whole => low + high,
            Minimum::Scaled => i32::from(weights.minimums[row][0]) * low + i32::from(weights.minimums[row][1]) * high,
        };
    }
    (sums, minimums)
}

pub(crate) fn multiply<F: Format>(
    weights: &Weights<'_>,
    rows: Range<usize>,
    columns: &Columns,
    out: &mut [&mut [f32]],
) {
    let arch = Arch::new(
        interleave,
        // Portable code leaves it to the machine.
        |_: &[u8]| (),
        |panel: &[PanelGroup], columns: [&[ActivationGroup]; TILE]| {
            quantised_rows::panel_dot::<F, _>(panel, columns, integers::<F>)
        },
        |panel: &[PanelGroup], columns: [&[ActivationGroup]; 1]| {
            quantised_rows::panel_dot::<F, _>(panel, columns, integers::<F>)
        },
    );
    quantised_rows::multiply::<F, _, _, _, _>(weights, rows, columns, out, arch);
}
