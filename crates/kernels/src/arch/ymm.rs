//! The 256-bit instruction sets: AVX2, and AVX2 with AVX-VNNI. Sixteen rows are two registers.
#![expect(unsafe_code, reason = "loads of whole registers and entering intrinsics; each block says why it may")]

use crate::arch::rows::{Arch, Chunk, Halves, ROWS, bias, word};
use crate::block::format::Format;
use crate::matmul::activation::ActivationGroup;
use core::arch::x86_64::*;

/// Proof of AVX2 and F16C, and with `VNNI` of AVX-VNNI: made by the functions that the instances compile for them.
#[derive(Clone, Copy)]
struct Ymm<const VNNI: bool>;

/// Pairs of neighbouring products that can be added in an i16: a pair of weights up to 63 times 127 is at most 16,002, one
/// of magnitudes up to 128 at most 32,512; halves have four pairs.
const fn pairs_in_i16<F: Format>() -> usize {
    match F::QUANT_BITS {
        _ if F::SIGNED => 1,
        6 => 2,
        _ => 4,
    }
}

impl<const VNNI: bool> Ymm<VNNI> {
    /// Bytes `32 * side..` of a chunk.
    #[inline(always)]
    fn load(self, chunk: &Chunk, side: usize) -> __m256i {
        let (halves, _) = chunk.as_chunks::<32>();
        // SAFETY: `self` proves the instructions; half a chunk has the 32 bytes read, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(halves[side].as_ptr().cast()) }
    }

    /// The four bits of `step` in a plane of nibbles.
    #[inline(always)]
    fn four(self, plane: &[Chunk], step: usize, side: usize) -> __m256i {
        let plane = self.load(&plane[step % 4], side);
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let bits = if step < 4 { plane } else { _mm256_srli_epi16::<4>(plane) };
            _mm256_and_si256(bits, _mm256_set1_epi8(15))
        }
    }

    /// The two bits of `step` in a plane of bit pairs, moved up to bit `to`.
    #[inline(always)]
    fn two(self, plane: &[Chunk], step: usize, side: usize, to: usize) -> __m256i {
        let (plane, from) = (self.load(&plane[step / 4], side), 2 * (step % 4));
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let moved = if from >= to {
                _mm256_srl_epi16(plane, _mm_cvtsi32_si128((from - to) as i32))
            } else {
                _mm256_sll_epi16(plane, _mm_cvtsi32_si128((to - from) as i32))
            };
            _mm256_and_si256(moved, _mm256_set1_epi8(3 << to))
        }
    }

    /// The bit of `step` in a plane of single bits, moved up to bit `to`.
    #[inline(always)]
    fn one(self, plane: &[Chunk], step: usize, side: usize, to: usize) -> __m256i {
        let plane = self.load(&plane[0], side);
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let bit = _mm256_set1_epi8((1u8 << step) as i8);
            let found = _mm256_cmpeq_epi8(_mm256_and_si256(plane, bit), bit);
            _mm256_and_si256(found, _mm256_set1_epi8(1 << to))
        }
    }

    /// The weights of eight rows in one step, as bytes.
    #[inline(always)]
    fn step<F: Format>(self, chunks: &[Chunk], step: usize, side: usize) -> __m256i {
        // SAFETY: `self` proves the instructions; the code book has the 16 bytes read.
        unsafe {
            match F::QUANT_BITS {
                2 => self.two(chunks, step, side, 0),
                3 => _mm256_or_si256(self.two(chunks, step, side, 0), self.one(&chunks[2..], step, side, 2)),
                4 => match F::CODEBOOK {
                    Some(values) => {
                        let book = _mm256_broadcastsi128_si256(_mm_loadu_si128(values.as_ptr().cast()));
                        let book = if VNNI { _mm256_xor_si256(book, _mm256_set1_epi8(-128)) } else { book };
                        _mm256_shuffle_epi8(book, self.four(chunks, step, side))
                    }
                    None => self.four(chunks, step, side),
                },
                5 => _mm256_or_si256(self.four(chunks, step, side), self.one(&chunks[4..], step, side, 4)),
                6 => _mm256_or_si256(self.four(chunks, step, side), self.two(&chunks[4..], step, side, 4)),
                _ if F::SIGNED && VNNI => _mm256_xor_si256(self.load(&chunks[step], side), _mm256_set1_epi8(-128)),
                _ => self.load(&chunks[step], side),
            }
        }
    }

    /// What a sum starts with: the share of all weights' `bias`, taken away.
    #[inline(always)]
    fn start<F: Format>(self, sum: i32) -> __m256i {
        let bias = bias::<F>(VNNI);
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe { if bias == 0 { _mm256_setzero_si256() } else { _mm256_set1_epi32(-bias * sum) } }
    }

    /// Adds the products of steps `steps` with a column to `sum`.
    #[inline(always)]
    fn products<F: Format>(
        self,
        quants: &[[__m256i; 2]; 8],
        side: usize,
        steps: std::ops::Range<usize>,
        x: &ActivationGroup,
        sum: __m256i,
    ) -> __m256i {
        let mut sum = sum;
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let mut step = steps.start;
            while step < steps.end {
                if VNNI {
                    sum = _mm256_dpbusd_avx_epi32(sum, quants[step][side], _mm256_set1_epi32(word(x, step)));
                    step += 1;
                    continue;
                }
                let mut pairs = self.pairs::<F>(quants[step][side], x, step);
                let mut next = step + 1;
                while next < step + pairs_in_i16::<F>() {
                    pairs = _mm256_add_epi16(pairs, self.pairs::<F>(quants[next][side], x, next));
                    next += 1;
                }
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
                step = next;
            }
        }
        sum
    }

    /// Sums of two neighbouring products, as i16. Signed weights go in as magnitudes, their signs moved to the activations
    /// (which are never -128).
    #[inline(always)]
    fn pairs<F: Format>(self, weights: __m256i, x: &ActivationGroup, step: usize) -> __m256i {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let x = _mm256_set1_epi32(word(x, step));
            if F::SIGNED {
                _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(x, weights))
            } else {
                _mm256_maddubs_epi16(weights, x)
            }
        }
    }
}

impl<const VNNI: bool> Arch for Ymm<VNNI> {
    type Floats = [__m256; 2];
    type Integers = [__m256i; 2];
    /// Bytes in step order: unsigned with VNNI, else as they are.
    type Quants = [[__m256i; 2]; 8];
    const COLUMNS: usize = 4;

    #[inline(always)]
    fn quants<F: Format>(self, chunks: &[Chunk]) -> Self::Quants {
        let mut steps = [[self.start::<F>(0); 2]; 8];
        for (index, step) in steps.iter_mut().enumerate() {
            *step = [self.step::<F>(chunks, index, 0), self.step::<F>(chunks, index, 1)];
        }
        steps
    }

    #[inline(always)]
    fn dots<F: Format, const N: usize>(
        self,
        quants: &Self::Quants,
        columns: [&ActivationGroup; N],
    ) -> [Halves<Self::Integers>; N] {
        let zero = [self.start::<F>(0); 2];
        let mut sums = [Halves { first: zero, second: zero }; N];
        for c in 0..N {
            let x = columns[c];
            for side in 0..2 {
                if F::HALVES {
                    sums[c].first[side] = self.products::<F>(quants, side, 0..4, x, self.start::<F>(x.halves[0]));
                    sums[c].second[side] = self.products::<F>(quants, side, 4..8, x, self.start::<F>(x.halves[1]));
                } else {
                    sums[c].first[side] = self.products::<F>(quants, side, 0..8, x, self.start::<F>(x.total));
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm256_set1_ps(value); 2] }
    }

    #[inline(always)]
    fn floats(self, values: &[f32; ROWS]) -> [__m256; 2] {
        let (sides, _) = values.as_chunks::<8>();
        // SAFETY: `self` proves the instructions; each half has the 32 bytes read.
        unsafe { [_mm256_loadu_ps(sides[0].as_ptr()), _mm256_loadu_ps(sides[1].as_ptr())] }
    }

    #[inline(always)]
    fn convert_halves(self, bits: &[u16; ROWS]) -> [__m256; 2] {
        let (sides, _) = bits.as_chunks::<8>();
        // SAFETY: `self` proves the instructions; each half has the 16 bytes read.
        unsafe {
            [
                _mm256_cvtph_ps(_mm_loadu_si128(sides[0].as_ptr().cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(sides[1].as_ptr().cast())),
            ]
        }
    }

    #[inline(always)]
    fn convert_bytes(self, bytes: &[i8; ROWS]) -> [__m256; 2] {
        let (sides, _) = bytes.as_chunks::<8>();
        // SAFETY: `self` proves the instructions; each half has the 8 bytes read.
        unsafe {
            [
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(sides[0].as_ptr().cast()))),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(sides[1].as_ptr().cast()))),
            ]
        }
    }

    #[inline(always)]
    fn convert_integers(self, integers: [__m256i; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm256_cvtepi32_ps(integers[0]), _mm256_cvtepi32_ps(integers[1])] }
    }

    #[inline(always)]
    fn add(self, x: [__m256; 2], y: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm256_add_ps(x[0], y[0]), _mm256_add_ps(x[1], y[1])] }
    }

    #[inline(always)]
    fn mul(self, x: [__m256; 2], y: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: `self` proves the instructions.
        unsafe { [_mm256_mul_ps(x[0], y[0]), _mm256_mul_ps(x[1], y[1])] }
    }

    #[inline(always)]
    fn prefetch(self, bytes: &[u8]) {
        for line in bytes.chunks(64) {
            // SAFETY: every x86-64 processor has the instruction, and it only hints: nothing is read.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }

    #[inline(always)]
    fn to_array(self, x: [__m256; 2]) -> [f32; ROWS] {
        let mut array = [0.0; ROWS];
        let (sides, _) = array.as_chunks_mut::<8>();
        for (side, x) in sides.iter_mut().zip(x) {
            // SAFETY: `self` proves the instructions; the half has the 32 bytes written.
            unsafe { _mm256_storeu_ps(side.as_mut_ptr(), x) };
        }
        array
    }
}

/// AVX2 alone.
pub(crate) mod avx2 {
    use super::Ymm;
    use crate::arch::instances::instances;

    instances!(target_feature(enable = "avx2,f16c"), Ymm::<false>);
}

/// AVX2 with AVX-VNNI.
pub(crate) mod avx_vnni {
    use super::Ymm;
    use crate::arch::instances::instances;

    instances!(target_feature(enable = "avx2,f16c,avxvnni"), Ymm::<true>);
}
