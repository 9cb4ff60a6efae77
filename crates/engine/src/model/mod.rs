//! Models: their weights by GGUF name, and what each architecture's layers are made of.

mod llama;
mod loaded;
mod qwen2;
mod tensors;

pub use loaded::{Layer, Linear, Model};
pub use tensors::Matrix;
