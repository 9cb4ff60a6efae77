//! What PUMA serves over HTTP. The only crate with an async runtime.
//!
//! [`agent`] lets a container read the energy counters of its host. Deliberately absent: starting inference, and knowing
//! what is served; callers hand in functions that make the answers.

pub mod agent;
