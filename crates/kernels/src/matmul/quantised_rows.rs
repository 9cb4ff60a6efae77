//! The product with quantised weights: the walk over panels and columns, and the only float order there is.

use crate::Columns;
use crate::block::format::{Format, GROUP_LEN, Minimum};
use crate::matmul::activation::ActivationGroup;
use crate::matmul::columns::Weights;
use crate::matmul::panel::{self, PanelGroup, ROWS};
use std::ops::Range;

/// Columns multiplied with a panel at once, so that a panel's bytes are loaded once for all of them.
pub(crate) const TILE: usize = 4;

/// The integer sums `I` and `M` of one group for eight rows; see [`Format`].
pub(crate) type Integers = ([i32; ROWS], [i32; ROWS]);

/// Adds one group to eight rows' accumulators: `acc + f32(I) * (d * dx)`, or with minimums
/// `acc + (f32(I) * (d * dx) + f32(M) * (m * dx))`. Every product and sum rounds by itself.
#[inline(always)]
pub(crate) fn accumulate<F: Format>(sums: &mut [f32; ROWS], (i, m): Integers, weights: &PanelGroup, dx: f32) {
    for row in 0..ROWS {
        let scaled = i[row] as f32 * (weights.d[row] * dx);
        sums[row] += match F::MINIMUM {
            Minimum::None => scaled,
            Minimum::Whole | Minimum::Scaled => scaled + m[row] as f32 * (weights.m[row] * dx),
        };
    }
}

/// Dots a panel with `N` columns: groups in index order, one accumulator per output.
#[inline(always)]
pub(crate) fn panel_dot<F: Format, const N: usize>(
    panel: &[PanelGroup],
    columns: [&[ActivationGroup]; N],
    integers: impl Fn(&PanelGroup, &ActivationGroup) -> Integers,
) -> [[f32; ROWS]; N] {
    let columns = columns.map(|column| &column[..panel.len()]);
    let mut sums = [[0.0f32; ROWS]; N];
    for (g, weights) in panel.iter().enumerate() {
        for c in 0..N {
            let x = &columns[c][g];
            accumulate::<F>(&mut sums[c], integers(weights, x), weights, x.d);
        }
    }
    sums
}

/// Computes output rows `rows` for every column: `out[column][row - rows.start]`.
#[inline(always)]
pub(crate) fn multiply<F: Format>(
    weights: &Weights<'_>,
    rows: Range<usize>,
    columns: &Columns,
    out: &mut [&mut [f32]],
    interleave: impl Fn(&[[i8; GROUP_LEN]; ROWS], &mut [[i8; GROUP_LEN]; 8]) + Copy,
    tile: impl Fn(&[PanelGroup], [&[ActivationGroup]; TILE]) -> [[f32; ROWS]; TILE],
    single: impl Fn(&[PanelGroup], [&[ActivationGroup]; 1]) -> [[f32; ROWS]; 1],
) {
    let row_bytes = weights.row_bytes();
    let mut panel = vec![PanelGroup::ZERO; weights.len / GROUP_LEN];
    let mut row = rows.start;
    while row < rows.end {
        let live = ROWS.min(rows.end - row);
        let bytes = &weights.bytes[row * row_bytes..][..live * row_bytes];
        if live < ROWS {
            panel.fill(PanelGroup::ZERO);
        }
        panel::unpack::<F>(bytes, row_bytes, &mut panel, interleave);
        let at = row - rows.start;
        let mut column = 0;
        while column + TILE <= out.len() {
            let sums = tile(&panel, std::array::from_fn(|c| columns.groups(column + c)));
            for (out, sums) in out[column..].iter_mut().zip(&sums) {
                out[at..at + live].copy_from_slice(&sums[..live]);
            }
            column += TILE;
        }
        for (column, out) in out.iter_mut().enumerate().skip(column) {
            let [sums] = single(&panel, [columns.groups(column)]);
            out[at..at + live].copy_from_slice(&sums[..live]);
        }
        row += live;
    }
}
