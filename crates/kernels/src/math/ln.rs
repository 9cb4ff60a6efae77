//! The natural logarithm.

use crate::math::exp::{LN_2_HIGH, LN_2_LOW};

/// `ln x` in f64 for normal positive `x`; at most 2 ulp from the true value.
///
/// Zero gives negative infinity, negative numbers and NaN give NaN, infinity gives itself; subnormals count as zero.
/// Method: `x = 2^e m` with `m` in `[sqrt(1/2), sqrt 2)`, `ln m = 2 atanh((m - 1) / (m + 1))` as a series.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x < f64::MIN_POSITIVE {
        return f64::NEG_INFINITY;
    }
    if x == f64::INFINITY {
        return x;
    }
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let mut p = 1.0 / 25.0;
    p = p * z + 1.0 / 23.0;
    p = p * z + 1.0 / 21.0;
    p = p * z + 1.0 / 19.0;
    p = p * z + 1.0 / 17.0;
    p = p * z + 1.0 / 15.0;
    p = p * z + 1.0 / 13.0;
    p = p * z + 1.0 / 11.0;
    p = p * z + 1.0 / 9.0;
    p = p * z + 1.0 / 7.0;
    p = p * z + 1.0 / 5.0;
    p = p * z + 1.0 / 3.0;
    let twice = s + s;
    let series = twice + twice * (z * p);
    let e = f64::from(exponent);
    e * LN_2_HIGH + (series + e * LN_2_LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_is_within_a_few_units_of_the_standard_library() {
        let mut worst = 0.0f64;
        let mut x = 1e-300;
        while x < 1e300 {
            let want = f64::ln(x);
            if want != 0.0 {
                worst = worst.max(((ln(x) - want) / want).abs());
            }
            x *= 1.001_7;
        }
        for i in 1..200_000 {
            let x = f64::from(i) * 1e-5;
            let want = x.ln();
            if want.abs() > 1e-12 {
                worst = worst.max(((ln(x) - want) / want).abs());
            }
        }
        assert!(worst < 4.0 * f64::EPSILON, "{worst}");
    }

    #[test]
    fn the_edges_are_infinite_or_nan() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan());
    }
}
