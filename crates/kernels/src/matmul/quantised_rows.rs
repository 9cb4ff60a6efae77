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

/// What an instruction set brings to a product.
pub(crate) struct Arch<I, P, T, S> {
    interleave: I,
    prefetch: P,
    tile: T,
    single: S,
}

impl<I, P, T, S> Arch<I, P, T, S>
where
    I: Fn([&[i8; GROUP_LEN]; ROWS], &mut [[i8; GROUP_LEN]; 8]),
    P: Fn(&[u8]),
    T: Fn(&[PanelGroup], [&[ActivationGroup]; TILE]) -> [[f32; ROWS]; TILE],
    S: Fn(&[PanelGroup], [&[ActivationGroup]; 1]) -> [[f32; ROWS]; 1],
{
    /// `interleave` turns eight rows of quants into steps, `prefetch` says which weights will be needed soon, `tile` and
    /// `single` are [`panel_dot`] of four columns and of one.
    #[inline(always)]
    pub(crate) fn new(interleave: I, prefetch: P, tile: T, single: S) -> Self {
        Self { interleave, prefetch, tile, single }
    }
}

/// Computes output rows `rows` for every column: `out[column][row - rows.start]`.
#[inline(always)]
pub(crate) fn multiply<F: Format, I, P, T, S>(
    weights: &Weights<'_>,
    rows: Range<usize>,
    columns: &Columns,
    out: &mut [&mut [f32]],
    arch: Arch<I, P, T, S>,
) where
    I: Fn([&[i8; GROUP_LEN]; ROWS], &mut [[i8; GROUP_LEN]; 8]),
    P: Fn(&[u8]),
    T: Fn(&[PanelGroup], [&[ActivationGroup]; TILE]) -> [[f32; ROWS]; TILE],
    S: Fn(&[PanelGroup], [&[ActivationGroup]; 1]) -> [[f32; ROWS]; 1],
{
    let row_bytes = weights.row_bytes();
    let mut panel = vec![PanelGroup::ZERO; weights.len / GROUP_LEN];
    let mut row = rows.start;
    while row < rows.end {
        let live = ROWS.min(rows.end - row);
        let (here, later) = weights.bytes[row * row_bytes..rows.end * row_bytes].split_at(live * row_bytes);
        (arch.prefetch)(&later[..later.len().min(here.len())]);
        if live < ROWS {
            panel.fill(PanelGroup::ZERO);
        }
        panel::unpack::<F>(here, row_bytes, &mut panel, &arch.interleave);
        let at = row - rows.start;
        let mut column = 0;
        while column + TILE <= out.len() {
            let sums = (arch.tile)(&panel, std::array::from_fn(|c| columns.groups(column + c)));
            for (out, sums) in out[column..].iter_mut().zip(&sums) {
                out[at..at + live].copy_from_slice(&sums[..live]);
            }
            column += TILE;
        }
        for (column, out) in out.iter_mut().enumerate().skip(column) {
            let [sums] = (arch.single)(&panel, [columns.groups(column)]);
            out[at..at + live].copy_from_slice(&sums[..live]);
        }
        row += live;
    }
}
