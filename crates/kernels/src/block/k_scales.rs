//! The 12 bytes in which `Q4_K` and `Q5_K` pack eight six-bit scales and eight six-bit minimums.

/// Scale and minimum of group `g`, 0 to 7.
///
/// Groups 0 to 3: low six bits of bytes `g` and `g + 4`. Groups 4 to 7: low and high nibble of byte `g + 4`, and their
/// two upper bits are the upper bits of bytes `g - 4` and `g`.
#[inline(always)]
pub(crate) fn scale_and_minimum(bytes: &[u8; 12], g: usize) -> (i16, i16) {
    let (scale, minimum) = if g < 4 {
        (bytes[g] & 63, bytes[g + 4] & 63)
    } else {
        ((bytes[g + 4] & 15) | ((bytes[g - 4] >> 6) << 4), (bytes[g + 4] >> 4) | ((bytes[g] >> 6) << 4))
    };
    (i16::from(scale), i16::from(minimum))
}
