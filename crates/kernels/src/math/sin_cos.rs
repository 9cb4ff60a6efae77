//! Sine and cosine.

/// pi/2 in three parts; the first two have 33 bits, so products with integers below 2^20 are exact.
const HALF_PI: [f64; 3] = [
    f64::from_bits(0x3ff9_21fb_5440_0000),
    f64::from_bits(0x3dd0_b461_1a60_0000),
    f64::from_bits(0x3ba3_198a_2e03_7073),
];
/// 1.5 * 2^52, see [`crate::math::exp`].
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `(sin x, cos x)` in f64, within 2e-16 of the true value for `|x| < 1e6` (rotary angles are at most the position).
///
/// Method: `x = n pi/2 + r` with `|r| <= pi/4`, Taylor polynomials, quadrant by `n mod 4`. Outside the range the
/// result is still the same on every machine, but less accurate; infinity and NaN give NaN.
pub fn sin_cos(x: f64) -> (f64, f64) {
    let shifted = x * std::f64::consts::FRAC_2_PI + ROUND;
    let n = shifted - ROUND;
    let r = ((x - n * HALF_PI[0]) - n * HALF_PI[1]) - n * HALF_PI[2];
    let (sin, cos) = (sin_small(r), cos_small(r));
    match shifted.to_bits() & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

fn sin_small(r: f64) -> f64 {
    let z = r * r;
    let mut p = 1.0 / 355_687_428_096_000.0;
    p = p * z - 1.0 / 1_307_674_368_000.0;
    p = p * z + 1.0 / 6_227_020_800.0;
    p = p * z - 1.0 / 39_916_800.0;
    p = p * z + 1.0 / 362_880.0;
    p = p * z - 1.0 / 5040.0;
    p = p * z + 1.0 / 120.0;
    p = p * z - 1.0 / 6.0;
    r + r * (z * p)
}

fn cos_small(r: f64) -> f64 {
    let z = r * r;
    let mut p = 1.0 / 20_922_789_888_000.0;
    p = p * z - 1.0 / 87_178_291_200.0;
    p = p * z + 1.0 / 479_001_600.0;
    p = p * z - 1.0 / 3_628_800.0;
    p = p * z + 1.0 / 40_320.0;
    p = p * z - 1.0 / 720.0;
    p = p * z + 1.0 / 24.0;
    p = p * z - 0.5;
    1.0 + z * p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_agree_with_the_standard_library() {
        let mut worst = 0.0f64;
        for i in 0..400_000 {
            let x = f64::from(i) * 0.617 - 100_000.0;
            let (sin, cos) = sin_cos(x);
            worst = worst.max((sin - x.sin()).abs()).max((cos - x.cos()).abs());
        }
        for i in -10_000..10_000 {
            let x = f64::from(i) * 1e-3;
            let (sin, cos) = sin_cos(x);
            worst = worst.max((sin - x.sin()).abs()).max((cos - x.cos()).abs());
        }
        assert!(worst < 4e-16, "{worst}");
    }
}
