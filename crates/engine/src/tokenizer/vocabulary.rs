//! The list of tokens: their texts, kinds and ids.

use super::error::TokenizerError;
use crate::gguf::Metadata;
use foldhash::{HashMap, HashMapExt as _};

pub(super) const TOKENS: &str = "tokenizer.ggml.tokens";
const TOKEN_TYPES: &str = "tokenizer.ggml.token_type";

/// What a token is for. Numbers: GGUF's `tokenizer.ggml.token_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A piece of text.
    Normal,
    /// Stands for what the vocabulary cannot spell.
    Unknown,
    /// Structure (`<|im_start|>`): never made from text unless the caller says so, never shown.
    Control,
    /// Text that is always one token.
    UserDefined,
    /// A place held for nothing.
    Unused,
    /// One byte (`<0x0A>`).
    Byte,
}

impl TokenKind {
    fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            6 => Self::Byte,
            _ => Self::Unused,
        }
    }
}

/// Texts as the file spells them, and ids by text.
#[derive(Debug)]
pub(super) struct Vocabulary {
    texts: Vec<Box<str>>,
    kinds: Vec<TokenKind>,
    ids: HashMap<Box<str>, u32>,
}

impl Vocabulary {
    pub(super) fn read(metadata: &Metadata) -> Result<Self, TokenizerError> {
        let list = metadata.required_strings(TOKENS)?;
        let count = u32::try_from(list.len()).ok().filter(|&count| count > 0);
        let count = count.ok_or_else(|| TokenizerError::malformed(TOKENS, format!("{} tokens", list.len())))?;
        let mut texts = Vec::with_capacity(list.len());
        let mut ids = HashMap::with_capacity(list.len());
        for (id, text) in (0..count).zip(list.iter()) {
            // An empty token would match everywhere; llama.cpp gives it this name.
            let text: Box<str> = if text.is_empty() { format!("[EMPTY_{id}]").into() } else { text.into() };
            if let Some(earlier) = ids.insert(text.clone(), id) {
                let message = format!("the tokens {earlier} and {id} have the same text, {text:?}");
                return Err(TokenizerError::malformed(TOKENS, message));
            }
            texts.push(text);
        }
        let mut kinds = vec![TokenKind::Normal; texts.len()];
        if let Some(numbers) = metadata.i32s(TOKEN_TYPES)? {
            if numbers.len() < texts.len() {
                let message = format!("{} types for {} tokens", numbers.len(), texts.len());
                return Err(TokenizerError::malformed(TOKEN_TYPES, message));
            }
            for (kind, number) in kinds.iter_mut().zip(numbers) {
                *kind = TokenKind::from_number(number);
            }
        }
        Ok(Self { texts, kinds, ids })
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn id(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }

    pub(super) fn text(&self, id: u32) -> Option<&str> {
        self.texts.get(id as usize).map(AsRef::as_ref)
    }

    pub(super) fn kind(&self, id: u32) -> TokenKind {
        self.kinds.get(id as usize).copied().unwrap_or(TokenKind::Unused)
    }

    pub(super) fn set_kind(&mut self, id: u32, kind: TokenKind) {
        if let Some(slot) = self.kinds.get_mut(id as usize) {
            *slot = kind;
        }
    }

    /// Every token in id order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str, TokenKind)> {
        let entries = self.texts.iter().zip(&self.kinds);
        (0u32..).zip(entries).map(|(id, (text, &kind))| (id, text.as_ref(), kind))
    }

    /// The id under `key`, if the file has the key and the vocabulary the id; else `default`, on the same condition.
    pub(super) fn special_id(
        &self,
        metadata: &Metadata,
        key: &str,
        default: Option<u32>,
    ) -> Result<Option<u32>, TokenizerError> {
        let known = |id: &u32| (*id as usize) < self.len();
        let named = metadata.u32(&format!("tokenizer.ggml.{key}"))?.filter(known);
        Ok(named.or(default.filter(known)))
    }
}
