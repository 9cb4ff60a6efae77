//! The tokenizer itself, and text to ids.

use super::byte_pairs::BytePairs;
use super::decode::TokenBytes;
use super::error::TokenizerError;
use super::merge::Merger;
use super::pre_tokenizer::PreTokenizer;
use super::sentence_piece::SentencePiece;
use super::special::{Fragment, SpecialTokens, tokens_trim};
use super::stop::stop_ids;
use super::vocabulary::{TokenKind, Vocabulary};
use crate::gguf::{Gguf, Metadata};
use std::collections::BTreeSet;

/// Turns text into token ids and back, as the model was trained to read them.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) vocabulary: Vocabulary,
    pub(super) bytes: TokenBytes,
    specials: SpecialTokens,
    model: Model,
    bos: Option<u32>,
    eos: Option<u32>,
    adds_bos: bool,
    adds_eos: bool,
    pub(super) adds_space_prefix: bool,
    stops: BTreeSet<u32>,
}

#[derive(Debug)]
enum Model {
    BytePairs(BytePairs),
    SentencePiece(SentencePiece),
}

impl Tokenizer {
    /// Reads the vocabulary of a model file.
    ///
    /// # Errors
    /// The vocabulary is missing, of a kind or with a pre-tokenizer that is not known, or contradicts itself.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        let metadata = gguf.metadata();
        let vocabulary = Vocabulary::read(metadata)?;
        match metadata.required_string("tokenizer.ggml.model")? {
            "gpt2" => {
                let name = metadata.string("tokenizer.ggml.pre")?.unwrap_or("default");
                let pre_tokenizer = PreTokenizer::named(name)?;
                let adds_bos = pre_tokenizer.adds_bos();
                let model = Model::BytePairs(BytePairs::read(metadata, &vocabulary, pre_tokenizer)?);
                Self::assemble(metadata, vocabulary, model, Defaults { adds_bos, ..Defaults::default() })
            }
            "llama" => {
                let model = Model::SentencePiece(SentencePiece::read(metadata, &vocabulary)?);
                let defaults = Defaults { adds_bos: true, adds_space_prefix: true, bos: Some(1), eos: Some(2) };
                Self::assemble(metadata, vocabulary, model, defaults)
            }
            name => Err(TokenizerError::UnknownModel { name: name.to_owned() }),
        }
    }

    fn assemble(
        metadata: &Metadata,
        mut vocabulary: Vocabulary,
        model: Model,
        defaults: Defaults,
    ) -> Result<Self, TokenizerError> {
        let bos = vocabulary.special_id(metadata, "bos_token_id", defaults.bos)?;
        let eos = vocabulary.special_id(metadata, "eos_token_id", defaults.eos)?;
        let stops = stop_ids(&mut vocabulary, metadata, eos)?;
        let flag = |key: &str, default: bool| Ok::<_, TokenizerError>(metadata.bool(key)?.unwrap_or(default));
        Ok(Self {
            bytes: TokenBytes::new(&vocabulary, matches!(model, Model::BytePairs(_))),
            specials: SpecialTokens::new(
                &vocabulary,
                tokens_trim(metadata.string("general.name")?.unwrap_or_default()),
            ),
            adds_bos: flag("tokenizer.ggml.add_bos_token", defaults.adds_bos)?,
            adds_eos: flag("tokenizer.ggml.add_eos_token", false)?,
            adds_space_prefix: flag("tokenizer.ggml.add_space_prefix", defaults.adds_space_prefix)?,
            vocabulary,
            model,
            bos,
            eos,
            stops,
        })
    }

    /// The ids of `text`.
    ///
    /// `add_special` puts the begin and end tokens around it that the file asks for. `parse_special` recognises control
    /// tokens written in the text (`<|im_start|>`); without it they are text like any other, which is what a user's own
    /// words need. User-defined tokens are recognised always.
    pub fn encode(&self, text: &str, add_special: bool, parse_special: bool) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3 + 2);
        if add_special && self.adds_bos {
            ids.extend(self.bos);
        }
        self.push_text(text, parse_special, true, &mut ids);
        if add_special && self.adds_eos {
            ids.extend(self.eos);
        }
        ids
    }

    /// The ids of a text cut in parts that no token may span; control tokens are recognised within a part.
    pub(crate) fn encode_cut<'a>(&self, parts: impl Iterator<Item = &'a str>) -> Vec<u32> {
        let mut ids = Vec::new();
        parts.fold(true, |after_special, part| self.push_text(part, true, after_special, &mut ids));
        ids
    }

    /// Appends the ids of `text` and returns whether it ended with a special token; `after_special` says whether what
    /// came before it did.
    fn push_text(&self, text: &str, parse_special: bool, mut after_special: bool, ids: &mut Vec<u32>) -> bool {
        let mut merger = Merger::default();
        let fragments = if text.is_empty() { Vec::new() } else { self.specials.split(text, parse_special) };
        for fragment in fragments {
            match fragment {
                Fragment::Token(id) => ids.push(id),
                Fragment::Text(part) => self.encode_part(part, after_special, &mut merger, ids),
            }
            after_special = matches!(fragment, Fragment::Token(_));
        }
        after_special
    }

    /// `text` with `mark` inside every control token that is written out in it, so that what is left of and right of the
    /// mark is text like any other.
    pub(crate) fn break_control_tokens(&self, text: &str, mark: char) -> String {
        let mut broken = String::with_capacity(text.len());
        for fragment in self.specials.split_whole(text) {
            let part = match fragment {
                Fragment::Text(part) => part,
                Fragment::Token(id) => self.token_text(id).unwrap_or_default(),
            };
            let control = matches!(fragment, Fragment::Token(id) if self.kind(id) != TokenKind::UserDefined);
            let mut letters = part.chars();
            if control && let Some(first) = letters.next() {
                broken.extend([first, mark]);
            }
            broken.push_str(letters.as_str());
        }
        broken
    }

    fn encode_part(&self, part: &str, after_special: bool, merger: &mut Merger, ids: &mut Vec<u32>) {
        match &self.model {
            Model::BytePairs(model) => model.encode(&self.vocabulary, part, merger, ids),
            Model::SentencePiece(model) if after_special && self.adds_space_prefix => {
                model.encode(&self.vocabulary, &format!(" {part}"), merger, ids);
            }
            Model::SentencePiece(model) => model.encode(&self.vocabulary, part, merger, ids),
        }
    }

    /// Number of tokens.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// The id of the token spelt exactly `text` in the file, as `<|im_start|>`.
    pub fn token_id(&self, text: &str) -> Option<u32> {
        self.vocabulary.id(text)
    }

    /// The token's text as the file spells it: `Ġthe`, `▁the`, `<|im_end|>`.
    pub fn token_text(&self, id: u32) -> Option<&str> {
        self.vocabulary.text(id)
    }

    /// What the token is for; ids outside the vocabulary are unused.
    pub fn kind(&self, id: u32) -> TokenKind {
        self.vocabulary.kind(id)
    }

    /// The token that begins a text, if the file has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// The token that ends a text, if the file has one.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// Whether [`encode`](Self::encode) begins with the begin token when asked to add special tokens.
    pub fn adds_bos(&self) -> bool {
        self.adds_bos && self.bos.is_some()
    }

    /// Whether the token ends a generation.
    pub fn is_stop(&self, id: u32) -> bool {
        self.stops.contains(&id)
    }

    /// Every token that ends a generation, in id order.
    pub fn stop_ids(&self) -> impl Iterator<Item = u32> {
        self.stops.iter().copied()
    }
}

/// What holds where the file says nothing.
#[derive(Default)]
struct Defaults {
    bos: Option<u32>,
    eos: Option<u32>,
    adds_bos: bool,
    adds_space_prefix: bool,
}
