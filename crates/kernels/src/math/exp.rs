//! The exponential function.
//!
//! `x = n ln 2 + r` with `|r| <= ln 2 / 2`, a Taylor polynomial for `e^r`, and two multiplications by powers of two, so
//! that overflow becomes infinity and underflow rounds once into the subnormals.

/// 1.5 * 2^23: adding it rounds a small f32 to an integer, half to even, and leaves the integer in the low bits.
const ROUND: f32 = 12_582_912.0;
/// The same for f64: 1.5 * 2^52.
const ROUND_F64: f64 = 6_755_399_441_055_744.0;

/// `e^x` in f32; at most 1.25 ulp from the true value over the normal range. NaN gives NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Bounds beyond which the result is certainly 0 or infinity; the comparisons keep NaN.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -105.0 { -105.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts; the first has few enough bits that n times it is exact.
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = n >> 1;
    (p * power_of_two(half)) * power_of_two(n.wrapping_sub(half))
}

/// 2^n for n in -126..=127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `e^x` in f64; at most 1 ulp from the true value over the normal range. NaN gives NaN.
#[inline(always)]
pub fn exp_f64(x: f64) -> f64 {
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };
    let shifted = x * std::f64::consts::LOG2_E + ROUND_F64;
    let n = shifted - ROUND_F64;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let n = shifted.to_bits().wrapping_sub(ROUND_F64.to_bits()) as i64;
    let half = n >> 1;
    (p * power_of_two_f64(half)) * power_of_two_f64(n.wrapping_sub(half))
}

/// The upper part of ln 2, short enough that products with integers below 2^20 are exact.
pub(crate) const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
/// ln 2 minus [`LN_2_HIGH`].
pub(crate) const LN_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// 2^n for n in -1022..=1023.
#[inline(always)]
fn power_of_two_f64(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units of the last place of the f32 nearest to `want`.
    fn ulps(got: f32, want: f64) -> f64 {
        let spacing = f64::from(f32::from_bits((want as f32).to_bits() + 1)) - f64::from(want as f32);
        ((f64::from(got) - want) / spacing).abs()
    }

    #[test]
    fn exp_is_within_five_quarters_of_a_ulp_of_the_standard_library() {
        let mut worst = 0.0f64;
        for i in -870_000..=887_000 {
            let x = i as f32 * 1e-4;
            worst = worst.max(ulps(exp(x), f64::from(x).exp()));
        }
        assert!(worst < 1.25, "{worst} ulp");
    }

    #[test]
    fn exp_f64_is_within_a_few_units_of_the_standard_library() {
        let mut worst = 0.0f64;
        for i in -70_000..=70_000 {
            let x = f64::from(i) * 1e-2;
            let want = x.exp();
            worst = worst.max(((exp_f64(x) - want) / want).abs());
        }
        assert!(worst < 3.0 * f64::EPSILON, "{worst}");
    }

    #[test]
    fn the_edges_are_zero_one_infinity_and_nan() {
        assert_eq!((exp(0.0), exp_f64(0.0)), (1.0, 1.0));
        assert_eq!((exp(f32::NEG_INFINITY), exp_f64(f64::NEG_INFINITY)), (0.0, 0.0));
        assert_eq!((exp(f32::INFINITY), exp_f64(f64::INFINITY)), (f32::INFINITY, f64::INFINITY));
        assert!(exp(f32::NAN).is_nan() && exp_f64(f64::NAN).is_nan());
        assert!(exp(-88.0) > 0.0 && exp(88.7) < f32::INFINITY);
    }
}
