//! Transcendental functions made of exact arithmetic only, so that results do not depend on a platform's libm.

use std::f64::consts::SQRT_2;

/// ln 2 in two parts: the first has zeros at its end, so its product with a small integer is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Natural logarithm. `-inf` at 0, NaN below. Relative error below 1e-15.
///
/// Writes x = m·2^e with m in [√½, √2) and sums ln m = 2·artanh((m−1)/(m+1)).
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    // Subnormals are lifted into the normal range first, where the exponent field means what it says.
    let (x, lifted) = if x < f64::MIN_POSITIVE { (x * 18_014_398_509_481_984.0, 54) } else { (x, 0) };
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) as i32) - 1023 - lifted;
    let mut mantissa = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    if mantissa >= SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // |s| < 0.1716, so the term 2·s^25/25 is below 1e-20.
    let series = (1..=11).rev().fold(0.0, |sum, k| (sum + 1.0 / f64::from(2 * k + 1)) * square);
    let exponent = f64::from(exponent);
    exponent * LN_2_HIGH + (2.0 * s + (2.0 * s * series + exponent * LN_2_LOW))
}

/// e to the power of `x`, because the platform's `exp` differs in its last bit. Within 4 units in the last place where the
/// result is normal; 0 below.
///
/// Source: range reduction by multiples of ln 2 in two parts (Cody and Waite 1980), then the Taylor series to degree 13,
/// whose remainder is under 2^-53 for |r| up to ln 2 / 2.
pub fn exp(x: f64) -> f64 {
    if x.is_nan() || x > 709.0 {
        return if x.is_nan() { x } else { f64::INFINITY };
    }
    if x < -708.0 {
        return 0.0;
    }
    let steps = (x * std::f64::consts::LOG2_E).round();
    let rest = (x - steps * LN_2_HIGH) - steps * LN_2_LOW;
    let series = (1..=13u32).rev().fold(1.0, |sum, degree| 1.0 + sum * rest / f64::from(degree));
    // Exact: `steps` lies between -1022 and 1023.
    series * f64::from_bits(((steps as i64 + 1023) as u64) << 52)
}

/// The angle whose sine is `x`, in radians; `x` is taken between −1 and 1. Absolute error below 1e-15.
///
/// The tangent of the angle is halved in angle four times, which leaves at most 0.1, and Gregory's series does the rest.
pub fn arcsine(x: f64) -> f64 {
    let x = x.clamp(-1.0, 1.0);
    let cosine = ((1.0 - x) * (1.0 + x)).sqrt();
    // tan(angle / 2) = sin / (1 + cos); from there on tan(angle / 2) = tan / (1 + √(1 + tan²)).
    let half = x / (1.0 + cosine);
    let tangent = (0..3).fold(half, |tangent, _| tangent / (1.0 + (1.0 + tangent * tangent).sqrt()));
    let square = tangent * tangent;
    // The first term left out is 0.1^17 / 17.
    let series = (1..=7).rev().fold(0.0, |sum, k| {
        let sign = if k % 2 == 1 { -1.0 } else { 1.0 };
        (sum + sign / f64::from(2 * k + 1)) * square
    });
    16.0 * (tangent + tangent * series)
}

/// The standard normal quantile: the z with Φ(z) = p. Relative error about 1e-15. Beyond 1e-300 and 1 − 1e-16 it stays
/// where it is there, so that the result is always finite.
///
/// Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
pub fn normal_quantile(p: f64) -> f64 {
    let p = p.clamp(1e-300, 1.0 - 1e-16);
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * polynomial(&CENTRE_TOP, r) / polynomial(&CENTRE_BOTTOM, r);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    let r = (-ln(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(&TAIL_TOP, r - 1.6) / polynomial(&TAIL_BOTTOM, r - 1.6)
    } else {
        polynomial(&FAR_TOP, r - 5.0) / polynomial(&FAR_BOTTOM, r - 5.0)
    };
    if centred < 0.0 { -z } else { z }
}

/// Σ coefficients[i]·x^i.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE_TOP: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BOTTOM: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const TAIL_TOP: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    0.000_774_545_014_278_341_4,
];
const TAIL_BOTTOM: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    0.000_547_593_808_499_534_5,
    1.050_750_071_644_416_9e-9,
];

const FAR_TOP: [f64; 8] = [
    6.657_904_643_501_104,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BOTTOM: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::{arcsine, exp, ln, normal_quantile};

    #[test]
    fn ln_agrees_with_the_platform_within_two_units_in_the_last_place() {
        let mut x = 1e-308_f64;
        while x < 1e308 {
            for value in [x, 1.0 + x.min(1e10), 1.0 / (1.0 + x.min(1e10))] {
                let expected = value.ln();
                assert!((ln(value) - expected).abs() <= 4.5e-16 * expected.abs(), "ln({value})");
            }
            x *= 1.37;
        }
    }

    #[test]
    fn ln_keeps_the_limits() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!(ln(-1.0).is_nan());
        assert!((ln(5e-324) - 5e-324f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn normal_quantiles_are_symmetric_and_match_printed_tables() {
        // Values of scipy.stats.norm.ppf.
        for (p, z) in [
            (0.5, 0.0),
            (0.6, 0.2533471031357997),
            (0.9, 1.2815515655446004),
            (0.95, 1.6448536269514722),
            (0.975, 1.959963984540054),
            (0.995, 2.5758293035489004),
            (0.9995, 3.2905267314919255),
            (0.9999999, 5.199337582290661),
        ] {
            // Taking the tail from p costs digits near 1, which is no fault of the method.
            assert!((normal_quantile(p) - z).abs() < 1e-9_f64.min(1e-14 / (1.0 - p)), "p = {p}");
            assert!((normal_quantile(1.0 - p) + z).abs() < 1e-8, "p = {p}");
        }
    }

    #[test]
    fn exp_agrees_with_the_platform_within_four_units_in_the_last_place() {
        for step in -70_000..=1000 {
            let x = f64::from(step) * 0.01 + 0.000_37;
            let (own, platform) = (exp(x), x.exp());
            let distance = own.to_bits().abs_diff(platform.to_bits());
            assert!(distance <= 4, "exp({x}): {own} and {platform}");
        }
    }

    #[test]
    fn exp_keeps_the_limits() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn arcsine_agrees_with_the_platform() {
        for step in -1000..=1000 {
            let x = f64::from(step) / 1000.0;
            assert!((arcsine(x) - x.asin()).abs() < 1e-15, "arcsine({x})");
        }
        assert_eq!((arcsine(2.0), arcsine(0.0)), (arcsine(1.0), 0.0));
    }

    #[test]
    fn quantiles_far_out_match_printed_tables() {
        // Values of scipy.stats.norm.ppf.
        for (p, z) in [(1e-12, -7.034483825301132), (1e-100, -21.273453560965322), (1e-290, -36.420731673207996)] {
            assert!((normal_quantile(p) / z - 1.0).abs() < 1e-13, "p = {p}: {}", normal_quantile(p));
        }
        assert!(normal_quantile(0.0).is_finite() && normal_quantile(1.0).is_finite());
    }
}
