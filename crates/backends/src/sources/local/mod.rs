//! Finding models that already lie on this machine. One file per kind of store; none of them writes.

mod hugging_face;
mod lm_studio;
mod location;
mod ollama;
mod own;

pub(crate) use hugging_face::{find as find_hugging_face, scan as scan_hugging_face};
pub(crate) use lm_studio::{find as find_lm_studio, scan as scan_lm_studio};
pub use location::{Location, OllamaLayers, StoreKind};
pub(crate) use ollama::{find as find_ollama, scan as scan_ollama};
pub use own::{PullRecord, Verification};
pub(crate) use own::{find as find_own, read_record, record_path, scan as scan_own, weights_path};
