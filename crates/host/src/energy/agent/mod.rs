//! A container or a virtual machine has no energy counters: it reads those of its host through `puma agent`.
//!
//! [`Agent`] is what the host's side asks its meters with; whoever serves HTTP answers `GET` [`PATH`] with an
//! [`AgentSnapshot`] as JSON. The container's side is opened by [`chain`](super::chain()) when it is given an
//! [`AgentAddress`].

mod answer;
mod client;
mod meter;
mod shape;

pub use answer::Agent;
pub use client::AgentAddress;
pub(super) use meter::AgentMeter;
pub use meter::SOURCE;
pub use shape::{AgentCounter, AgentLoss, AgentSnapshot, AgentSource};

/// Where the snapshot is.
pub const PATH: &str = "/v1/energy";
/// Where an agent listens unless told otherwise.
pub const PORT: u16 = 8797;
