//! A run on its way out of this machine and into it: what must not travel, its fingerprints, its file.

mod file;
mod hashes;
mod hidden;
mod neutral;

pub(crate) use file::{ENDING, Written, check, is_bundle, neutral_here, read, write};
