//! Under construction in this commit series.

pub mod gguf;
pub mod tokenizer;
