//! `puma bench engine`: how fast the embedded engine is on this machine, and how far from what the machine can do.
//!
//! [`measure`] runs every test again and again, in turn, so that a machine that slows down slows all of them;
//! [`Report`] is what came of it. Uses only the engine's public interface.

mod ceiling;
mod cost;
mod disturbance;
mod first_token;
mod measure;
mod report;
mod spread;
mod subject;
mod text;
mod work;

pub(crate) use first_token::{FirstToken, first_token};
pub(crate) use measure::{Plan, measure};
pub(crate) use subject::find;
pub(crate) use text::report_text;
