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
    /// Takes the white space that follows it along.
    trims: bool,
}

/// Whether special tokens of the model `name` (`general.name`) take the white space that follows them along.
///
/// Phi 3's do, and no GGUF says so: llama.cpp knows the model by its name (`src/llama-vocab.cpp`, commit 0c1e570), and so
/// must whoever wants its ids.
pub(super) fn tokens_trim(name: &str) -> bool {
    name.contains("phi-3") || name.contains("phi3")
}

/// The tokens of such a model that leave white space as it is.
const NEVER_TRIMMING: [&str; 3] = ["<unk>", "<s>", "<|endoftext|>"];

/// All tokens that are recognised as a whole, longest first: a longer one is never cut by a shorter one inside it.
#[derive(Debug)]
pub(super) struct SpecialTokens {
    tokens: Vec<SpecialToken>,
    /// Indices into `tokens` by first byte.
    by_first_byte: Vec<Vec<usize>>,
}

impl SpecialTokens {
    /// `trim`: whether white space after these tokens belongs to them ([`tokens_trim`]).
    pub(super) fn new(vocabulary: &Vocabulary, trim: bool) -> Self {
        let mut tokens: Vec<SpecialToken> = vocabulary
            .iter()
            .filter(|(_, _, kind)| matches!(kind, TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown))
            .map(|(id, text, kind)| {
                let trims = trim && !NEVER_TRIMMING.contains(&text);
                SpecialToken { id, text: text.into(), control: kind != TokenKind::UserDefined, trims }
            })
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
        self.fragments(text, parse_control, |token| token.trims)
    }

    /// The same without loss: white space that a token takes along is there as text.
    pub(super) fn split_whole<'a>(&self, text: &'a str) -> Vec<Fragment<'a>> {
        self.fragments(text, true, |_| false)
    }

    fn fragments<'a>(
        &self,
        text: &'a str,
        parse_control: bool,
        trims: impl Fn(&SpecialToken) -> bool,
    ) -> Vec<Fragment<'a>> {
        let mut fragments = vec![Fragment::Text(text)];
        for index in self.occurring(text, parse_control) {
            let token = &self.tokens[index];
            fragments = cut(fragments, token, trims(token));
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

fn cut<'a>(fragments: Vec<Fragment<'a>>, token: &SpecialToken, trim: bool) -> Vec<Fragment<'a>> {
    let mut cut = Vec::with_capacity(fragments.len() + 2);
    for fragment in fragments {
        let Fragment::Text(text) = fragment else {
            cut.push(fragment);
            continue;
        };
        for (index, mut part) in text.split(&*token.text).enumerate() {
            if index > 0 {
                cut.push(Fragment::Token(token.id));
                part = if trim { part.trim_start_matches(is_c_space) } else { part };
            }
            if !part.is_empty() {
                cut.push(Fragment::Text(part));
            }
        }
    }
    cut
}

/// What C's `isspace` finds: one letter more than `char::is_ascii_whitespace`.
fn is_c_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\u{b}'
}
