//! Ids to text.

use super::byte_letters::byte_of;
use super::encode::Tokenizer;
use super::sentence_piece::SPACE;
use super::vocabulary::{TokenKind, Vocabulary};

/// The bytes every token stands for, in one allocation.
#[derive(Debug)]
pub(super) struct TokenBytes {
    bytes: Vec<u8>,
    /// End of each token in `bytes`.
    ends: Vec<usize>,
}

impl TokenBytes {
    pub(super) fn new(vocabulary: &Vocabulary, byte_letters: bool) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(vocabulary.len());
        for (_, text, kind) in vocabulary.iter() {
            match kind {
                TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown => bytes.extend(text.as_bytes()),
                TokenKind::Normal if byte_letters => push_letters(&mut bytes, text),
                TokenKind::Normal => bytes.extend(text.replace(SPACE, " ").as_bytes()),
                TokenKind::Byte => bytes.extend(parse_byte(text)),
                TokenKind::Unused => {}
            }
            ends.push(bytes.len());
        }
        Self { bytes, ends }
    }

    fn get(&self, id: u32) -> &[u8] {
        let index = id as usize;
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..end]
    }
}

fn push_letters(bytes: &mut Vec<u8>, text: &str) {
    for letter in text.chars() {
        match byte_of(letter) {
            Some(byte) => bytes.push(byte),
            // No byte-level vocabulary has other letters, but a damaged one may.
            None => bytes.extend(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// The byte of `<0x0A>`.
fn parse_byte(text: &str) -> Option<u8> {
    u8::from_str_radix(text.strip_prefix("<0x")?.strip_suffix('>')?, 16).ok()
}

impl Tokenizer {
    /// The bytes the token stands for; control tokens as the file spells them. Empty for ids outside the vocabulary and
    /// unused ones. One token may hold a part of a letter only.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id)
    }

    /// The text of a whole sequence of ids, without control tokens and without the space that
    /// [`encode`](Self::encode) may put in front. Bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> =
            ids.iter().filter(|&&id| self.is_shown(id)).flat_map(|&id| self.bytes(id)).copied().collect();
        let text = match bytes.strip_prefix(b" ") {
            Some(rest) if self.adds_space_prefix => rest,
            _ => &bytes,
        };
        String::from_utf8_lossy(text).into_owned()
    }

    /// A decoder for ids that come one by one, after a prompt.
    pub fn stream(&self) -> StreamDecoder<'_> {
        StreamDecoder { tokenizer: self, pending: Vec::new() }
    }

    fn is_shown(&self, id: u32) -> bool {
        !matches!(self.vocabulary.kind(id), TokenKind::Control | TokenKind::Unknown)
    }
}

/// Decodes generated ids as they come, holding back the bytes of a letter until it is complete.
#[derive(Clone, Debug)]
pub struct StreamDecoder<'a> {
    tokenizer: &'a Tokenizer,
    /// At most the three first bytes of a letter.
    pending: Vec<u8>,
}

impl StreamDecoder<'_> {
    /// The text that `id` completes; empty for control tokens and while a letter is incomplete.
    pub fn push(&mut self, id: u32) -> String {
        if self.tokenizer.is_shown(id) {
            self.pending.extend(self.tokenizer.bytes(id));
        }
        let complete = self.pending.len() - incomplete_tail(&self.pending);
        let text = String::from_utf8_lossy(&self.pending[..complete]).into_owned();
        self.pending.drain(..complete);
        text
    }

    /// What is left of an incomplete letter: U+FFFD, or nothing.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// Length of the letter that `bytes` end in the middle of.
fn incomplete_tail(bytes: &[u8]) -> usize {
    let start = bytes.len().saturating_sub(3);
    // A tail is incomplete if the bytes that follow could still make it a letter.
    (start..bytes.len())
        .find(|&at| {
            std::str::from_utf8(&bytes[at..])
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .map_or(0, |at| bytes.len() - at)
}

#[cfg(test)]
mod tests {
    use super::{incomplete_tail, parse_byte};

    #[test]
    fn incomplete_letters_are_found() {
        let text = "aé字🙂";
        for (cut, tail) in [(1, 0), (2, 1), (3, 0), (4, 1), (5, 2), (6, 0), (7, 1), (8, 2), (9, 3), (10, 0)] {
            assert_eq!(incomplete_tail(&text.as_bytes()[..cut]), tail, "after {cut} bytes");
        }
        // Continuation bytes alone and impossible leads will never become a letter.
        assert_eq!(incomplete_tail(b"\x80\x80"), 0);
        assert_eq!(incomplete_tail(b"\xff"), 0);
    }

    #[test]
    fn byte_tokens_are_parsed() {
        assert_eq!((parse_byte("<0x0A>"), parse_byte("<0xFF>"), parse_byte("<s>")), (Some(10), Some(255), None));
    }
}
