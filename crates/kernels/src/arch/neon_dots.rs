//! Products of bytes with NEON: by widening multiplication, by dot product instructions, by matrix product instructions.
//!
//! The last two are written as assembly: their intrinsics are not stable in Rust 1.95.
#![expect(unsafe_code, reason = "loads of whole registers and entering instructions; each block says why it may")]

use crate::block::format::Format;
use crate::matmul::activation::ActivationGroup;
use core::arch::aarch64::*;
use core::arch::asm;
use std::ops::Range;

/// Values of one group: for each of eight steps sixteen rows of four weights, four rows in a register.
pub(super) type Quants = [[int8x16_t; 4]; 8];

/// Sums of sixteen rows.
pub(super) type Sums = [int32x4_t; 4];

/// A way to multiply. A value is the proof that this CPU has NEON and the instructions of the type.
pub(super) trait Dots: Copy {
    /// The products of `N` columns, at most four, over the halves `halves` of a group (four steps each), added to `start`.
    fn products<F: Format, const N: usize>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        halves: Range<usize>,
        start: [i32; N],
    ) -> [Sums; N];

    /// Activations `16 * half..` of a column.
    #[inline(always)]
    fn activations(self, x: &ActivationGroup, half: usize) -> int8x16_t {
        let (halves, _) = x.quants.as_chunks::<16>();
        // SAFETY: `self` proves the instructions; half a group has the 16 bytes read, and the load needs no alignment.
        unsafe { vld1q_s8(halves[half].as_ptr()) }
    }
}

/// Widening multiplication.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Plain {
    /// The activations of each of four steps in all rows.
    #[inline(always)]
    fn steps(self, x: int8x16_t) -> [int8x16_t; 4] {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let x = vreinterpretq_s32_s8(x);
            [
                vreinterpretq_s8_s32(vdupq_laneq_s32::<0>(x)),
                vreinterpretq_s8_s32(vdupq_laneq_s32::<1>(x)),
                vreinterpretq_s8_s32(vdupq_laneq_s32::<2>(x)),
                vreinterpretq_s8_s32(vdupq_laneq_s32::<3>(x)),
            ]
        }
    }

    /// Adds the products of four rows over half a group to `sum`, two lanes for each row.
    #[inline(always)]
    fn half<F: Format>(self, weights: [int8x16_t; 4], x: int8x16_t, sum: [int32x4_t; 2]) -> [int32x4_t; 2] {
        let (x, [mut low, mut high]) = (self.steps(x), sum);
        let mut step = 0;
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            while step < 4 {
                let (mut short_low, mut short_high) = (vdupq_n_s16(0), vdupq_n_s16(0));
                for s in step..step + steps_in_i16::<F>() {
                    short_low = vmlal_s8(short_low, vget_low_s8(weights[s]), vget_low_s8(x[s]));
                    short_high = vmlal_high_s8(short_high, weights[s], x[s]);
                }
                (low, high) = (vpadalq_s16(low, short_low), vpadalq_s16(high, short_high));
                step += steps_in_i16::<F>();
            }
        }
        [low, high]
    }
}

/// Steps whose products can be added in an i16: two or, where they fit, the four of a half.
///
/// Weights are at most 128 in size and activations at most 127, so two steps always fit: 2 * 128 * 127 = 32,512.
const fn steps_in_i16<F: Format>() -> usize {
    let largest = match F::CODEBOOK {
        Some(values) => {
            let (mut largest, mut i) = (0, 0);
            while i < values.len() {
                let size = values[i].unsigned_abs() as i32;
                if size > largest {
                    largest = size;
                }
                i += 1;
            }
            largest
        }
        None if F::SIGNED => 128,
        None => (1 << F::QUANT_BITS) - 1,
    };
    if 4 * largest * 127 <= 32767 { 4 } else { 2 }
}

impl Dots for Plain {
    #[inline(always)]
    fn products<F: Format, const N: usize>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        halves: Range<usize>,
        start: [i32; N],
    ) -> [Sums; N] {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        let zero = unsafe { vdupq_n_s32(0) };
        let mut sums = [[zero; 4]; N];
        for part in 0..4 {
            for c in 0..N {
                let mut sum = [zero; 2];
                for half in halves.clone() {
                    let weights = [0, 1, 2, 3].map(
                        #[inline(always)]
                        |step| quants[4 * half + step][part],
                    );
                    sum = self.half::<F>(weights, self.activations(columns[c], half), sum);
                }
                // SAFETY: as above.
                sums[c][part] = unsafe { vaddq_s32(vdupq_n_s32(start[c]), vpaddq_s32(sum[0], sum[1])) };
            }
        }
        sums
    }
}

/// Dot product instructions (`dotprod`, ARMv8.2).
#[derive(Clone, Copy)]
pub(super) struct DotProduct;

impl DotProduct {
    /// Adds to each lane of `sum` the products of its four weights with the four activations in lane `LANE` of `x`.
    #[inline(always)]
    fn dot<const LANE: i32>(self, sum: int32x4_t, weights: int8x16_t, x: int8x16_t) -> int32x4_t {
        let mut sum = sum;
        // SAFETY: `self` proves the instruction; it reads and writes the named registers only.
        unsafe {
            asm!(
                "sdot {sum:v}.4s, {weights:v}.16b, {x:v}.4b[{lane}]",
                sum = inout(vreg) sum,
                weights = in(vreg) weights,
                x = in(vreg) x,
                lane = const LANE,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sum
    }

    /// Adds one step of all columns.
    #[inline(always)]
    fn step<const LANE: i32, const N: usize>(self, weights: &[int8x16_t; 4], x: &[int8x16_t; N], sums: &mut [Sums; N]) {
        for (sums, x) in sums.iter_mut().zip(x) {
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = self.dot::<LANE>(*sum, *weights, *x);
            }
        }
    }
}

impl Dots for DotProduct {
    #[inline(always)]
    fn products<F: Format, const N: usize>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        halves: Range<usize>,
        start: [i32; N],
    ) -> [Sums; N] {
        let mut sums = start.map(
            #[inline(always)]
            // SAFETY: `self` proves the instructions; nothing touches memory.
            |start| unsafe { [vdupq_n_s32(start); 4] },
        );
        for half in halves {
            let x = columns.map(
                #[inline(always)]
                |x| self.activations(x, half),
            );
            self.step::<0, N>(&quants[4 * half], &x, &mut sums);
            self.step::<1, N>(&quants[4 * half + 1], &x, &mut sums);
            self.step::<2, N>(&quants[4 * half + 2], &x, &mut sums);
            self.step::<3, N>(&quants[4 * half + 3], &x, &mut sums);
        }
        sums
    }
}

/// Matrix product instructions (`i8mm`, ARMv8.6) for two columns at once, dot products for a single one.
#[derive(Clone, Copy)]
pub(super) struct MatrixProduct;

impl MatrixProduct {
    /// Adds the products of two rows of eight weights with two columns of eight activations: lanes are (row 0, column 0),
    /// (row 0, column 1), (row 1, column 0), (row 1, column 1).
    #[inline(always)]
    fn multiply(self, sum: int32x4_t, weights: int8x16_t, x: int8x16_t) -> int32x4_t {
        let mut sum = sum;
        // SAFETY: `self` proves the instruction; it reads and writes the named registers only.
        unsafe {
            asm!(
                "smmla {sum:v}.4s, {weights:v}.16b, {x:v}.16b",
                sum = inout(vreg) sum,
                weights = in(vreg) weights,
                x = in(vreg) x,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sum
    }

    /// Two steps of four rows as two registers of two rows with eight weights each.
    #[inline(always)]
    fn rows_of_eight(self, first: int8x16_t, second: int8x16_t) -> [int8x16_t; 2] {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let (first, second) = (vreinterpretq_s32_s8(first), vreinterpretq_s32_s8(second));
            [vreinterpretq_s8_s32(vzip1q_s32(first, second)), vreinterpretq_s8_s32(vzip2q_s32(first, second))]
        }
    }

    /// Half a group of two columns as two registers of eight activations of each.
    #[inline(always)]
    fn columns_of_eight(self, left: int8x16_t, right: int8x16_t) -> [int8x16_t; 2] {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let (left, right) = (vreinterpretq_s64_s8(left), vreinterpretq_s64_s8(right));
            [vreinterpretq_s8_s64(vzip1q_s64(left, right)), vreinterpretq_s8_s64(vzip2q_s64(left, right))]
        }
    }

    /// The sums of column 0 or 1 of a pair, from those of rows 0 and 1 and of rows 2 and 3.
    #[inline(always)]
    fn of_column(self, column: usize, rows: [int32x4_t; 2], start: i32) -> int32x4_t {
        let [low, high] = rows;
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let sums = if column == 0 { vuzp1q_s32(low, high) } else { vuzp2q_s32(low, high) };
            vaddq_s32(sums, vdupq_n_s32(start))
        }
    }
}

impl Dots for MatrixProduct {
    #[inline(always)]
    fn products<F: Format, const N: usize>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        halves: Range<usize>,
        start: [i32; N],
    ) -> [Sums; N] {
        if !N.is_multiple_of(2) {
            return DotProduct.products::<F, N>(quants, columns, halves, start);
        }
        // SAFETY: `self` proves the instructions; nothing touches memory.
        let zero = unsafe { vdupq_n_s32(0) };
        // Pairs of columns, of which there are at most two; registers of rows; pairs of those rows.
        let mut sums = [[[zero; 2]; 4]; 2];
        for half in halves {
            let activations = columns.map(
                #[inline(always)]
                |x| self.activations(x, half),
            );
            for eight in 0..2 {
                let step = 4 * half + 2 * eight;
                for part in 0..4 {
                    let weights = self.rows_of_eight(quants[step][part], quants[step + 1][part]);
                    for pair in 0..N / 2 {
                        let x = self.columns_of_eight(activations[2 * pair], activations[2 * pair + 1])[eight];
                        for (sum, weights) in sums[pair][part].iter_mut().zip(weights) {
                            *sum = self.multiply(*sum, weights, x);
                        }
                    }
                }
            }
        }
        std::array::from_fn(
            #[inline(always)]
            |c| {
                sums[c / 2].map(
                    #[inline(always)]
                    |rows| self.of_column(c % 2, rows, start[c]),
                )
            },
        )
    }
}
