//! The letters that byte-level vocabularies write for bytes.
//!
//! Printable Latin-1 stands for itself; the other 68 bytes are numbered upwards from U+0100. Source: GPT-2's released
//! `encoder.py`, `bytes_to_unicode` (Radford et al. 2019).

/// The letter of every byte.
pub(super) fn letters() -> [char; 256] {
    let mut letters = ['\0'; 256];
    let mut spare = '\u{100}'..;
    for (byte, letter) in (0u8..=255).zip(&mut letters) {
        *letter = match byte {
            0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
            _ => spare.next().expect("68 letters follow U+0100"),
        };
    }
    letters
}

/// The byte that `letter` stands for.
pub(super) fn byte_of(letter: char) -> Option<u8> {
    match u32::from(letter) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_bytes_are_inverse() {
        for (byte, letter) in (0u8..=255).zip(letters()) {
            assert_eq!(byte_of(letter), Some(byte), "{letter}");
        }
        assert_eq!((0..=0x500).filter_map(char::from_u32).filter_map(byte_of).count(), 256);
    }

    #[test]
    fn well_known_letters() {
        assert_eq!((letters()[b' ' as usize], letters()[b'\n' as usize], letters()[b'A' as usize]), ('Ġ', 'Ċ', 'A'));
    }
}
