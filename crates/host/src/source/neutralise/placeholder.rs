//! What stands in for an identifier.

use std::collections::BTreeMap;

/// Gives equal identifiers equal placeholders, numbered in the order in which they are met.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    known: BTreeMap<(&'static str, String), usize>,
}

impl Placeholders {
    /// `serial1` for the first of its kind. What is a placeholder already stays, so that neutralising twice is
    /// neutralising once.
    pub(super) fn named(&mut self, kind: &'static str, secret: &str) -> String {
        if is_placeholder(kind, secret) { secret.to_owned() } else { format!("{kind}{}", self.number(kind, secret)) }
    }

    /// A UUID of zeros with the number at its end, the separators as they were.
    pub(super) fn uuid(&mut self, secret: &str) -> String {
        let separator = if secret.contains('_') { "_" } else { "-" };
        let zeros = ["00000000", "0000", "0000", "0000", ""].join(separator);
        if secret.starts_with(&zeros) {
            return secret.to_owned();
        }
        format!("{zeros}{:012}", self.number("uuid", &secret.to_ascii_lowercase()))
    }

    fn number(&mut self, kind: &'static str, secret: &str) -> usize {
        let next = self.known.keys().filter(|known| known.0 == kind).count() + 1;
        *self.known.entry((kind, secret.to_owned())).or_insert(next)
    }
}

pub(super) fn is_placeholder(kind: &str, text: &str) -> bool {
    let number = text.strip_prefix(kind).filter(|number| !number.is_empty() && number.len() <= 4);
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
