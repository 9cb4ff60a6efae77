//! NEON: sixteen rows are four registers. Three instruction sets differ in how they multiply bytes; see [`neon_dots`].
#![expect(unsafe_code, reason = "loads of whole registers and entering intrinsics; each block says why it may")]

use crate::arch::neon_dots::{Dots, Quants};
use crate::arch::rows::{Arch, Chunk, Halves, ROWS};
use crate::block::format::Format;
use crate::matmul::activation::ActivationGroup;
use core::arch::aarch64::*;

/// Proof of NEON and of what `D` needs beyond it: made by the functions that the instances compile for them.
#[derive(Clone, Copy)]
struct Neon<D>(D);

impl<D: Dots> Neon<D> {
    /// Bytes `16 * part..` of a chunk: four rows.
    #[inline(always)]
    fn load(self, chunk: &Chunk, part: usize) -> uint8x16_t {
        let (parts, _) = chunk.as_chunks::<16>();
        // SAFETY: `self` proves the instructions; a quarter of a chunk has the 16 bytes read, the load needs no alignment.
        unsafe { vld1q_u8(parts[part].as_ptr()) }
    }

    /// `count` bits of every byte of `plane`, from bit `from` on, moved to bit `to`.
    #[inline(always)]
    fn bits(self, plane: uint8x16_t, from: usize, count: u32, to: usize) -> uint8x16_t {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let moved = vshlq_u8(plane, vdupq_n_s8(to as i8 - from as i8));
            vandq_u8(moved, vdupq_n_u8(((1u8 << count) - 1) << to))
        }
    }

    /// The four bits of `step` in a plane of nibbles.
    #[inline(always)]
    fn nibble(self, plane: &[Chunk], step: usize, part: usize) -> uint8x16_t {
        self.bits(self.load(&plane[step % 4], part), 4 * (step / 4), 4, 0)
    }

    /// The two bits of `step` in a plane of bit pairs, moved up to bit `to`.
    #[inline(always)]
    fn pair(self, plane: &[Chunk], step: usize, part: usize, to: usize) -> uint8x16_t {
        self.bits(self.load(&plane[step / 4], part), 2 * (step % 4), 2, to)
    }

    /// The bit of `step` in a plane of single bits, moved up to bit `to`.
    #[inline(always)]
    fn single(self, plane: &[Chunk], step: usize, part: usize, to: usize) -> uint8x16_t {
        self.bits(self.load(&plane[0], part), step, 1, to)
    }

    /// The values of the codes of four rows in one step.
    #[inline(always)]
    fn values<F: Format>(self, chunks: &[Chunk], step: usize, part: usize) -> int8x16_t {
        // SAFETY: `self` proves the instructions; the code book has the 16 bytes read.
        unsafe {
            let codes = match F::QUANT_BITS {
                2 => self.pair(chunks, step, part, 0),
                3 => vorrq_u8(self.pair(chunks, step, part, 0), self.single(&chunks[2..], step, part, 2)),
                4 => self.nibble(chunks, step, part),
                5 => vorrq_u8(self.nibble(chunks, step, part), self.single(&chunks[4..], step, part, 4)),
                6 => vorrq_u8(self.nibble(chunks, step, part), self.pair(&chunks[4..], step, part, 4)),
                _ => self.load(&chunks[step], part),
            };
            match F::CODEBOOK {
                Some(values) => vqtbl1q_s8(vld1q_s8(values.as_ptr()), codes),
                None => vreinterpretq_s8_u8(codes),
            }
        }
    }
}

impl<D: Dots> Arch for Neon<D> {
    type Floats = [float32x4_t; 4];
    type Integers = [int32x4_t; 4];
    /// Signed values in step order.
    type Quants = Quants;
    const COLUMNS: usize = 4;

    #[inline(always)]
    fn quants<F: Format>(self, chunks: &[Chunk]) -> Self::Quants {
        let mut quants = [[self.values::<F>(chunks, 0, 0); 4]; 8];
        for (step, parts) in quants.iter_mut().enumerate() {
            for (part, values) in parts.iter_mut().enumerate() {
                *values = self.values::<F>(chunks, step, part);
            }
        }
        quants
    }

    #[inline(always)]
    fn dots<F: Format, const N: usize>(
        self,
        quants: &Self::Quants,
        columns: [&ActivationGroup; N],
    ) -> [Halves<Self::Integers>; N] {
        let zero = self.0.start::<F>(0);
        let mut sums = [Halves { first: zero, second: zero }; N];
        let (mut first, mut second) = ([zero; N], [zero; N]);
        for c in 0..N {
            if F::HALVES {
                (first[c], second[c]) =
                    (self.0.start::<F>(columns[c].halves[0]), self.0.start::<F>(columns[c].halves[1]));
            } else {
                first[c] = self.0.start::<F>(columns[c].total);
            }
        }
        if F::HALVES {
            self.0.products::<F, N, true, false>(quants, columns, &mut first);
            self.0.products::<F, N, false, true>(quants, columns, &mut second);
        } else {
            self.0.products::<F, N, true, true>(quants, columns, &mut first);
        }
        for c in 0..N {
            sums[c] = Halves { first: first[c], second: second[c] };
        }
        sums
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Floats {
        // SAFETY: `self` proves the instructions.
        unsafe { [vdupq_n_f32(value); 4] }
    }

    #[inline(always)]
    fn floats(self, values: &[f32; ROWS]) -> Self::Floats {
        let (parts, _) = values.as_chunks::<4>();
        let mut floats = self.splat(0.0);
        for (floats, part) in floats.iter_mut().zip(parts) {
            // SAFETY: `self` proves the instructions; each part has the 16 bytes read.
            *floats = unsafe { vld1q_f32(part.as_ptr()) };
        }
        floats
    }

    #[inline(always)]
    fn convert_halves(self, bits: &[u16; ROWS]) -> Self::Floats {
        let (parts, _) = bits.as_chunks::<4>();
        let mut floats = self.splat(0.0);
        for (floats, part) in floats.iter_mut().zip(parts) {
            // SAFETY: `self` proves the instructions; each part has the 8 bytes read.
            *floats = unsafe { vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(part.as_ptr()))) };
        }
        floats
    }

    #[inline(always)]
    fn convert_bytes(self, bytes: &[i8; ROWS]) -> Self::Floats {
        // SAFETY: `self` proves the instructions; the array has the 16 bytes read.
        let integers = unsafe {
            let bytes = vld1q_s8(bytes.as_ptr());
            let (low, high) = (vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes));
            let (first, third) = (vmovl_s16(vget_low_s16(low)), vmovl_s16(vget_low_s16(high)));
            [first, vmovl_high_s16(low), third, vmovl_high_s16(high)]
        };
        self.convert_integers(integers)
    }

    #[inline(always)]
    fn convert_integers(self, integers: Self::Integers) -> Self::Floats {
        let [a, b, c, d] = integers;
        // SAFETY: `self` proves the instructions.
        unsafe { [vcvtq_f32_s32(a), vcvtq_f32_s32(b), vcvtq_f32_s32(c), vcvtq_f32_s32(d)] }
    }

    #[inline(always)]
    fn add(self, x: Self::Floats, y: Self::Floats) -> Self::Floats {
        let ([a, b, c, d], [e, f, g, h]) = (x, y);
        // SAFETY: `self` proves the instructions.
        unsafe { [vaddq_f32(a, e), vaddq_f32(b, f), vaddq_f32(c, g), vaddq_f32(d, h)] }
    }

    #[inline(always)]
    fn mul(self, x: Self::Floats, y: Self::Floats) -> Self::Floats {
        let ([a, b, c, d], [e, f, g, h]) = (x, y);
        // SAFETY: `self` proves the instructions.
        unsafe { [vmulq_f32(a, e), vmulq_f32(b, f), vmulq_f32(c, g), vmulq_f32(d, h)] }
    }

    #[inline(always)]
    fn to_array(self, x: Self::Floats) -> [f32; ROWS] {
        let mut array = [0.0; ROWS];
        let (parts, _) = array.as_chunks_mut::<4>();
        for (part, x) in parts.iter_mut().zip(x) {
            // SAFETY: `self` proves the instructions; the part has the 16 bytes written.
            unsafe { vst1q_f32(part.as_mut_ptr(), x) };
        }
        array
    }
}

/// NEON alone.
pub(crate) mod plain {
    use super::Neon;
    use crate::arch::instances::instances;
    use crate::arch::neon_dots::Plain;

    instances!(target_feature(enable = "neon"), Neon(Plain));
}

/// NEON with dot products of bytes.
pub(crate) mod dotprod {
    use super::Neon;
    use crate::arch::instances::instances;
    use crate::arch::neon_dots::DotProduct;

    instances!(target_feature(enable = "neon,dotprod"), Neon(DotProduct));
}

/// NEON with dot products and matrix products of bytes.
pub(crate) mod i8mm {
    use super::Neon;
    use crate::arch::instances::instances;
    use crate::arch::neon_dots::MatrixProduct;

    instances!(target_feature(enable = "neon,dotprod,i8mm"), Neon(MatrixProduct));
}
