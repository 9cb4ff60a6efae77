//! Half precision (IEEE binary16) and bfloat16.

/// The f32 with the value of the binary16 `bits`; exact. NaN payloads move up unchanged.
#[inline(always)]
pub fn f16_to_f32(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    // 2^112 moves the exponent bias from 15 to 127 and makes subnormals normal, exactly.
    let finite = (f32::from_bits(magnitude) * f32::from_bits(0x7780_0000)).to_bits();
    let special = magnitude | 0x7f80_0000;
    let value = if bits & 0x7c00 == 0x7c00 { special } else { finite };
    f32::from_bits(value | (u32::from(bits & 0x8000) << 16))
}

/// The binary16 nearest to `value`, ties to even; too large becomes infinity, NaN a quiet NaN.
///
/// All cases are computed and one is chosen, so that loops over it become vectors.
#[inline(always)]
pub fn f32_to_f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    // Subnormal or zero: adding 0.5 lines the value up with 2^-24, the spacing of binary16 subnormals.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    // Normal: the exponent moves by 112, and half of the last kept place, less one for even numbers, is added.
    let normal = magnitude.wrapping_sub(0x3800_0000 - 0x0fff).wrapping_add((magnitude >> 13) & 1) >> 13;
    let finite = if magnitude < 0x3880_0000 { subnormal } else { normal };
    let large = if magnitude > 0x7f80_0000 { 0x7e00 } else { 0x7c00 };
    let value = if magnitude >= 0x4780_0000 { large } else { finite };
    (((bits >> 16) & 0x8000) | value) as u16
}

/// The f32 with the value of the bfloat16 `bits`; exact.
#[inline(always)]
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The bfloat16 nearest to `value`, ties to even; NaN becomes a quiet NaN.
pub fn f32_to_bf16(value: f32) -> u16 {
    if value.is_nan() {
        return 0x7fc0;
    }
    let bits = value.to_bits();
    ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value of a finite binary16 from its definition.
    fn by_definition(bits: u16) -> f64 {
        let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
        let (exponent, fraction) = (i32::from((bits >> 10) & 31), f64::from(bits & 1023));
        sign * if exponent == 0 { fraction * 2f64.powi(-24) } else { (1024.0 + fraction) * 2f64.powi(exponent - 25) }
    }

    #[test]
    fn every_finite_binary16_converts_exactly_and_back() {
        for bits in 0..=u16::MAX {
            if bits & 0x7c00 == 0x7c00 {
                continue;
            }
            assert_eq!(f64::from(f16_to_f32(bits)), by_definition(bits), "{bits:#x}");
            assert_eq!(f32_to_f16(f16_to_f32(bits)), bits);
        }
        assert_eq!(f16_to_f32(0x7c00), f32::INFINITY);
        assert!(f16_to_f32(0x7e01).is_nan());
    }

    #[test]
    fn rounding_to_binary16_takes_the_nearest_and_even_on_ties() {
        for bits in 0..0x7bffu16 {
            let (low, high) = (f16_to_f32(bits), f16_to_f32(bits + 1));
            let middle = (low + high) / 2.0;
            let even = if bits & 1 == 0 { bits } else { bits + 1 };
            assert_eq!(f32_to_f16(middle), even);
            assert_eq!(f32_to_f16(f32::from_bits(middle.to_bits() - 1)), bits);
            assert_eq!(f32_to_f16(-f32::from_bits(middle.to_bits() + 1)), (bits + 1) | 0x8000);
        }
        assert_eq!(f32_to_f16(65519.996), 0x7bff);
        assert_eq!(f32_to_f16(65520.0), 0x7c00);
        assert_eq!(f32_to_f16(f32::MAX), 0x7c00);
    }

    /// The binary16 nearest to `value` found by search among all finite ones: the slow definition.
    fn nearest(value: f32) -> u16 {
        let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
        let wanted = f64::from(value).abs();
        // Half a step beyond the largest finite one rounds to infinity.
        if wanted >= 65520.0 {
            return sign | 0x7c00;
        }
        let (mut low, mut high) = (0u16, 0x7bff);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if by_definition(middle) <= wanted { low = middle } else { high = middle - 1 }
        }
        if low == 0x7bff {
            return sign | low;
        }
        let (below, above) = (wanted - by_definition(low), by_definition(low + 1) - wanted);
        let up = above < below || (above == below && low & 1 == 1);
        sign | if up { low + 1 } else { low }
    }

    #[test]
    fn rounding_to_binary16_agrees_with_a_search_over_f32_of_every_exponent() {
        // Every sign, exponent and upper mantissa part, with the lower bits where rounding is decided.
        for high in 0..=0xffffu32 {
            for low in [0u32, 1, 0x0fff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x3000, 0x7fff, 0x8000, 0xefff, 0xf000, 0xffff]
            {
                let value = f32::from_bits(high << 16 | low);
                if value.is_nan() {
                    assert_eq!(f32_to_f16(value) & 0x7fff, 0x7e00);
                } else {
                    assert_eq!(f32_to_f16(value), nearest(value), "{value:e}");
                }
            }
        }
    }

    #[test]
    fn bfloat16_round_trips() {
        for bits in 0..=u16::MAX {
            let value = bf16_to_f32(bits);
            if !value.is_nan() {
                assert_eq!(f32_to_bf16(value), bits);
            }
        }
    }
}
