//! Everything where everything can be tried: all weight codes with all activations in ordinary tests, and all 2^32 floats
//! in tests that `cargo xtask exhaustive` runs, optimised, in some minutes.

use puma_kernels::math::exp::exp;
use puma_kernels::math::half::{bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};
use puma_kernels::math::tanh::tanh;
use puma_kernels::{ActivationGroup, Columns, Kernels, Level, Packed, TensorType, Weights};
use std::num::Wrapping;

mod common;
use common::{Numbers, halves};

/// Bits of the largest finite binary16 and of infinity.
const LARGEST_F16: u16 = 0x7bff;
/// Floats in one call of a kernel.
const CHUNK: usize = 1 << 16;

/// Rows of `kind` that hold, everywhere but in their scales, one byte each, from 0 to 255.
fn rows_of_every_byte(kind: TensorType, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for byte in 0..=u8::MAX {
        let start = bytes.len();
        bytes.resize(start + kind.row_bytes(len).expect("whole blocks"), byte);
        for block in bytes[start..].chunks_mut(kind.block_bytes()) {
            for &at in halves(kind) {
                block[at..at + 2].copy_from_slice(&f32_to_f16(1.0).to_le_bytes());
            }
            match kind {
                TensorType::MXFP4 => block[0] = 128,
                TensorType::Q8K => block[..4].copy_from_slice(&1.0f32.to_le_bytes()),
                _ => (),
            }
        }
    }
    bytes
}

fn product(kernels: &Kernels, weights: &Weights<'_>, values: &[f32]) -> Vec<f32> {
    let mut columns = Columns::default();
    columns.fill(kernels, values, weights.len);
    let mut out = vec![0.0f32; weights.rows * columns.count()];
    kernels.multiply(weights, 0..weights.rows, &columns, &mut out.chunks_mut(weights.rows).collect::<Vec<_>>());
    out
}

/// Activations are whole numbers with amax 127, so that their quants are themselves; scales of weights are 1. What comes
/// out is a sum of whole numbers, compared with the same sum in f64 of the weights one by one.
#[test]
fn every_code_of_every_type_times_every_activation_is_right_and_the_same_at_every_level() {
    let len = 256;
    let mut values = Vec::new();
    for x in -127i8..=127 {
        // The one 127 in each group moves along, so that each place holds `x` in most columns.
        let place = x.unsigned_abs() as usize % 32;
        values.extend((0..len).map(|at| if at % 32 == place { 127.0 } else { f32::from(x) }));
    }
    for kind in TensorType::all().filter(|kind| kind.block_len() > 1) {
        let bytes = rows_of_every_byte(kind, len);
        let weights = Weights::new(kind, &bytes, 256, len).expect("256 rows of whole blocks");
        let want = product(&Kernels::new(Level::Scalar), &weights, &values);
        let mut row = vec![0.0f32; len];
        for (index, bytes) in bytes.chunks(weights.row_bytes()).enumerate() {
            puma_kernels::block::dequantise(kind, bytes, &mut row);
            // Sums of whole numbers are exact while they, and what minimums take away again, stay below 2^24.
            let largest: f64 = row.iter().map(|weight| 127.0 * (f64::from(weight.abs()) + 2.0 * 63.0)).sum();
            let error = if largest < 16_777_216.0 { 0.0 } else { largest * 1e-6 };
            for (column, values) in values.chunks(len).enumerate() {
                let exact: f64 = row.iter().zip(values).map(|(weight, x)| f64::from(*weight) * f64::from(*x)).sum();
                let got = f64::from(want[column * 256 + index]);
                assert!((got - exact).abs() <= error, "{} row {index}: {got}, {exact}", kind.name());
            }
        }
        for level in Level::available() {
            let kernels = Kernels::new(level);
            let same = |got: &[f32]| got.iter().zip(&want).all(|(got, want)| got.to_bits() == want.to_bits());
            assert!(same(&product(&kernels, &weights, &values)), "{} {level}", kind.name());
            let mut bytes = vec![0; Packed::bytes_needed(&weights).expect("quantised types are packed")];
            let packed = Weights { packed: Packed::pack(&weights, &mut bytes), ..weights };
            assert!(same(&product(&kernels, &packed, &values)), "{} {level} packed", kind.name());
        }
    }
}

/// `q = round_half_even(x * (127 / amax))`, with the standard library's rounding instead of the kernels' addition.
fn quantised_by_definition(block: &[f32]) -> (Vec<i8>, f32) {
    let amax = block.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    if block.iter().any(|value| !value.is_finite()) {
        return (vec![0; 32], f32::NAN);
    }
    if amax < f32::from_bits(0x0d80_0000) {
        return (vec![0; 32], 0.0);
    }
    let quants = block.iter().map(|value| (value * (127.0 / amax)).round_ties_even() as i8).collect();
    (quants, amax / 127.0)
}

#[test]
fn activations_of_every_exponent_are_quantised_as_defined_at_every_level() {
    let mut numbers = Numbers::new(5);
    for exponent in 0..=255u32 {
        let mut values = Vec::new();
        for step in 0..64u32 {
            let mantissa = if step < 4 { [0, 1, 0x7f_ffff, 0x40_0000][step as usize] } else { numbers.next() as u32 };
            let amax = f32::from_bits(exponent << 23 | mantissa & 0x7f_ffff);
            // Halves of steps, whose rounding is a tie or near one, and whatever else fits below amax.
            values.push(amax);
            values.extend((1..16).map(|k| amax * ((k as f32 * 8.0 + 0.5) / 127.0)));
            values.extend((16..32).map(|_| numbers.float(1.0) * amax));
        }
        for level in Level::available() {
            let mut groups = vec![ActivationGroup::ZERO; values.len() / 32];
            (Kernels::new(level).quantise)(&values, &mut groups);
            for (block, group) in values.chunks(32).zip(&groups) {
                let (quants, d) = quantised_by_definition(block);
                assert_eq!(group.quants.as_slice(), quants, "{level}, exponent {exponent}: {block:?}");
                assert!(group.d == d || group.d.is_nan() && d.is_nan(), "{level}, exponent {exponent}");
                let total: i32 = quants.iter().map(|&quant| i32::from(quant)).sum();
                assert_eq!((group.total, group.halves[0] + group.halves[1]), (total, total));
            }
        }
    }
}

/// Calls `work` with the bit patterns `0..2^32` in chunks, spread over this machine's cores.
fn every_float(work: impl Fn(&[f32]) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chunks = (1usize << 32) / CHUNK;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let work = &work;
            scope.spawn(move || {
                let mut values = vec![0.0f32; CHUNK];
                for chunk in (thread..chunks).step_by(threads) {
                    for (value, bits) in values.iter_mut().zip((chunk * CHUNK) as u32..) {
                        *value = f32::from_bits(bits);
                    }
                    work(&values);
                }
            });
        }
    });
}

/// The bits of the last magnitude that rounds to the 16-bit pattern `bits` and not to the next, by definition: the
/// middle between both, and the middle itself where the pattern is even.
fn last_that_rounds_to(bits: u16, middle: f32) -> u32 {
    middle.to_bits() - u32::from(bits & 1)
}

#[test]
#[ignore = "all 2^32 floats take minutes; `cargo xtask exhaustive` runs it"]
fn every_float_rounds_to_the_nearest_binary16_and_bfloat16() {
    // Where each 16-bit pattern ends, ascending; found without the functions under test but for widening, which is exact.
    let binary: Vec<u32> = (0..=LARGEST_F16)
        .map(|bits| {
            let next = if bits == LARGEST_F16 { 65536.0 } else { f64::from(f16_to_f32(bits + 1)) };
            last_that_rounds_to(bits, ((f64::from(f16_to_f32(bits)) + next) / 2.0) as f32)
        })
        .collect();
    every_float(|values| {
        let magnitude = values[0].to_bits() & 0x7fff_ffff;
        let mut expected = binary.partition_point(|&last| last < magnitude);
        for value in values {
            let bits = value.to_bits();
            let (sign, magnitude) = ((bits >> 16) as u16 & 0x8000, bits & 0x7fff_ffff);
            let (f16, bf16) = (f32_to_f16(*value), f32_to_bf16(*value));
            if value.is_nan() {
                assert!(f16_to_f32(f16).is_nan() && bf16_to_f32(bf16).is_nan(), "{bits:#x}");
                continue;
            }
            while binary.get(expected).is_some_and(|&last| last < magnitude) {
                expected += 1;
            }
            // One past the largest finite pattern is infinity's.
            assert_eq!(f16, sign | expected as u16, "{bits:#x} to binary16");
            let (kept, lost) = ((magnitude >> 16) as u16, magnitude & 0xffff);
            let up = lost > 0x8000 || lost == 0x8000 && kept & 1 == 1;
            assert_eq!(bf16, sign | (kept + u16::from(up)), "{bits:#x} to bfloat16");
        }
    });
}

/// The distance of `got` from `exact` in units of the last place that an f32 near `exact` has.
fn ulp(got: f32, exact: f64) -> f64 {
    let near = (exact as f32).abs().max(f32::MIN_POSITIVE);
    let unit = f64::from(f32::from_bits(near.to_bits() + 1)) - f64::from(near);
    (f64::from(got) - exact).abs() / unit
}

#[test]
#[ignore = "all 2^32 floats take minutes; `cargo xtask exhaustive` runs it"]
fn every_float_has_an_exponential_and_a_tangent_within_their_bounds() {
    every_float(|values| {
        for &x in values {
            let (e, t) = (exp(x), tanh(x));
            if x.is_nan() {
                assert!(e.is_nan() && t.is_nan());
                continue;
            }
            let (true_e, true_t) = (f64::from(x).exp(), f64::from(x).tanh());
            if true_e > f64::from(f32::MAX) {
                assert_eq!(e, f32::INFINITY, "exp({x})");
            } else {
                assert!(ulp(e, true_e) <= 1.25, "exp({x}) = {e}, {true_e}");
            }
            assert!(ulp(t, true_t) <= 1.5, "tanh({x}) = {t}, {true_t}");
        }
    });
}

/// A sum that does not depend on the order of its parts: each float's place and bits, mixed.
fn fingerprint(values: &[f32], results: &[f32]) -> Wrapping<u64> {
    let mixed = |(value, result): (&f32, &f32)| {
        // NaN payloads are outside the contract.
        let result = if result.is_nan() { f32::NAN.to_bits() } else { result.to_bits() };
        let mixed = (u64::from(value.to_bits()) << 32 | u64::from(result)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Wrapping(mixed ^ mixed >> 29) * Wrapping(0xbf58_476d_1ce4_e5b9)
    };
    values.iter().zip(results).map(mixed).sum()
}

#[test]
#[ignore = "all 2^32 floats take minutes at each level; `cargo xtask exhaustive` runs it"]
fn gates_and_caps_of_every_float_have_one_set_of_bits_at_every_level() {
    let of_level = |level: Level| {
        let kernels = Kernels::new(level);
        let sums = std::sync::Mutex::new([Wrapping(0u64); 3]);
        every_float(|values| {
            let ones = vec![1.0f32; values.len()];
            let [mut silu, mut gelu, mut cap] = [values.to_vec(), values.to_vec(), values.to_vec()];
            (kernels.silu_mul)(&mut silu, &ones);
            (kernels.gelu_mul)(&mut gelu, &ones);
            (kernels.soft_cap)(&mut cap, 30.0);
            let parts = [silu, gelu, cap].map(|results| fingerprint(values, &results));
            let mut sums = sums.lock().expect("no thread panics while it adds");
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += part;
            }
        });
        sums.into_inner().expect("no thread panics while it adds")
    };
    let want = of_level(Level::Scalar);
    for level in Level::available() {
        assert_eq!(of_level(level), want, "{level}");
    }
}
