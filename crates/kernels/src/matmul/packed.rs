//! Weights packed for the kernels: panels of sixteen rows whose codes are interleaved, so that lanes are rows.
//!
//! A panel of a quantised matrix holds, for all groups of 32 weights in order, first the codes of all of them, then their
//! scales. Codes are in *step order*: byte `64 s + 4 r + k` of a group belongs to weight `4 s + k` of row `r` (step `s`
//! 0 to 7, `k` 0 to 3). Codes of fewer than 8 bits are split into planes, stored one after the other in 64-byte chunks:
//!
//! | plane | chunks | which bits |
//! |---|---|---|
//! | 8 bits | 8 | chunk `s` is step `s` |
//! | 4 bits | 4 | chunk `t` holds step `t` in the low and step `t + 4` in the high nibbles |
//! | 2 bits | 2 | chunk `t` holds step `4 t + j` in bits `2 j` and `2 j + 1` |
//! | 1 bit | 1 | bit `s` of each byte belongs to step `s` |
//!
//! 3 bits are a plane of the 2 lower and one of the upper bit; 5 are 4 + 1; 6 are 4 + 2. A *block* of scales (as many
//! groups as a block of the file's format has) holds sixteen `d`, sixteen `m` if the format has minimums, both as binary16
//! or, where that would not be exact, as f32; then for each group sixteen scales of each half (once if the halves share
//! them) and sixteen minimums likewise, as bytes.

use crate::arch::rows::{Chunk, ROWS};
use crate::block::format::{Format, GROUP_LEN, Group, Minimum};
use crate::math::half::f32_to_f16;
use crate::matmul::columns::Weights;
use std::ops::Range;

/// A quantised matrix in packed form: `rows.div_ceil(16)` panels. A view of bytes that best begin on a cache line.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    panel_bytes: usize,
}

impl<'a> Packed<'a> {
    /// A view of `bytes`, to which all panels of `weights` were packed; `None` for types that are multiplied as they stand
    /// in the file (F32, F16, BF16), or if the size does not fit.
    pub fn new(weights: &Weights<'_>, bytes: &'a [u8]) -> Option<Self> {
        let panel_bytes = Self::bytes_of_panel(weights)?;
        (bytes.len() == panel_bytes * weights.rows.div_ceil(ROWS)).then_some(Self { bytes, panel_bytes })
    }

    /// Packs all of `weights` into `bytes`, [`bytes_needed`](Self::bytes_needed) long, and returns the view.
    pub fn pack(weights: &Weights<'_>, bytes: &'a mut [u8]) -> Option<Self> {
        let panel_bytes = Self::bytes_of_panel(weights)?;
        for (index, panel) in bytes.chunks_exact_mut(panel_bytes).enumerate() {
            Self::pack_panel(weights, index, panel);
        }
        Self::new(weights, bytes)
    }

    /// Bytes of one panel of `weights`, a whole number of cache lines; `None` as [`new`](Self::new).
    pub fn bytes_of_panel(weights: &Weights<'_>) -> Option<usize> {
        crate::block::with_format!(weights.kind, F => Some(Layout::<F>::panel_bytes(weights.len)), else None)
    }

    /// Bytes that `weights` take in packed form; `None` as [`new`](Self::new).
    pub fn bytes_needed(weights: &Weights<'_>) -> Option<usize> {
        Some(Self::bytes_of_panel(weights)? * weights.rows.div_ceil(ROWS))
    }

    /// Packs the rows of panel `index` of `weights` into `panel`, [`bytes_of_panel`](Self::bytes_of_panel) long. Nothing
    /// happens to types that have no packed form. Panics if the panel is not of these weights.
    pub fn pack_panel(weights: &Weights<'_>, index: usize, panel: &mut [u8]) {
        let rows = index * ROWS..(index * ROWS + ROWS).min(weights.rows);
        crate::block::with_format!(weights.kind, F => pack::<F>(weights, rows, panel), else ());
    }

    /// Panel `index`, or the last one if there are fewer.
    #[inline(always)]
    pub(crate) fn panel(&self, index: usize) -> &'a [u8] {
        let start = (index * self.panel_bytes).min(self.bytes.len() - self.panel_bytes);
        &self.bytes[start..][..self.panel_bytes]
    }
}

/// The sizes of a format's panels.
pub(crate) struct Layout<F>(std::marker::PhantomData<F>);

impl<F: Format> Layout<F> {
    /// Bytes of one `d` or `m`.
    const FLOAT_BYTES: usize = if F::D_IS_HALF { 2 } else { 4 };
    /// Sets of sixteen scales (or minimums) of one group.
    const SETS: usize = if F::HALVES { 2 } else { 1 };
    const HAS_M: bool = !matches!(F::MINIMUM, Minimum::None);
    const SCALE_SETS: usize = if F::SCALED { Self::SETS } else { 0 };
    const MINIMUM_SETS: usize = if matches!(F::MINIMUM, Minimum::Scaled) { Self::SETS } else { 0 };
    /// Where `m` stands in a block of scales.
    const M_AT: usize = Self::FLOAT_BYTES * ROWS;
    /// Where the integer scales of the first group stand.
    const SCALES_AT: usize = Self::M_AT + if Self::HAS_M { Self::FLOAT_BYTES * ROWS } else { 0 };
    const GROUP_SCALES: usize = (Self::SCALE_SETS + Self::MINIMUM_SETS) * ROWS;
    /// Bytes of one block of scales.
    pub(crate) const SCALE_BYTES: usize = Self::SCALES_AT + F::GROUPS * Self::GROUP_SCALES;
    /// Chunks of one group's codes.
    pub(crate) const CHUNKS: usize = F::QUANT_BITS as usize;

    fn code_bytes(len: usize) -> usize {
        len / GROUP_LEN * Self::CHUNKS * size_of::<Chunk>()
    }

    pub(crate) fn panel_bytes(len: usize) -> usize {
        Self::code_bytes(len) + (len / F::BLOCK_LEN * Self::SCALE_BYTES).next_multiple_of(size_of::<Chunk>())
    }

    /// The codes of a panel and its blocks of scales.
    #[inline(always)]
    pub(crate) fn split(panel: &[u8], len: usize) -> (&[Chunk], &[u8]) {
        let (codes, scales) = panel.split_at(Self::code_bytes(len));
        (codes.as_chunks().0, scales)
    }
}

/// The scales of one block, as views of a packed panel.
#[derive(Clone, Copy)]
pub(crate) struct Scales<'a, F> {
    bytes: &'a [u8],
    format: std::marker::PhantomData<F>,
}

impl<'a, F: Format> Scales<'a, F> {
    /// `bytes` are [`Layout::SCALE_BYTES`] long.
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: &bytes[..Layout::<F>::SCALE_BYTES], format: std::marker::PhantomData }
    }

    #[inline(always)]
    fn sixteen<const BYTES: usize>(&self, at: usize) -> &'a [u8; BYTES] {
        self.bytes[at..].first_chunk().expect("a block of scales has its full length")
    }

    /// `d` as binary16; only where `F::D_IS_HALF`.
    #[inline(always)]
    pub(crate) fn d_half(&self) -> [u16; ROWS] {
        halves(self.sixteen(0))
    }

    /// `d` as f32; only where not `F::D_IS_HALF`.
    #[inline(always)]
    pub(crate) fn d_float(&self) -> [f32; ROWS] {
        singles(self.sixteen(0))
    }

    /// `m` as binary16; only in formats with minimums, all of which have `F::D_IS_HALF`.
    #[inline(always)]
    pub(crate) fn m_half(&self) -> [u16; ROWS] {
        halves(self.sixteen(Layout::<F>::M_AT))
    }

    /// The integer scales of `group` for `half` (0 where the halves share them).
    #[inline(always)]
    pub(crate) fn scales(&self, group: usize, half: usize) -> [i8; ROWS] {
        let at = Layout::<F>::SCALES_AT + group * Layout::<F>::GROUP_SCALES + half * ROWS;
        bytes(self.sixteen(at))
    }

    /// The integer minimums of `group` for `half`.
    #[inline(always)]
    pub(crate) fn minimums(&self, group: usize, half: usize) -> [i8; ROWS] {
        let at = Layout::<F>::SCALES_AT + group * Layout::<F>::GROUP_SCALES + (Layout::<F>::SCALE_SETS + half) * ROWS;
        bytes(self.sixteen(at))
    }
}

#[inline(always)]
fn halves(bytes: &[u8; 2 * ROWS]) -> [u16; ROWS] {
    let mut out = [0; ROWS];
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *out = u16::from_le_bytes(*bytes);
    }
    out
}

#[inline(always)]
fn singles(bytes: &[u8; 4 * ROWS]) -> [f32; ROWS] {
    let mut out = [0.0; ROWS];
    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *out = f32::from_le_bytes(*bytes);
    }
    out
}

#[inline(always)]
fn bytes(bytes: &[u8; ROWS]) -> [i8; ROWS] {
    let mut out = [0; ROWS];
    for (out, byte) in out.iter_mut().zip(bytes) {
        *out = *byte as i8;
    }
    out
}

/// Packs rows `rows` (at most sixteen) of `weights` into `panel`; missing rows become zeros.
///
/// Not compiled for every level: packing is bound by memory, and wider registers gain little.
pub(crate) fn pack<F: Format>(weights: &Weights<'_>, rows: Range<usize>, panel: &mut [u8]) {
    let row_bytes = weights.row_bytes();
    let (codes, scales) = panel.split_at_mut(Layout::<F>::code_bytes(weights.len));
    let (codes, _) = codes.as_chunks_mut::<64>();
    let mut decoded = [[Group::EMPTY; 8]; ROWS];
    for block in 0..weights.len / F::BLOCK_LEN {
        for (row, decoded) in rows.clone().zip(&mut decoded) {
            let bytes = &weights.bytes[row * row_bytes + block * F::BLOCK_BYTES..][..F::BLOCK_BYTES];
            F::decode(bytes, &mut decoded[..F::GROUPS]);
        }
        for group in 0..F::GROUPS {
            let chunks = &mut codes[(block * F::GROUPS + group) * Layout::<F>::CHUNKS..][..Layout::<F>::CHUNKS];
            pack_codes::<F>(&step_order(&decoded, group), chunks);
        }
        pack_scales::<F>(&decoded, &mut scales[block * Layout::<F>::SCALE_BYTES..][..Layout::<F>::SCALE_BYTES]);
    }
}

/// The codes of one group of all rows in step order.
#[inline(always)]
fn step_order(decoded: &[[Group; 8]; ROWS], group: usize) -> [Chunk; 8] {
    let mut steps = [[0u8; 64]; 8];
    for (row, groups) in decoded.iter().enumerate() {
        let (words, _) = groups[group].quants.as_chunks::<4>();
        for (step, word) in steps.iter_mut().zip(words) {
            step[4 * row..4 * row + 4].copy_from_slice(&word.map(|code| code as u8));
        }
    }
    steps
}

/// Splits codes into the planes of the format.
#[inline(always)]
fn pack_codes<F: Format>(steps: &[Chunk; 8], chunks: &mut [Chunk]) {
    let (low_bits, high_bits) = match F::QUANT_BITS {
        2 => (2, 0),
        3 => (2, 1),
        4 => (4, 0),
        5 => (4, 1),
        6 => (4, 2),
        _ => (8, 0),
    };
    let (low, high) = chunks.split_at_mut(low_bits);
    plane(steps, 0, low_bits, low);
    plane(steps, low_bits, high_bits, high);
}

/// Writes bits `shift..shift + bits` of every code as a plane.
#[inline(always)]
fn plane(steps: &[Chunk; 8], shift: usize, bits: usize, chunks: &mut [Chunk]) {
    for (t, chunk) in chunks.iter_mut().enumerate() {
        for i in 0..64 {
            chunk[i] = match bits {
                8 => steps[t][i],
                4 => ((steps[t][i] >> shift) & 15) | (((steps[t + 4][i] >> shift) & 15) << 4),
                2 => (0..4).fold(0, |byte, j| byte | (((steps[4 * t + j][i] >> shift) & 3) << (2 * j))),
                _ => (0..8).fold(0, |byte, s| byte | (((steps[s][i] >> shift) & 1) << s)),
            };
        }
    }
}

/// Writes one block of scales.
#[inline(always)]
fn pack_scales<F: Format>(decoded: &[[Group; 8]; ROWS], out: &mut [u8]) {
    let float = |out: &mut [u8], value: f32| {
        if F::D_IS_HALF {
            out[..2].copy_from_slice(&f32_to_f16(value).to_le_bytes());
        } else {
            out[..4].copy_from_slice(&value.to_le_bytes());
        }
    };
    for (row, groups) in decoded.iter().enumerate() {
        float(&mut out[Layout::<F>::FLOAT_BYTES * row..], groups[0].d);
        if Layout::<F>::HAS_M {
            float(&mut out[Layout::<F>::M_AT + Layout::<F>::FLOAT_BYTES * row..], groups[0].m);
        }
        for (group, values) in groups[..F::GROUPS].iter().enumerate() {
            let at = Layout::<F>::SCALES_AT + group * Layout::<F>::GROUP_SCALES + row;
            for set in 0..Layout::<F>::SCALE_SETS {
                out[at + set * ROWS] = values.scales[set] as u8;
            }
            for set in 0..Layout::<F>::MINIMUM_SETS {
                out[at + (Layout::<F>::SCALE_SETS + set) * ROWS] = values.minimums[set] as u8;
            }
        }
    }
}
