//! AVX-512 with VNNI: sixteen rows in one register, four products of bytes added to a lane in one instruction.
#![expect(unsafe_code, reason = "loads of whole registers and entering intrinsics; each block says why it may")]

use crate::arch::instances::instances;
use crate::arch::rows::{Arch, Chunk, Halves, ROWS, bias, word};
use crate::block::format::Format;
use crate::matmul::activation::ActivationGroup;
use core::arch::x86_64::*;

/// Proof of AVX-512 F, BW, VL and VNNI: made by the functions that [`instances`] compiles for them.
#[derive(Clone, Copy)]
struct Avx512;

impl Avx512 {
    #[inline(always)]
    fn load(self, chunk: &Chunk) -> __m512i {
        // SAFETY: `self` proves the instructions; the chunk has the 64 bytes read, and the load needs no alignment.
        unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }
    }

    /// The four bits of `step` in a plane of nibbles.
    #[inline(always)]
    fn four(self, plane: &[Chunk], step: usize) -> __m512i {
        let plane = self.load(&plane[step % 4]);
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let bits = if step < 4 { plane } else { _mm512_srli_epi16::<4>(plane) };
            _mm512_and_si512(bits, _mm512_set1_epi8(15))
        }
    }

    /// The two bits of `step` in a plane of bit pairs, moved up to bit `to`.
    #[inline(always)]
    fn two(self, plane: &[Chunk], step: usize, to: usize) -> __m512i {
        let (plane, from) = (self.load(&plane[step / 4]), 2 * (step % 4));
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let moved = if from >= to {
                _mm512_srl_epi16(plane, _mm_cvtsi32_si128((from - to) as i32))
            } else {
                _mm512_sll_epi16(plane, _mm_cvtsi32_si128((to - from) as i32))
            };
            _mm512_and_si512(moved, _mm512_set1_epi8(3 << to))
        }
    }

    /// The bit of `step` in a plane of single bits, moved up to bit `to`.
    #[inline(always)]
    fn one(self, plane: &[Chunk], step: usize, to: usize) -> __m512i {
        let plane = self.load(&plane[0]);
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe {
            let bit = _mm512_test_epi8_mask(plane, _mm512_set1_epi8((1u8 << step) as i8));
            _mm512_maskz_set1_epi8(bit, 1 << to)
        }
    }

    /// The weights of one step as unsigned bytes.
    #[inline(always)]
    fn step<F: Format>(self, chunks: &[Chunk], step: usize) -> __m512i {
        // SAFETY: `self` proves the instructions; the code book has the 16 bytes read.
        unsafe {
            match F::QUANT_BITS {
                2 => self.two(chunks, step, 0),
                3 => _mm512_or_si512(self.two(chunks, step, 0), self.one(&chunks[2..], step, 2)),
                4 => match F::CODEBOOK {
                    Some(values) => {
                        let book = _mm512_broadcast_i32x4(_mm_loadu_si128(values.as_ptr().cast()));
                        let book = _mm512_xor_si512(book, _mm512_set1_epi8(-128));
                        _mm512_shuffle_epi8(book, self.four(chunks, step))
                    }
                    None => self.four(chunks, step),
                },
                5 => _mm512_or_si512(self.four(chunks, step), self.one(&chunks[4..], step, 4)),
                6 => _mm512_or_si512(self.four(chunks, step), self.two(&chunks[4..], step, 4)),
                _ if F::SIGNED => _mm512_xor_si512(self.load(&chunks[step]), _mm512_set1_epi8(-128)),
                _ => self.load(&chunks[step]),
            }
        }
    }

    /// What a sum starts with: the share of all weights' `bias`, taken away.
    #[inline(always)]
    fn start<F: Format>(self, sum: i32) -> __m512i {
        // SAFETY: `self` proves the instructions; nothing touches memory.
        unsafe { if bias::<F>(true) == 0 { _mm512_setzero_si512() } else { _mm512_set1_epi32(-bias::<F>(true) * sum) } }
    }
}

impl Arch for Avx512 {
    type Floats = __m512;
    type Integers = __m512i;
    /// Unsigned bytes in step order.
    type Quants = [__m512i; 8];
    const COLUMNS: usize = 8;
    const QUERIES: usize = 4;

    #[inline(always)]
    fn quants<F: Format>(self, chunks: &[Chunk]) -> Self::Quants {
        let mut steps = [self.start::<F>(0); 8];
        for (index, step) in steps.iter_mut().enumerate() {
            *step = self.step::<F>(chunks, index);
        }
        steps
    }

    #[inline(always)]
    fn dots<F: Format, const N: usize>(
        self,
        quants: &Self::Quants,
        columns: [&ActivationGroup; N],
    ) -> [Halves<Self::Integers>; N] {
        let zero = self.start::<F>(0);
        let mut sums = [Halves { first: zero, second: zero }; N];
        for c in 0..N {
            if F::HALVES {
                sums[c].first = self.start::<F>(columns[c].halves[0]);
                sums[c].second = self.start::<F>(columns[c].halves[1]);
            } else {
                sums[c].first = self.start::<F>(columns[c].total);
            }
        }
        for (step, &weights) in quants.iter().enumerate() {
            for c in 0..N {
                let sum = if F::HALVES && step >= 4 { &mut sums[c].second } else { &mut sums[c].first };
                // SAFETY: `self` proves the instructions; nothing touches memory.
                *sum = unsafe { _mm512_dpbusd_epi32(*sum, weights, _mm512_set1_epi32(word(columns[c], step))) };
            }
        }
        sums
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn floats(self, values: &[f32; ROWS]) -> __m512 {
        // SAFETY: `self` proves the instructions; the array has the 64 bytes read.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn convert_halves(self, bits: &[u16; ROWS]) -> __m512 {
        // SAFETY: `self` proves the instructions; the array has the 32 bytes read.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(bits.as_ptr().cast())) }
    }

    #[inline(always)]
    fn convert_bytes(self, bytes: &[i8; ROWS]) -> __m512 {
        // SAFETY: `self` proves the instructions; the array has the 16 bytes read.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(bytes.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn convert_integers(self, integers: __m512i) -> __m512 {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_cvtepi32_ps(integers) }
    }

    #[inline(always)]
    fn add(self, x: __m512, y: __m512) -> __m512 {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_add_ps(x, y) }
    }

    #[inline(always)]
    fn mul(self, x: __m512, y: __m512) -> __m512 {
        // SAFETY: `self` proves the instructions.
        unsafe { _mm512_mul_ps(x, y) }
    }

    #[inline(always)]
    fn prefetch(self, bytes: &[u8]) {
        for line in bytes.chunks(64) {
            // SAFETY: every x86-64 processor has the instruction, and it only hints: nothing is read.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }

    #[inline(always)]
    fn to_array(self, x: __m512) -> [f32; ROWS] {
        let mut array = [0.0; ROWS];
        // SAFETY: `self` proves the instructions; the array has the 64 bytes written.
        unsafe { _mm512_storeu_ps(array.as_mut_ptr(), x) };
        array
    }
}

instances!(target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni"), Avx512);
