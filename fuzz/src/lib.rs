//! What must hold for any bytes: no panic, no hang, no memory beyond what the bytes justify, and a few laws.
//!
//! Each module has one `check`, called by the fuzz target of its name and, with the committed corpus, by an ordinary test
//! of the engine (`crates/engine/tests/fuzz_corpus.rs`).

pub mod gguf;
mod sections;
pub mod template;
pub mod tokenizer;
