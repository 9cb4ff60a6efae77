//! Text to token ids and back, from the vocabulary inside a GGUF file.
//!
//! Start at [`Tokenizer::from_gguf`]. Two kinds of vocabulary are read: byte-level byte pairs (`gpt2`), split into words
//! by the rules that `tokenizer.ggml.pre` names, and SentencePiece-style pieces with scores (`llama`). Ids are those of
//! llama.cpp, shown on a corpus in `tests/tokenizer_corpus.rs`. Chat messages are made into text elsewhere, in
//! [`crate::chat`].

mod byte_letters;
mod byte_pairs;
mod decode;
mod encode;
mod error;
mod merge;
mod pre_tokenizer;
mod sentence_piece;
mod special;
mod stop;
mod vocabulary;

pub use decode::StreamDecoder;
pub use encode::Tokenizer;
pub use error::TokenizerError;
pub use vocabulary::TokenKind;
