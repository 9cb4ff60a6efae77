//! `puma selfcheck`: what a backend differs by from itself.
//!
//! [`measure`] runs the passes, each on a backend set up for it; [`text`] shows them.

mod measure;
mod text;

pub(crate) use measure::{SelfCheck, measure};
pub(crate) use text::selfcheck_text;
