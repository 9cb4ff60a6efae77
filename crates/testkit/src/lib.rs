//! Test support, never shipped.

pub mod gguf;
pub mod real_model;
pub mod scripted;
