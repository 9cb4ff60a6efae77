//! Where models come from: names, the catalogue, models other programs already downloaded, and downloads.
//!
//! Start at [`Library`]: it joins a [`Catalogue`] with the [`Stores`] of this machine.
//! [`Library::resolve`] turns a name into a weights file with its SHA-256; [`Library::pull`] fetches one.
//! Deliberately absent: reading the environment (the caller passes it in) and printing (progress goes to a
//! [`Progress`] receiver).

mod catalogue;
mod digest;
mod error;
mod facts;
mod fetch;
mod library;
mod local;
mod manifest;
mod name;
mod place;
mod progress;
mod pull;
mod report;
mod stores;
mod target;

pub use catalogue::{Catalogue, CatalogueEntry, CatalogueSource, EMBEDDED_CATALOGUE, Place, runs_embedded};
pub use digest::{ModelDigest, file_digest};
pub use error::{SourceError, SourceErrorKind};
pub use facts::GgufFacts;
pub use library::{Library, ResolvedModel};
pub use local::{Location, OllamaLayers, PullRecord, StoreKind, Verification};
pub use name::{
    DEFAULT_REGISTRY, FileChoice, HuggingFaceName, ModelName, RegistryReference, is_split_part, quantization_in,
};
pub(crate) use place::write_atomically;
pub use progress::{NoProgress, Phase, Progress, PullProgress};
pub use pull::{PullOptions, Pulled, SourceFailure};
pub use report::{ListReport, ListedModel, LocalModel, ShowReport, WhereReport};
pub use stores::{ENVIRONMENT, Stores};
