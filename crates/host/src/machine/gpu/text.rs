//! Small values as drivers print them, and what of it can be true.

use std::str::FromStr;

/// The longest name a card has; what is longer is a message.
const LONGEST_NAME: usize = 96;
/// More memory than any GPU has: 16 TiB.
const MOST_BYTES: u64 = 16 << 40;

/// The text as the name of a GPU, or `None` for what drivers print when they have none.
pub(crate) fn name(text: &str) -> Option<String> {
    let name = text.trim().trim_matches('\0').trim();
    let lower = name.to_ascii_lowercase();
    let is_message = ["failed", "error", "unknown", "nvidia-smi", "no devices", "not supported", "n/a", "couldn't"]
        .iter()
        .any(|part| lower.contains(part));
    let is_name = (2..=LONGEST_NAME).contains(&name.len())
        && name.chars().any(char::is_alphabetic)
        && !name.chars().any(|letter| letter.is_control() || letter == char::REPLACEMENT_CHARACTER);
    (is_name && !is_message).then(|| name.to_owned())
}

/// `0000:01:00.0` of `00000000:01:00.0`, `0000:01:00.0` or a path that ends in one.
pub(crate) fn pci_address(text: &str) -> Option<String> {
    let last = text.trim().rsplit('/').next()?;
    let parts: Vec<&str> = last.split([':', '.']).collect();
    let [domain, bus, device, function] = parts[..] else { return None };
    let hex = |part: &str, most: u32| {
        let plain = !part.is_empty() && part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(part, 16).ok().filter(|value| plain && *value <= most)
    };
    let domain = hex(domain, u32::MAX)?;
    let (bus, device, function) = (hex(bus, 0xff)?, hex(device, 0x1f)?, hex(function, 7)?);
    Some(format!("{domain:04x}:{bus:02x}:{device:02x}.{function}"))
}

/// A number as `nvidia-smi` or a file of sysfs prints it. `[N/A]` and its kin are `None`, and so is what is not finite.
pub(crate) fn number(text: &str) -> Option<f64> {
    f64::from_str(text.trim()).ok().filter(|value| value.is_finite())
}

/// A count above zero.
pub(crate) fn positive(text: &str) -> Option<u64> {
    u64::from_str(text.trim()).ok().filter(|value| *value > 0)
}

/// A size of memory that a GPU can have. Zero stands for "not told".
pub(crate) fn memory(bytes: u64) -> Option<u64> {
    (1..=MOST_BYTES).contains(&bytes).then_some(bytes)
}

/// Watts that a board can draw. Exactly zero is what a board without a sensor says.
pub(crate) fn power(watts: f64) -> Option<f64> {
    (watts > 0.0 && watts < 20_000.0).then_some(watts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_one_address_are_one() {
        assert_eq!(pci_address("00000000:C5:00.0").as_deref(), Some("0000:c5:00.0"));
        assert_eq!(pci_address("../../../0000:c5:00.0").as_deref(), Some("0000:c5:00.0"));
        for nonsense in
            ["", "0", "01:00.0", "0000:01:00", "zzzz:01:00.0", "0000:100:00.0", "0000:01:00.9", "::.", "+1:+1:+1.+1"]
        {
            assert_eq!(pci_address(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_message_is_no_name() {
        let message = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
        for nonsense in ["", " ", "1", "[N/A]", "Unknown", "42", "No devices were found", message] {
            assert_eq!(name(nonsense), None, "{nonsense}");
        }
        assert_eq!(name(" NVIDIA H200\n").as_deref(), Some("NVIDIA H200"));
    }
}
