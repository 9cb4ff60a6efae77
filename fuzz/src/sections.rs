//! Inputs of several parts. Separators are the control characters made for it, so that mutations keep the parts.

use std::borrow::Cow;

/// ASCII's record separator.
const SECTION: u8 = 0x1e;
/// ASCII's unit separator.
const ITEM: u8 = 0x1f;

/// The first `N` sections of `data`, the last with all the rest; absent ones are empty.
pub(crate) fn sections<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |&byte| byte == SECTION);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The items of a section as text; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn items(section: &[u8]) -> Vec<String> {
    section.split(|&byte| byte == ITEM).map(|item| text(item).into_owned()).collect()
}

pub(crate) fn text(section: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(section)
}
