//! Portable integer sums and float lanes; the reference for every other level.

use crate::arch::instances::instances;
use crate::arch::rows::{Arch, Chunk, Halves, ROWS};
use crate::block::format::Format;
use crate::math::half::f16_to_f32;
use crate::matmul::activation::ActivationGroup;

/// No instruction set beyond the target's baseline.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

/// Lane by lane.
#[inline(always)]
fn lanes<T>(lane: impl Fn(usize) -> T) -> [T; ROWS] {
    std::array::from_fn(lane)
}

impl Arch for Scalar {
    type Floats = [f32; ROWS];
    type Integers = [i32; ROWS];
    /// Values of the codes in step order.
    type Quants = [[i8; 64]; 8];
    const COLUMNS: usize = 1;

    #[inline(always)]
    fn quants<F: Format>(self, chunks: &[Chunk]) -> Self::Quants {
        let mut values = [[0i8; 64]; 8];
        for (step, values) in values.iter_mut().enumerate() {
            for (i, value) in values.iter_mut().enumerate() {
                let code = code::<F>(chunks, step, i);
                *value = match F::CODEBOOK {
                    Some(book) => book[usize::from(code)],
                    None => code as i8,
                };
            }
        }
        values
    }

    #[inline(always)]
    fn dots<F: Format, const N: usize>(
        self,
        quants: &Self::Quants,
        columns: [&ActivationGroup; N],
    ) -> [Halves<Self::Integers>; N] {
        columns.map(
            #[inline(always)]
            |x| {
                let mut halves = [[0i32; ROWS]; 2];
                for (step, values) in quants.iter().enumerate() {
                    for row in 0..ROWS {
                        for k in 0..4 {
                            halves[step / 4][row] += i32::from(values[4 * row + k]) * i32::from(x.quants[4 * step + k]);
                        }
                    }
                }
                let [first, second] = halves;
                if F::HALVES {
                    Halves {
                        first: first.map(|sum| sum - F::ZERO * x.halves[0]),
                        second: second.map(|sum| sum - F::ZERO * x.halves[1]),
                    }
                } else {
                    Halves { first: lanes(|row| first[row] + second[row] - F::ZERO * x.total), second }
                }
            },
        )
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Floats {
        [value; ROWS]
    }

    #[inline(always)]
    fn floats(self, values: &[f32; ROWS]) -> Self::Floats {
        *values
    }

    #[inline(always)]
    fn convert_halves(self, bits: &[u16; ROWS]) -> Self::Floats {
        lanes(|row| f16_to_f32(bits[row]))
    }

    #[inline(always)]
    fn convert_bytes(self, bytes: &[i8; ROWS]) -> Self::Floats {
        bytes.map(f32::from)
    }

    #[inline(always)]
    fn convert_integers(self, integers: Self::Integers) -> Self::Floats {
        lanes(|row| integers[row] as f32)
    }

    #[inline(always)]
    fn add(self, x: Self::Floats, y: Self::Floats) -> Self::Floats {
        lanes(|row| x[row] + y[row])
    }

    #[inline(always)]
    fn mul(self, x: Self::Floats, y: Self::Floats) -> Self::Floats {
        lanes(|row| x[row] * y[row])
    }

    #[inline(always)]
    fn to_array(self, x: Self::Floats) -> [f32; ROWS] {
        x
    }
}

/// The code at byte `i` of `step`, put together from its planes.
#[inline(always)]
fn code<F: Format>(chunks: &[Chunk], step: usize, i: usize) -> u8 {
    let four = |chunks: &[Chunk]| (chunks[step % 4][i] >> (4 * (step / 4))) & 15;
    let two = |chunks: &[Chunk]| (chunks[step / 4][i] >> (2 * (step % 4))) & 3;
    let one = |chunks: &[Chunk]| (chunks[0][i] >> step) & 1;
    match F::QUANT_BITS {
        2 => two(chunks),
        3 => two(chunks) | (one(&chunks[2..]) << 2),
        4 => four(chunks),
        5 => four(chunks) | (one(&chunks[4..]) << 4),
        6 => four(chunks) | (two(&chunks[4..]) << 4),
        _ => chunks[step][i],
    }
}

instances!(inline(never), Scalar);
