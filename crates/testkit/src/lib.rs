//! Test support, never shipped.

pub mod gguf;
