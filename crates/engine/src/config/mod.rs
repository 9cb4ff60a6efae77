//! Hyperparameters from a GGUF file's metadata, checked before anything is computed with them.
//!
//! Names follow the GGUF keys. What a key means when it is absent follows llama.cpp. An architecture is data: a
//! [`Recipe`] of what every layer is made of, and for each layer what differs from the others ([`LayerConfig`]).

mod architecture;
mod experts;
mod hyperparameters;
mod keys;
mod layers;
mod recipe;
mod rope;

pub use architecture::Architecture;
pub use experts::ExpertConfig;
pub use hyperparameters::{AttentionTemperature, Config};
pub(crate) use keys::Keys;
pub use layers::LayerConfig;
pub use recipe::{Gate, Presence, Recipe};
pub use rope::{Rope, RopeLayout, RopeScaling};
