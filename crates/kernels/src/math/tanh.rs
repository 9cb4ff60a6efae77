//! The hyperbolic tangent.

use crate::math::exp::exp;

/// From here up the exponential is used; below it, cancellation would cost half of the digits.
const SMALL: f32 = 0.625;

/// `tanh x` in f32; at most 1.5 ulp from the true value. NaN gives NaN, the sign of zero is kept.
///
/// Method: on the magnitude `a`, below 0.625 `a - a * (z * (315 + 14 z) / (945 + z * (420 + 15 z)))` with `z = a * a`
/// (Lambert's continued fraction of tanh, ended after four steps; it is within 1e-9 there), else `1 - 2 / (exp(2 a) + 1)`.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let sign = x.to_bits() & 0x8000_0000;
    let a = f32::from_bits(x.to_bits() ^ sign);
    let z = a * a;
    let small = a - a * ((z * (315.0 + 14.0 * z)) / (945.0 + z * (420.0 + 15.0 * z)));
    let large = 1.0 - 2.0 / (exp(a + a) + 1.0);
    let magnitude = if a < SMALL { small } else { large };
    f32::from_bits(magnitude.to_bits() ^ sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_within_one_and_a_half_ulp_of_the_standard_library() {
        let mut worst = (0.0f64, 0.0f32);
        for bits in (0x0080_0000u32..0x4200_0000).step_by(331) {
            let x = f32::from_bits(bits);
            let want = f64::from(x).tanh();
            let spacing = f64::from(f32::from_bits((want as f32).to_bits() + 1)) - f64::from(want as f32);
            let ulps = ((f64::from(tanh(x)) - want) / spacing).abs();
            if ulps > worst.0 {
                worst = (ulps, x);
            }
        }
        assert!(worst.0 < 1.5, "{} ulp at {}", worst.0, worst.1);
    }

    #[test]
    fn tanh_is_odd_saturates_and_keeps_zero_and_nan() {
        for x in [1e-30f32, 0.3, 0.625, 2.0, 9.0, 60.0, 1e30, f32::INFINITY] {
            assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits(), "{x}");
        }
        assert_eq!((tanh(f32::INFINITY), tanh(50.0)), (1.0, 1.0));
        assert_eq!((tanh(0.0).to_bits(), tanh(-0.0).to_bits()), (0, 0x8000_0000));
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn tanh_never_falls_where_its_two_methods_meet() {
        let mut last = tanh(f32::from_bits(SMALL.to_bits() - 2000));
        for bits in SMALL.to_bits() - 1999..SMALL.to_bits() + 2000 {
            let next = tanh(f32::from_bits(bits));
            assert!(next >= last - f32::EPSILON / 2.0, "{next} after {last}");
            last = next;
        }
    }
}
