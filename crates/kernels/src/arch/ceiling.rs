//! Loops that only multiply and add bytes in registers, or only read memory: the most that a core can do.
//!
//! They are the roof that the kernels are measured against (`puma bench engine --roofline`); nothing is computed with them.
#![expect(unsafe_code, reason = "entering functions of detected instruction sets, stores of whole registers, assembly")]

/// Both factors are constants, so that a loop's result tells how many products it made.
const LEFT: i8 = 3;
const RIGHT: i8 = 2;

/// A loop over one integer instruction (or the shortest sequence that does the same).
#[derive(Clone, Copy, Debug)]
pub struct IntegerLoop {
    /// The instruction, with the length of its registers: `vpdpbusd 512`.
    pub name: &'static str,
    /// Operations of a round; a product and its addition are two.
    pub operations: u64,
    run: fn(u64) -> i64,
}

impl IntegerLoop {
    /// Runs `rounds` rounds on this thread; the sum of all products, modulo what overflowed lanes lost.
    pub fn run(&self, rounds: u64) -> i64 {
        (self.run)(rounds)
    }
}

/// Every loop this processor can run.
pub fn integer_loops() -> Vec<IntegerLoop> {
    native::loops()
}

/// Reads every word; their sum, modulo 2^64. Several sums at once, so that the reads and not the additions are waited for.
pub fn read_words(words: &[u64]) -> u64 {
    const LANES: usize = 32;
    let mut lanes = [0u64; LANES];
    let (chunks, rest) = words.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk) {
            *lane = lane.wrapping_add(*word);
        }
    }
    lanes.iter().chain(rest).fold(0, |sum, word| sum.wrapping_add(*word))
}

#[cfg(target_arch = "x86_64")]
mod native {
    use super::{IntegerLoop, LEFT, RIGHT};
    use core::arch::asm;
    use core::arch::x86_64::*;

    /// Independent sums, so that no addition waits for another: latency times units, and some.
    const CHAINS_512: usize = 16;
    const CHAINS_256: usize = 12;

    pub(super) fn loops() -> Vec<IntegerLoop> {
        let mut found = Vec::new();
        if is_x86_feature_detected!("avx2") {
            found.push(IntegerLoop {
                name: "vpmaddubsw 256",
                operations: 64 * CHAINS_256 as u64,
                // SAFETY: AVX2 was detected above.
                run: |rounds| unsafe { maddubs_256(rounds) },
            });
        }
        if is_x86_feature_detected!("avxvnni") {
            found.push(IntegerLoop {
                name: "vpdpbusd 256",
                operations: 64 * CHAINS_256 as u64,
                // SAFETY: AVX-VNNI was detected above.
                run: |rounds| unsafe { vnni_256(rounds) },
            });
        }
        if is_x86_feature_detected!("avx512vnni") {
            found.push(IntegerLoop {
                name: "vpdpbusd 512",
                operations: 128 * CHAINS_512 as u64,
                // SAFETY: AVX-512 VNNI was detected above.
                run: |rounds| unsafe { vnni_512(rounds) },
            });
        }
        found
    }

    #[target_feature(enable = "avx2")]
    fn maddubs_256(rounds: u64) -> i64 {
        let mut sums = [_mm256_setzero_si256(); CHAINS_256];
        let (left, ones) = (_mm256_set1_epi8(LEFT), _mm256_set1_epi16(1));
        let mut right = _mm256_set1_epi8(RIGHT);
        for _ in 0..rounds {
            for sum in &mut sums {
                // SAFETY: no instruction at all; the compiler only loses sight of the value, and cannot multiply just once.
                unsafe { asm!("/* {0} */", inout(ymm_reg) right, options(nomem, nostack, preserves_flags)) };
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_maddubs_epi16(left, right), ones));
            }
        }
        sums.into_iter().map(|sum| total_256(sum)).sum()
    }

    #[target_feature(enable = "avx2,avxvnni")]
    fn vnni_256(rounds: u64) -> i64 {
        let mut sums = [_mm256_setzero_si256(); CHAINS_256];
        let (left, right) = (_mm256_set1_epi8(LEFT), _mm256_set1_epi8(RIGHT));
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_dpbusd_avx_epi32(*sum, left, right);
            }
        }
        sums.into_iter().map(|sum| total_256(sum)).sum()
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    fn vnni_512(rounds: u64) -> i64 {
        let mut sums = [_mm512_setzero_si512(); CHAINS_512];
        let (left, right) = (_mm512_set1_epi8(LEFT), _mm512_set1_epi8(RIGHT));
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, left, right);
            }
        }
        sums.into_iter().map(|sum| total_512(sum)).sum()
    }

    #[target_feature(enable = "avx2")]
    fn total_256(sum: __m256i) -> i64 {
        let mut lanes = [0i32; 8];
        // SAFETY: the array has exactly the 32 bytes written; the store needs no alignment.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
        lanes.into_iter().map(i64::from).sum()
    }

    #[target_feature(enable = "avx512f")]
    fn total_512(sum: __m512i) -> i64 {
        let mut lanes = [0i32; 16];
        // SAFETY: the array has exactly the 64 bytes written; the store needs no alignment.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), sum) };
        lanes.into_iter().map(i64::from).sum()
    }
}

#[cfg(target_arch = "aarch64")]
mod native {
    use super::{IntegerLoop, LEFT, RIGHT};
    use core::arch::aarch64::*;
    use core::arch::asm;
    use std::arch::is_aarch64_feature_detected;

    const CHAINS: usize = 16;

    pub(super) fn loops() -> Vec<IntegerLoop> {
        let mut found = vec![IntegerLoop {
            name: "smull, sadalp 128",
            operations: 16 * CHAINS as u64,
            // SAFETY: every 64-bit ARM processor has NEON.
            run: |rounds| unsafe { widening(rounds) },
        }];
        if is_aarch64_feature_detected!("dotprod") {
            found.push(IntegerLoop {
                name: "sdot 128",
                operations: 32 * CHAINS as u64,
                // SAFETY: the dot product instructions were detected above.
                run: |rounds| unsafe { dot(rounds) },
            });
        }
        if is_aarch64_feature_detected!("i8mm") {
            found.push(IntegerLoop {
                name: "smmla 128",
                operations: 64 * CHAINS as u64,
                // SAFETY: the matrix instructions were detected above.
                run: |rounds| unsafe { matrix(rounds) },
            });
        }
        found
    }

    #[target_feature(enable = "neon")]
    fn widening(rounds: u64) -> i64 {
        let mut sums = [vdupq_n_s32(0); CHAINS];
        let (left, mut right) = (vdup_n_s8(LEFT), vdup_n_s8(RIGHT));
        for _ in 0..rounds {
            for sum in &mut sums {
                // SAFETY: no instruction at all; the compiler only loses sight of the value, and cannot multiply just once.
                unsafe { asm!("/* {0:v} */", inout(vreg) right, options(nomem, nostack, preserves_flags)) };
                *sum = vpadalq_s16(*sum, vmull_s8(left, right));
            }
        }
        total(&sums)
    }

    #[target_feature(enable = "neon,dotprod")]
    fn dot(rounds: u64) -> i64 {
        let mut sums = [vdupq_n_s32(0); CHAINS];
        let (left, right) = (vdupq_n_s8(LEFT), vdupq_n_s8(RIGHT));
        for _ in 0..rounds {
            for sum in &mut sums {
                // SAFETY: the instruction reads and writes only the registers named; the feature is enabled here.
                unsafe {
                    asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) *sum, in(vreg) left, in(vreg) right,
                         options(pure, nomem, nostack, preserves_flags));
                }
            }
        }
        total(&sums)
    }

    #[target_feature(enable = "neon,i8mm")]
    fn matrix(rounds: u64) -> i64 {
        let mut sums = [vdupq_n_s32(0); CHAINS];
        let (left, right) = (vdupq_n_s8(LEFT), vdupq_n_s8(RIGHT));
        for _ in 0..rounds {
            for sum in &mut sums {
                // SAFETY: the instruction reads and writes only the registers named; the feature is enabled here.
                unsafe {
                    asm!("smmla {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) *sum, in(vreg) left, in(vreg) right,
                         options(pure, nomem, nostack, preserves_flags));
                }
            }
        }
        total(&sums)
    }

    #[target_feature(enable = "neon")]
    fn total(sums: &[int32x4_t; CHAINS]) -> i64 {
        sums.iter().map(|&sum| vaddlvq_s32(sum)).sum()
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod native {
    pub(super) fn loops() -> Vec<super::IntegerLoop> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_whatever_their_number() {
        for length in [0, 1, 31, 32, 33, 1000] {
            let words: Vec<u64> = (1..=length).collect();
            assert_eq!(read_words(&words), length * (length + 1) / 2);
        }
    }

    #[test]
    fn a_loop_makes_as_many_products_as_it_says() {
        let product = i64::from(LEFT) * i64::from(RIGHT);
        for found in integer_loops() {
            for rounds in [0, 1, 1000] {
                let products = i64::try_from(found.operations / 2 * rounds).unwrap();
                assert_eq!(found.run(rounds), products * product, "{}", found.name);
            }
        }
    }
}
