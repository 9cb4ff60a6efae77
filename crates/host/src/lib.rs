//! What machine this is.
//!
//! Start at [`machine::Machine`]. Everything is read through [`source::HostSource`], so that a machine can be
//! recorded and answered for elsewhere. Deliberately absent: decisions; callers judge what the facts mean.

pub mod machine;
pub mod source;

pub use machine::Machine;
pub use source::{HostSource, RealHost};
