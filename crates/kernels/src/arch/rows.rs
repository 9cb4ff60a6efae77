//! What an instruction set brings to a product: sixteen rows of weights side by side.

use crate::block::format::Format;
use crate::matmul::activation::ActivationGroup;

/// Rows in a panel of packed weights: the f32 lanes of an AVX-512 register. No bit depends on it.
pub(crate) const ROWS: usize = 16;

/// 64 bytes of packed codes: four of each row.
pub(crate) type Chunk = [u8; 64];

/// The exact integer sums of one group with one column, a lane for each row.
#[derive(Clone, Copy)]
pub(crate) struct Halves<I> {
    /// The sum over the first half where the [`Format`] has halves, else over the whole group.
    pub(crate) first: I,
    /// The sum over the second half where the [`Format`] has halves.
    pub(crate) second: I,
}

/// Registers and instructions. A value is the proof that this CPU has them: each implementation is made only inside
/// functions compiled for its instruction set, so its methods may use them.
///
/// Every float method is one IEEE operation on each lane; the order in which they are applied stands in
/// [`crate::matmul::quantised`], once for all.
pub(crate) trait Arch: Copy {
    /// 16 f32 lanes.
    type Floats: Copy;
    /// 16 i32 lanes.
    type Integers: Copy;
    /// The codes of one group: 16 rows of 32 weights, in whatever form [`dots`](Self::dots) wants.
    type Quants: Copy;

    /// Queries of attention whose sums fit the registers together: 4 where 16 lanes are one register, else 1.
    const QUERIES: usize = 1;

    /// Columns that are worth computing together: 8, 4 or 1. What is left is computed one by one: every size more is code for
    /// every format, and the compiler's time.
    const COLUMNS: usize;

    /// Unpacks the codes of one group from `F::QUANT_BITS` chunks; see [`crate::matmul::packed`] for their order.
    fn quants<F: Format>(self, chunks: &[Chunk]) -> Self::Quants;

    /// The sums of `(value(code) - ZERO) * x` of `N` columns, exactly.
    fn dots<F: Format, const N: usize>(
        self,
        quants: &Self::Quants,
        columns: [&ActivationGroup; N],
    ) -> [Halves<Self::Integers>; N];

    /// The same number in every lane.
    fn splat(self, value: f32) -> Self::Floats;
    /// Numbers as they stand in memory.
    fn floats(self, values: &[f32; ROWS]) -> Self::Floats;
    /// Binary16 numbers, converted exactly.
    fn convert_halves(self, bits: &[u16; ROWS]) -> Self::Floats;
    /// Signed bytes, converted exactly.
    fn convert_bytes(self, bytes: &[i8; ROWS]) -> Self::Floats;
    /// Integers below 2^24 in size, converted exactly.
    fn convert_integers(self, integers: Self::Integers) -> Self::Floats;
    fn add(self, x: Self::Floats, y: Self::Floats) -> Self::Floats;
    fn mul(self, x: Self::Floats, y: Self::Floats) -> Self::Floats;
    fn to_array(self, x: Self::Floats) -> [f32; ROWS];

    /// Asks for the cache lines of `bytes`, which will be read soon; nothing where the machine guesses as well.
    #[inline(always)]
    fn prefetch(self, bytes: &[u8]) {
        let _ = bytes;
    }
}

/// Activations `4 * step..4 * step + 4` as one word, the first in the lowest byte.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn word(x: &ActivationGroup, step: usize) -> i32 {
    let (words, _) = x.quants.as_chunks::<4>();
    let [a, b, c, d] = words[step];
    i32::from_le_bytes([a as u8, b as u8, c as u8, d as u8])
}

/// What has to be taken away from each weight as [`Arch::quants`] gives it. `vpdpbusd` takes `unsigned` weights only: there
/// signed values are stored 128 higher.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) const fn bias<F: Format>(unsigned: bool) -> i32 {
    if unsigned && F::SIGNED { F::ZERO + 128 } else { F::ZERO }
}
