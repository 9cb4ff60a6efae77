//! SentencePiece-style vocabularies: the best-scored neighbours are merged first, what cannot be spelt becomes bytes.

use super::error::TokenizerError;
use super::merge::{Merged, Merger};
use super::vocabulary::Vocabulary;
use crate::gguf::Metadata;

const SCORES: &str = "tokenizer.ggml.scores";
/// What pieces write for a space (U+2581).
pub(super) const SPACE: &str = "▁";
/// Id of a symbol that is no token.
const NO_TOKEN: u32 = u32::MAX;

/// Merges by score.
#[derive(Debug)]
pub(super) struct SentencePiece {
    /// Cost of each token, lowest for the best score.
    costs: Vec<i64>,
    /// Token of each byte.
    bytes: Vec<Option<u32>>,
    unknown: Option<u32>,
}

impl SentencePiece {
    pub(super) fn read(metadata: &Metadata, vocabulary: &Vocabulary) -> Result<Self, TokenizerError> {
        let costs = match metadata.f32s(SCORES)? {
            Some(scores) if scores.len() < vocabulary.len() => {
                let message = format!("{} scores for {} tokens", scores.len(), vocabulary.len());
                return Err(TokenizerError::malformed(SCORES, message));
            }
            Some(scores) => scores.iter().map(|&score| cost_of(score)).collect(),
            None => vec![0; vocabulary.len()],
        };
        // A vocabulary without byte tokens may still have the bytes that are letters.
        let byte_id = |byte: u8| {
            let letter = char::from(byte).to_string();
            vocabulary.id(&format!("<0x{byte:02X}>")).or_else(|| vocabulary.id(&letter).filter(|_| byte.is_ascii()))
        };
        let unknown = vocabulary.special_id(metadata, "unknown_token_id", Some(0))?;
        Ok(Self { costs, bytes: (0..=255).map(byte_id).collect(), unknown })
    }

    /// Appends the ids of `text`, whose spaces are still spaces.
    pub(super) fn encode(&self, vocabulary: &Vocabulary, text: &str, merger: &mut Merger, ids: &mut Vec<u32>) {
        let text = text.replace(' ', SPACE);
        let letters = text.char_indices().map(|(start, letter)| {
            let length = letter.len_utf8();
            (length, vocabulary.id(&text[start..start + length]).unwrap_or(NO_TOKEN))
        });
        merger.load(letters);
        let symbols = merger.run(|left, right| {
            let id = vocabulary.id(&text[left.start..right.end])?;
            Some(Merged { cost: self.costs[id as usize], id })
        });
        for symbol in symbols {
            if symbol.id == NO_TOKEN {
                let bytes = text.as_bytes()[symbol.start..symbol.end].iter();
                ids.extend(bytes.filter_map(|&byte| self.bytes[usize::from(byte)].or(self.unknown)));
            } else {
                ids.push(symbol.id);
            }
        }
    }
}

/// An integer that is lower for higher scores.
fn cost_of(score: f32) -> i64 {
    // Adding zero makes the two zeros one; the rest is the order of `f32::total_cmp`.
    let bits = (score + 0.0).to_bits().cast_signed();
    let ordered = if bits < 0 { bits ^ i32::MAX } else { bits };
    -i64::from(ordered)
}

#[cfg(test)]
mod tests {
    use super::cost_of;

    #[test]
    fn better_scores_cost_less() {
        let scores = [f32::MAX, 2.0, 0.5, 1e-30, 0.0, -1e-30, -0.5, -3.0, -1e9, f32::MIN];
        assert!(scores.windows(2).all(|pair| cost_of(pair[0]) < cost_of(pair[1])));
        assert_eq!(cost_of(0.0), cost_of(-0.0));
    }
}
