//! Eight rows of quantised weights, unpacked and interleaved for lanes that hold rows.

use crate::block::format::{Format, GROUP_LEN, Group, Minimum};

/// Rows in a panel: the i32 lanes of an AVX2 register. No bit depends on it; a wider machine may take two panels.
pub const ROWS: usize = 8;

/// One group of 32 weights of each of the eight rows.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub struct PanelGroup {
    /// Step `s` holds weights `4s..4s+4` of row 0, then of row 1, and so on.
    pub quants: [[i8; GROUP_LEN]; 8],
    /// Float scale of each row's quants.
    pub d: [f32; ROWS],
    /// Float scale of each row's minimums.
    pub m: [f32; ROWS],
    /// Integer scale of each row's first and second half, each twice for pairwise products.
    pub scales: [[[i16; 2]; ROWS]; 2],
    /// Integer minimums of each row's halves.
    pub minimums: [[i16; 2]; ROWS],
}

impl PanelGroup {
    /// Contributes zero.
    pub const ZERO: Self = Self {
        quants: [[0; GROUP_LEN]; 8],
        d: [0.0; ROWS],
        m: [0.0; ROWS],
        scales: [[[0; 2]; ROWS]; 2],
        minimums: [[0; 2]; ROWS],
    };
}

/// Fills `panel` from up to eight rows; missing rows become zeros. `interleave` turns rows into steps.
#[inline(always)]
pub(crate) fn unpack<F: Format>(
    rows: &[u8],
    row_bytes: usize,
    panel: &mut [PanelGroup],
    interleave: impl Fn([&[i8; GROUP_LEN]; ROWS], &mut [[i8; GROUP_LEN]; 8]),
) {
    let mut decoded = [[Group::EMPTY; 8]; ROWS];
    for (index, panel) in panel.chunks_exact_mut(F::GROUPS).enumerate() {
        for (row, decoded) in rows.chunks_exact(row_bytes).zip(&mut decoded) {
            F::decode(&row[index * F::BLOCK_BYTES..][..F::BLOCK_BYTES], &mut decoded[..F::GROUPS]);
        }
        for (g, group) in panel.iter_mut().enumerate() {
            let quants = |row: usize| &decoded[row][g].quants;
            let rows = [quants(0), quants(1), quants(2), quants(3), quants(4), quants(5), quants(6), quants(7)];
            interleave(rows, &mut group.quants);
            if F::CODEBOOK.is_some() {
                for quant in group.quants.as_flattened_mut() {
                    *quant = F::value(*quant);
                }
            }
            for (row, decoded) in decoded.iter().enumerate() {
                let source = &decoded[g];
                group.d[row] = source.d;
                if F::MINIMUM != Minimum::None {
                    group.m[row] = source.m;
                }
                if F::SCALED {
                    group.scales[0][row] = [source.scales[0]; 2];
                    group.scales[1][row] = [source.scales[1]; 2];
                }
                if F::MINIMUM == Minimum::Scaled {
                    group.minimums[row] = source.minimums;
                }
            }
        }
    }
}
