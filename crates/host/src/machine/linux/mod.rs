//! A Linux machine, from the files its kernel writes.

mod arm;
mod cache;
mod cores;
mod cpu;
mod fields;
mod probe;

pub use cache::last_level_cache_bytes;
pub(super) use fields::{cpu_list, processors, value};
pub(super) use probe::probe;
