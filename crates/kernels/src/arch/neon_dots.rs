//! Products of bytes with NEON: by widening multiplication, by dot product instructions, by matrix product instructions.
//!
//! The last two are written as assembly: their intrinsics are not stable in Rust 1.95.
#![expect(unsafe_code, reason = "loads of whole registers and entering instructions; each block says why it may")]

use crate::block::format::Format;
use crate::matmul::activation::ActivationGroup;
use core::arch::aarch64::*;
use core::arch::asm;

/// Values of one group: for each of eight steps sixteen rows of four weights, four rows in a register.
pub(super) type Quants = [[int8x16_t; 4]; 8];

/// Sums of sixteen rows.
pub(super) type Sums = [int32x4_t; 4];

/// A way to multiply. A value is the proof that this CPU has NEON and the instructions of the type.
pub(super) trait Dots: Copy {
    /// Adds the products of `N` columns, at most four, to `sums`: over the first half of a group (four steps), over the
    /// second, or over both. Everything is unrolled, because a loop over steps would keep the weights in memory.
    fn products<F: Format, const N: usize, const FIRST: bool, const SECOND: bool>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        sums: &mut [Sums; N],
    );

    /// What a sum starts with: the share of all weights' `ZERO`, taken away.
    #[inline(always)]
    fn start<F: Format>(self, sum: i32) -> Sums {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe { [vdupq_n_s32(-F::ZERO * sum); 4] }
    }

    /// Half a group's activations of each column.
    #[inline(always)]
    fn activations<const N: usize>(self, columns: [&ActivationGroup; N], half: usize) -> [int8x16_t; N] {
        // SAFETY: `self` proves the instructions; half a group has the 16 bytes read, and the load needs no alignment.
        unsafe {
            let mut all = [vdupq_n_s8(0); N];
            for c in 0..N {
                let (halves, _) = columns[c].quants.as_chunks::<16>();
                all[c] = vld1q_s8(halves[half].as_ptr());
            }
            all
        }
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

    /// The products of steps `2 * pair` and `2 * pair + 1`, added in an i16: two lanes for each of two rows.
    #[inline(always)]
    fn two_steps(self, weights: [int8x16_t; 4], x: [int8x16_t; 4], pair: usize) -> [int16x8_t; 2] {
        let ([first, second], [x_first, x_second]) =
            ([weights[2 * pair], weights[2 * pair + 1]], [x[2 * pair], x[2 * pair + 1]]);
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let low = vmull_s8(vget_low_s8(first), vget_low_s8(x_first));
            let high = vmull_high_s8(first, x_first);
            [vmlal_s8(low, vget_low_s8(second), vget_low_s8(x_second)), vmlal_high_s8(high, second, x_second)]
        }
    }

    /// The products of four rows with a column over half a group.
    #[inline(always)]
    fn half_of_part<F: Format>(self, weights: [int8x16_t; 4], x: [int8x16_t; 4]) -> int32x4_t {
        let ([low, high], [low_2, high_2]) = (self.two_steps(weights, x, 0), self.two_steps(weights, x, 1));
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            if four_steps_fit::<F>() {
                vpaddq_s32(vpaddlq_s16(vaddq_s16(low, low_2)), vpaddlq_s16(vaddq_s16(high, high_2)))
            } else {
                vpaddq_s32(vpadalq_s16(vpaddlq_s16(low), low_2), vpadalq_s16(vpaddlq_s16(high), high_2))
            }
        }
    }

    /// Adds half a group of all columns.
    #[inline(always)]
    fn half<F: Format, const N: usize>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        half: usize,
        sums: &mut [Sums; N],
    ) {
        let mut x = [self.steps(self.activations([columns[0]], half)[0]); N];
        for c in 1..N {
            x[c] = self.steps(self.activations([columns[c]], half)[0]);
        }
        for part in 0..4 {
            let step = 4 * half;
            let weights = [quants[step][part], quants[step + 1][part], quants[step + 2][part], quants[step + 3][part]];
            for c in 0..N {
                let products = self.half_of_part::<F>(weights, x[c]);
                // SAFETY: `self` proves the instructions; nothing touches memory.
                sums[c][part] = unsafe { vaddq_s32(sums[c][part], products) };
            }
        }
    }
}

/// Whether the products of the four steps of a half can be added in an i16. Those of two always can: weights are at most 128
/// in size and activations at most 127, 2 * 128 * 127 = 32,512.
const fn four_steps_fit<F: Format>() -> bool {
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
    4 * largest * 127 <= 32767
}

impl Dots for Plain {
    #[inline(always)]
    fn products<F: Format, const N: usize, const FIRST: bool, const SECOND: bool>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        sums: &mut [Sums; N],
    ) {
        if FIRST {
            self.half::<F, N>(quants, columns, 0, sums);
        }
        if SECOND {
            self.half::<F, N>(quants, columns, 1, sums);
        }
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

    /// Adds half a group of all columns.
    #[inline(always)]
    fn half<const N: usize>(self, quants: &Quants, columns: [&ActivationGroup; N], half: usize, sums: &mut [Sums; N]) {
        let x = self.activations(columns, half);
        self.step::<0, N>(&quants[4 * half], &x, sums);
        self.step::<1, N>(&quants[4 * half + 1], &x, sums);
        self.step::<2, N>(&quants[4 * half + 2], &x, sums);
        self.step::<3, N>(&quants[4 * half + 3], &x, sums);
    }
}

impl Dots for DotProduct {
    #[inline(always)]
    fn products<F: Format, const N: usize, const FIRST: bool, const SECOND: bool>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        sums: &mut [Sums; N],
    ) {
        if FIRST {
            self.half(quants, columns, 0, sums);
        }
        if SECOND {
            self.half(quants, columns, 1, sums);
        }
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

    /// Adds two steps of all pairs of `N` columns.
    #[inline(always)]
    fn eight<const N: usize>(
        self,
        first: &[int8x16_t; 4],
        second: &[int8x16_t; 4],
        pairs: [int8x16_t; 2],
        sums: &mut PairSums,
    ) {
        for part in 0..4 {
            let [low, high] = self.rows_of_eight(first[part], second[part]);
            for pair in 0..N / 2 {
                let [sum_low, sum_high] = sums[pair][part];
                sums[pair][part] =
                    [self.multiply(sum_low, low, pairs[pair]), self.multiply(sum_high, high, pairs[pair])];
            }
        }
    }

    /// Adds half a group of all pairs of columns.
    #[inline(always)]
    fn half<const N: usize>(self, quants: &Quants, columns: [&ActivationGroup; N], half: usize, sums: &mut PairSums) {
        let x = self.activations(columns, half);
        let (mut first, mut second) = ([x[0]; 2], [x[0]; 2]);
        for pair in 0..N / 2 {
            [first[pair], second[pair]] = self.columns_of_eight(x[2 * pair], x[2 * pair + 1]);
        }
        self.eight::<N>(&quants[4 * half], &quants[4 * half + 1], first, sums);
        self.eight::<N>(&quants[4 * half + 2], &quants[4 * half + 3], second, sums);
    }

    /// The sums of column 0 or 1 of a pair, from those of rows 0 and 1 and of rows 2 and 3, added to `start`.
    #[inline(always)]
    fn of_column(self, column: usize, rows: [int32x4_t; 2], start: int32x4_t) -> int32x4_t {
        let [low, high] = rows;
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe { vaddq_s32(start, if column == 0 { vuzp1q_s32(low, high) } else { vuzp2q_s32(low, high) }) }
    }
}

/// Sums of pairs of columns, at most two; of registers of rows; of pairs of those rows.
type PairSums = [[[int32x4_t; 2]; 4]; 2];

impl Dots for MatrixProduct {
    #[inline(always)]
    fn products<F: Format, const N: usize, const FIRST: bool, const SECOND: bool>(
        self,
        quants: &Quants,
        columns: [&ActivationGroup; N],
        sums: &mut [Sums; N],
    ) {
        if !N.is_multiple_of(2) {
            return DotProduct.products::<F, N, FIRST, SECOND>(quants, columns, sums);
        }
        // SAFETY: `self` proves the instructions; nothing touches memory.
        let mut pairs = unsafe { [[[vdupq_n_s32(0); 2]; 4]; 2] };
        if FIRST {
            self.half(quants, columns, 0, &mut pairs);
        }
        if SECOND {
            self.half(quants, columns, 1, &mut pairs);
        }
        for c in 0..N {
            for part in 0..4 {
                sums[c][part] = self.of_column(c % 2, pairs[c / 2][part], sums[c][part]);
            }
        }
    }
}
