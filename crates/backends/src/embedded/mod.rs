//! The engine inside the binary, as a backend.
//!
//! Start at [`EmbeddedBackend`]. It resolves a model's name to a file, renders the chat template, and gives whole
//! batches to `puma_engine`. Its answers depend on nothing but the weights, the request and the numerics contract.

mod answer;
mod backend;
mod loaded;
mod scored;

pub use backend::{EmbeddedBackend, EmbeddedOptions};
pub use loaded::CONTEXT_CAP;
