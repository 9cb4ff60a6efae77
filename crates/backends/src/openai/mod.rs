//! Every server that speaks OpenAI's `/v1/chat/completions`: start at [`OpenAiBackend`]; [`PRESETS`] tells them apart.

mod answer;
mod backend;
mod identify;
mod presets;
mod request;

pub use backend::{OpenAiBackend, OpenAiOptions};
pub use presets::{Described, PRESETS, Preset, preset};
