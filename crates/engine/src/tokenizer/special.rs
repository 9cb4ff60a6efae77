//! Cutting special tokens out of text before the rest is tokenized.

use super::vocabulary::{TokenKind, Vocabulary};

/// A part of the text: already a token, or still text.
#[derive(Debug, PartialEq)]
pub(super) enum Fragment<'a> {
    Text(&'a str),
    Token(u32),
}

#[derive(Debug)]
struct SpecialToken {
    id: u32,
    text: Box<str>,
    /// Recognised only when the caller asks for control tokens to be parsed.
    control: bool,
}

/// All tokens that are recognised as a whole, longest first: a longer one is never cut by a shorter one inside it.
#[derive(Debug)]
pub(super) struct SpecialTokens {
    tokens: Vec<SpecialToken>,
    /// Indices into `tokens` by first byte.
    by_first_byte: Vec<Vec<usize>>,
}

impl SpecialTokens {
    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let mut tokens: Vec<SpecialToken> = vocabulary
            .iter()
            .filter(|(_, _, kind)| matches!(kind, TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown))
            .map(|(id, text, kind)| SpecialToken { id, text: text.into(), control: kind != TokenKind::UserDefined })
            .collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.text.len()));
        let mut by_first_byte = vec![Vec::new(); 256];
        for (index, token) in tokens.iter().enumerate() {
            if let Some(&first) = token.text.as_bytes().first() {
                by_first_byte[usize::from(first)].push(index);
            }
        }
        Self { tokens, by_first_byte }
    }

    /// Splits `text` at every special token in it; control tokens only count if `parse_control`.
    pub(super) fn split<'a>(&self, text: &'a str, parse_control: bool) -> Vec<Fragment<'a>> {
        let mut fragments = vec![Fragment::Text(text)];
        for index in self.occurring(text, parse_control) {
            fragments = cut(fragments, &self.tokens[index]);
        }
        fragments
    }

    /// Indices of the tokens that occur in `text`, longest first. Vocabularies may have thousands of special tokens and
    /// a text has few of them, so they are looked up by first byte in one pass.
    fn occurring(&self, text: &str, parse_control: bool) -> Vec<usize> {
        let mut found = Vec::new();
        for (position, &byte) in text.as_bytes().iter().enumerate() {
            for &index in &self.by_first_byte[usize::from(byte)] {
                let token = &self.tokens[index];
                if (parse_control || !token.control) && text.as_bytes()[position..].starts_with(token.text.as_bytes()) {
                    found.push(index);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn cut<'a>(fragments: Vec<Fragment<'a>>, token: &SpecialToken) -> Vec<Fragment<'a>> {
    let mut cut = Vec::with_capacity(fragments.len() + 2);
    for fragment in fragments {
        let Fragment::Text(text) = fragment else {
            cut.push(fragment);
            continue;
        };
        for (index, part) in text.split(&*token.text).enumerate() {
            if index > 0 {
                cut.push(Fragment::Token(token.id));
            }
            if !part.is_empty() {
                cut.push(Fragment::Text(part));
            }
        }
    }
    cut
}
