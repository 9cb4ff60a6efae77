//! One SQLite file that holds every run, and a second one that remembers completions.
//!
//! Start at [`Store`]: [`Store::open`] makes or migrates the file, also one that upstream PUMA made. [`Recorder`] is
//! the event sink that commits each job as it finishes; [`Store::load_run`] reads a run back exactly as it was
//! emitted, which is what resuming and scoring again stand on. [`CacheStore`] is the inference cache, [`bundle`] the one
//! file that carries a run elsewhere.
//! Deliberately absent: planning, scoring, printing. The store never decides what a number means.

mod admin;
pub mod bundle;
mod cache;
mod columns;
mod compare;
mod error;
mod find;
mod list;
mod load;
mod lock;
mod machine;
mod measurement;
mod metrics;
mod moment;
mod open;
mod quality;
mod record;
mod schema;
mod speed;

pub use admin::{DbStatus, DeletedRun};
pub use cache::{CacheStats, CacheStore};
pub use error::StoreError;
pub use find::LATEST;
pub use list::{RunFilter, RunSummary, parse_since};
pub use load::JobFailure;
pub use machine::EmissionRow;
pub use metrics::MetricRow;
pub use moment::parse_moment;
pub use open::Store;
pub use quality::QualityRow;
pub use record::Recorder;
pub use schema::SCHEMA_VERSION;
pub use speed::SpeedRow;

#[cfg(test)]
#[path = "../tests/it/fixture.rs"]
#[expect(dead_code, reason = "shared with tests/it, which uses all of it")]
mod fixture;

#[cfg(test)]
mod trouble;
