//! The token paths of given answers to a conversation.

use super::template::{ChatError, ChatMessage, ChatTemplate};
use crate::tokenizer::{TokenKind, Tokenizer};

/// A conversation and answers to it, as token ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerPaths {
    /// What the conversation and all answers begin with: all of the conversation, unless its last token and an answer's
    /// first characters are one token in this vocabulary.
    pub prompt: Vec<u32>,
    /// What follows for each answer.
    pub answers: Vec<Vec<u32>>,
}

impl ChatTemplate {
    /// The ids of a conversation that the assistant goes on with each of `answers`.
    ///
    /// Conversation and answer become tokens as one text, never each for itself: a vocabulary may have a token that holds
    /// the end of one and the beginning of the other, and a model has seen the text in no other way. Where the conversation
    /// ends in a word, as in templates without turns, a space comes before the answer.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn encode_answers(
        &self,
        tokenizer: &Tokenizer,
        messages: &[ChatMessage],
        answers: &[&str],
    ) -> Result<AnswerPaths, ChatError> {
        let (text, mark) = self.opened(tokenizer, messages)?;
        let conversation = self.ids(tokenizer, &text, mark);
        let ends_in_a_token = conversation
            .last()
            .is_some_and(|&id| matches!(tokenizer.kind(id), TokenKind::Control | TokenKind::UserDefined));
        let space = if ends_in_a_token || text.ends_with(char::is_whitespace) { "" } else { " " };
        let paths: Vec<Vec<u32>> =
            answers.iter().map(|answer| self.ids(tokenizer, &format!("{text}{space}{answer}"), mark)).collect();
        let shared = paths.iter().map(|path| common(&conversation, path)).min().unwrap_or(conversation.len());
        Ok(AnswerPaths {
            answers: paths.iter().map(|path| path[shared..].to_vec()).collect(),
            prompt: conversation[..shared].to_vec(),
        })
    }
}

fn common(one: &[u32], other: &[u32]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
