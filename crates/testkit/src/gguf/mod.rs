//! Tiny GGUF models written in memory: real files that any GGUF reader loads, with random weights.
//!
//! Start at [`TinyModel`]. The same settings give the same bytes on every machine, so that goldens made from them by
//! another program hold.

mod architecture;
mod blocks;
mod golden_set;
mod layers;
mod pieces;
mod random;
mod tiny_model;
mod vocabulary;
mod writer;

pub use architecture::Architecture;
pub use blocks::random_row;
pub use golden_set::{golden_architectures, golden_models, golden_vocabularies};
pub use puma_kernels::TensorType;
pub use random::Random;
pub use tiny_model::{Experts, RopeScaling, TinyModel};
pub use vocabulary::Vocabulary;
pub use writer::{GgufWriter, MetadataValue};
