//! The product with quantised weights: the walk over panels and columns, and the only float order there is.

use crate::Columns;
use crate::arch::rows::{Arch, Chunk, Halves, ROWS};
use crate::block::format::{Format, Minimum};
use crate::matmul::activation::ActivationGroup;
use crate::matmul::columns::Weights;
use crate::matmul::packed::{self, Layout, Scales};
use std::ops::Range;

/// The scales of one group of sixteen rows, in registers.
#[derive(Clone, Copy)]
struct GroupScales<V> {
    d: V,
    m: V,
    /// Integer scales and minimums of each half, as floats; the first alone counts where halves share them.
    scales: [V; 2],
    minimums: [V; 2],
}

/// The float scales `d` and `m` of a block.
#[inline(always)]
fn floats<A: Arch, F: Format>(arch: A, scales: &Scales<'_, F>) -> (A::Floats, A::Floats) {
    let d = if F::D_IS_HALF { arch.convert_halves(&scales.d_half()) } else { arch.floats(&scales.d_float()) };
    let m = if matches!(F::MINIMUM, Minimum::None) { d } else { arch.convert_halves(&scales.m_half()) };
    (d, m)
}

/// The integer scales of `group`, beside the block's `d` and `m`. What the format does not have repeats `d`, unused.
#[inline(always)]
fn group_scales<A: Arch, F: Format>(
    arch: A,
    scales: &Scales<'_, F>,
    (d, m): (A::Floats, A::Floats),
    group: usize,
) -> GroupScales<A::Floats> {
    let mut all = GroupScales { d, m, scales: [d; 2], minimums: [d; 2] };
    for half in 0..if F::HALVES { 2 } else { 1 } {
        if F::SCALED {
            all.scales[half] = arch.convert_bytes(&scales.scales(group, half));
        }
        if matches!(F::MINIMUM, Minimum::Scaled) {
            all.minimums[half] = arch.convert_bytes(&scales.minimums(group, half));
        }
    }
    all
}

/// Adds one group to sixteen rows' accumulators: `acc + f32(I) * (d * dx)`, or with minimums
/// `acc + (f32(I) * (d * dx) + f32(M) * (m * dx))`. Every product and sum rounds by itself.
///
/// `I` and `M` are formed from integers that are floats already: all of their parts are below 2^24 in size (see
/// [`Format`]), so every step up to them is exact. A zero may come out negative, which no accumulator can tell from a
/// positive one: accumulators start at `+0.0` and never become `-0.0`.
#[inline(always)]
fn accumulate<A: Arch, F: Format>(
    arch: A,
    sum: A::Floats,
    dots: Halves<A::Integers>,
    x: &ActivationGroup,
    group: &GroupScales<A::Floats>,
) -> A::Floats {
    let dx = arch.splat(x.d);
    let mut i = arch.convert_integers(dots.first);
    if F::SCALED {
        i = arch.mul(i, group.scales[0]);
        if F::HALVES {
            i = arch.add(i, arch.mul(arch.convert_integers(dots.second), group.scales[1]));
        }
    }
    let scaled = arch.mul(i, arch.mul(group.d, dx));
    let term = match F::MINIMUM {
        Minimum::None => scaled,
        Minimum::Whole => arch.add(scaled, arch.mul(arch.splat(x.total as f32), arch.mul(group.m, dx))),
        Minimum::Scaled => {
            let m = if F::HALVES {
                let (first, second) = (arch.splat(x.halves[0] as f32), arch.splat(x.halves[1] as f32));
                arch.add(arch.mul(first, group.minimums[0]), arch.mul(second, group.minimums[1]))
            } else {
                arch.mul(arch.splat(x.total as f32), group.minimums[0])
            };
            arch.add(scaled, arch.mul(m, arch.mul(group.m, dx)))
        }
    };
    arch.add(sum, term)
}

/// Codes and scales of a panel.
type Panel<'a> = (&'a [Chunk], &'a [u8]);

/// Dots a panel with `N` columns: groups in index order, one accumulator per output.
///
/// Asks for `ahead`, the panel that comes next, meanwhile: a panel's bytes are needed for little work if columns are few.
#[inline(always)]
fn tile<A: Arch, F: Format, const N: usize>(
    arch: A,
    panel: Panel<'_>,
    ahead: Option<Panel<'_>>,
    columns: [&[ActivationGroup]; N],
) -> [A::Floats; N] {
    let (codes, scales) = panel;
    let ahead = ahead.map(
        #[inline(always)]
        |(codes_ahead, scales_ahead)| (&codes_ahead[..codes.len()], &scales_ahead[..scales.len()]),
    );
    let groups = codes.len() / Layout::<F>::CHUNKS;
    let mut columns = columns;
    for column in &mut columns {
        *column = &column[..groups];
    }
    let mut sums = [arch.splat(0.0); N];
    let mut at = 0;
    for (index, block) in scales.chunks_exact(Layout::<F>::SCALE_BYTES).take(groups / F::GROUPS).enumerate() {
        if let Some((_, scales_ahead)) = ahead {
            arch.prefetch(&scales_ahead[index * Layout::<F>::SCALE_BYTES..][..Layout::<F>::SCALE_BYTES]);
        }
        let block = Scales::<F>::new(block);
        let whole = floats::<A, F>(arch, &block);
        for group in 0..F::GROUPS {
            let chunks = &codes[at * Layout::<F>::CHUNKS..][..Layout::<F>::CHUNKS];
            if let Some((codes_ahead, _)) = ahead {
                arch.prefetch(codes_ahead[at * Layout::<F>::CHUNKS..][..Layout::<F>::CHUNKS].as_flattened());
            }
            let quants = arch.quants::<F>(chunks);
            let scales = group_scales::<A, F>(arch, &block, whole, group);
            let mut x = [&columns[0][at]; N];
            for c in 1..N {
                x[c] = &columns[c][at];
            }
            let dots = arch.dots::<F, N>(&quants, x);
            for c in 0..N {
                sums[c] = accumulate::<A, F>(arch, sums[c], dots[c], x[c], &scales);
            }
            at += 1;
        }
    }
    sums
}

/// Where the outputs of a panel go.
struct Target<'t, 'o> {
    out: &'t mut [&'o mut [f32]],
    /// Which of the panel's sixteen rows are wanted.
    rows: Range<usize>,
    /// Where the first of them goes.
    at: usize,
}

impl Target<'_, '_> {
    #[inline(always)]
    fn store(&mut self, column: usize, values: &[f32; ROWS]) {
        let length = self.rows.len();
        self.out[column][self.at..self.at + length].copy_from_slice(&values[self.rows.clone()]);
    }
}

/// Multiplies the first of two panels, the second of which comes next, with the columns from `first` on, `N` at a time, as
/// long as there are at least `least` left; the last of them is repeated where there are fewer than `N`. Returns the first
/// column not done.
#[inline(always)]
fn tiles<A: Arch, F: Format, const N: usize>(
    arch: A,
    panels: [Panel<'_>; 2],
    columns: &Columns,
    (first, least): (usize, usize),
    target: &mut Target<'_, '_>,
) -> usize {
    let count = target.out.len();
    let mut column = first;
    while column + least <= count {
        let mut here = [columns.groups(column); N];
        for (c, here) in here.iter_mut().enumerate().skip(1) {
            *here = columns.groups((column + c).min(count - 1));
        }
        let ahead = (column == 0).then_some(panels[1]);
        let sums = tile::<A, F, N>(arch, panels[0], ahead, here);
        for (c, sums) in sums.into_iter().enumerate().take(count - column) {
            target.store(column + c, &arch.to_array(sums));
        }
        column = (column + N).min(count);
    }
    column
}

/// Computes output rows `rows` for every column: `out[column][row - rows.start]`.
#[inline(always)]
pub(crate) fn multiply<A: Arch, F: Format>(
    arch: A,
    weights: &Weights<'_>,
    rows: Range<usize>,
    columns: &Columns,
    out: &mut [&mut [f32]],
) {
    let mut scratch = Vec::new();
    for index in rows.start / ROWS..rows.end.div_ceil(ROWS) {
        let of_panel = index * ROWS..(index * ROWS + ROWS).min(weights.rows);
        let panels = match weights.packed {
            Some(packed) => [packed.panel(index), packed.panel(index + 1)],
            None => {
                scratch.resize(Layout::<F>::panel_bytes(weights.len), 0);
                packed::pack::<F>(weights, of_panel.clone(), &mut scratch);
                [scratch.as_slice(); 2]
            }
        };
        let [panel, ahead] = panels;
        let panels = [Layout::<F>::split(panel, weights.len), Layout::<F>::split(ahead, weights.len)];
        let wanted = rows.start.max(of_panel.start)..rows.end.min(of_panel.end);
        let mut target = Target {
            out,
            rows: wanted.start - of_panel.start..wanted.end - of_panel.start,
            at: wanted.start - rows.start,
        };
        // A tile with room to spare costs less than as many single columns, if more than half of it is used.
        let mut column = 0;
        if A::COLUMNS == 8 {
            column = tiles::<A, F, 8>(arch, panels, columns, (column, 5), &mut target);
        }
        if A::COLUMNS == 4 {
            column = tiles::<A, F, 4>(arch, panels, columns, (column, 3), &mut target);
        }
        tiles::<A, F, 1>(arch, panels, columns, (column, 1), &mut target);
    }
}
