//! What machine this is, what fits on it, how fast it is, and what it spends.
//!
//! Start at [`machine::Machine`]. Everything is read through [`source::HostSource`], so that a machine can be recorded
//! and answered for elsewhere. Deliberately absent: models, servers, stores; callers bring what they know of those.

pub mod energy;
pub mod fit;
pub mod grid;
pub mod machine;
mod native;
pub mod pressure;
pub mod profile;
pub mod source;
pub mod speed;

pub use machine::Machine;
pub use source::{HostSource, RealHost, RecordedHost, record};
