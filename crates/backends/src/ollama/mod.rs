//! Ollama through its native API: start at [`OllamaBackend`].
//!
//! Finding, starting and stopping a server is the business of [`service`].
//! [`request`](self) building, the reading of answers and the identification of models lie in files of their own.

mod answer;
mod backend;
mod facts;
mod identify;
mod request;
pub mod service;
mod unload;

pub use backend::{OllamaBackend, OllamaOptions};
pub use facts::{ServedFacts, ServedTensor};
pub use identify::{CONTEXT_CAP, InstalledModel};
pub use request::Api;
