//! Byte-level byte-pair vocabularies: words are split off by rules, then merged in the order of the merge list.

use super::byte_letters;
use super::error::TokenizerError;
use super::merge::{Merged, Merger};
use super::pre_tokenizer::PreTokenizer;
use super::vocabulary::Vocabulary;
use crate::gguf::Metadata;
use foldhash::{HashMap, HashMapExt as _};

const MERGES: &str = "tokenizer.ggml.merges";

/// Merges by rank.
///
/// Symbols are numbered: a token has its id, a text that occurs in the merge list but is no token a number above them.
#[derive(Debug)]
pub(super) struct BytePairs {
    pre_tokenizer: PreTokenizer,
    /// Rank and result of each pair of symbols.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// Symbol of each byte's letter.
    bytes: Vec<u32>,
    letters: Box<[char; 256]>,
    /// Texts of the symbols that are no tokens.
    extra: Vec<String>,
}

/// Gives numbers to texts that are no tokens.
struct Numbering<'a> {
    vocabulary: &'a Vocabulary,
    numbers: HashMap<String, u32>,
    extra: Vec<String>,
}

impl Numbering<'_> {
    fn number(&mut self, text: &str) -> Result<u32, TokenizerError> {
        if let Some(known) = self.vocabulary.id(text).or_else(|| self.numbers.get(text).copied()) {
            return Ok(known);
        }
        let number = u32::try_from(self.vocabulary.len() + self.extra.len())
            .map_err(|_| TokenizerError::malformed(MERGES, "more than 2^32 different texts"))?;
        self.numbers.insert(text.to_owned(), number);
        self.extra.push(text.to_owned());
        Ok(number)
    }
}

impl BytePairs {
    pub(super) fn read(
        metadata: &Metadata,
        vocabulary: &Vocabulary,
        pre_tokenizer: PreTokenizer,
    ) -> Result<Self, TokenizerError> {
        let list = metadata.required_strings(MERGES)?;
        let mut numbering = Numbering { vocabulary, numbers: HashMap::new(), extra: Vec::new() };
        let letters = Box::new(byte_letters::letters());
        let bytes = letters.iter().map(|letter| numbering.number(&letter.to_string())).collect::<Result<_, _>>()?;
        let mut merges = HashMap::with_capacity(list.len());
        let mut whole = String::new();
        for (rank, line) in (0u32..).zip(list.iter()) {
            // The first half is never empty, so a merge may begin with a space.
            let space = line.char_indices().skip(1).find(|&(_, letter)| letter == ' ');
            let Some((left, right)) = space.map(|(at, _)| (&line[..at], &line[at + 1..])) else {
                return Err(TokenizerError::malformed(MERGES, format!("entry {rank} is no pair: {line:?}")));
            };
            whole.clear();
            whole.extend([left, right]);
            let merged = numbering.number(&whole)?;
            let pair = (numbering.number(left)?, numbering.number(right)?);
            merges.entry(pair).or_insert((rank, merged));
        }
        Ok(Self { pre_tokenizer, merges, bytes, letters, extra: numbering.extra })
    }

    /// Appends the ids of `text`.
    pub(super) fn encode(&self, vocabulary: &Vocabulary, text: &str, merger: &mut Merger, ids: &mut Vec<u32>) {
        let mut spelt = String::new();
        self.pre_tokenizer.split(text, |word| {
            if self.pre_tokenizer.whole_words_first() {
                spelt.clear();
                spelt.extend(word.bytes().map(|byte| self.letters[usize::from(byte)]));
                if let Some(id) = vocabulary.id(&spelt) {
                    ids.push(id);
                    return;
                }
            }
            merger.load(word.bytes().map(|byte| (1, self.bytes[usize::from(byte)])));
            let symbols = merger.run(|left, right| {
                let &(rank, id) = self.merges.get(&(left.id, right.id))?;
                Some(Merged { cost: rank.into(), id })
            });
            for symbol in symbols {
                self.push(vocabulary, symbol.id, ids);
            }
        });
    }

    /// Appends a symbol. One that is no token is spelt letter by letter as far as the letters are ASCII and tokens, as
    /// llama.cpp does; whole vocabularies never need this.
    fn push(&self, vocabulary: &Vocabulary, symbol: u32, ids: &mut Vec<u32>) {
        match (symbol as usize).checked_sub(vocabulary.len()).and_then(|index| self.extra.get(index)) {
            None => ids.push(symbol),
            Some(text) => {
                let letters = text.chars().filter(char::is_ascii);
                ids.extend(letters.filter_map(|letter| vocabulary.id(letter.encode_utf8(&mut [0; 4]))));
            }
        }
    }
}
