//! One file that carries a run to another machine: zstd around a tar archive of six members.
//!
//! [`write()`] makes it, [`inspect`] looks at one that may be damaged or hostile and says everything that is wrong,
//! [`read`] takes the run out of a sound one, [`Store::import_run`](crate::Store::import_run) keeps it. The layout is
//! documented in `docs/reference/bundle.md`. Deliberately absent: what must not leave a machine (`puma bundle export`
//! takes it out beforehand), and signatures: hashes tell damage, not who wrote them.

mod bounded;
mod check;
mod error;
mod import;
mod inspect;
mod manifest;
mod member;
mod write;

pub use check::hash_differences;
pub use error::BundleError;
pub use import::Imported;
pub use inspect::{Finding, Inspection, inspect, is_bundle, read};
pub use manifest::{FORMAT, Hashes, Manifest, MemberRow, VERSION, prompts_digest};
pub use write::{Contents, write};
