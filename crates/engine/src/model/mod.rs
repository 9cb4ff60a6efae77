//! Models: their weights by GGUF name. What is looked for follows the architecture's recipe ([`crate::config`]).

mod layer;
mod loaded;
mod packed;
mod refusal;
mod tensors;

pub use layer::{Experts, FeedForward, Gated, Layer, Linear};
pub use loaded::Model;
pub use tensors::Matrix;
