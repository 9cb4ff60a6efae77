//! The quantised block formats: how each GGUF tensor type spells 32 weights as integers and scales.
//!
//! All formats decode into one shape, [`Group`]; everything after decoding knows only that shape. Layouts follow the
//! block structs of ggml (the facts of the GGUF format); each file states its own.

mod dispatch;
pub mod format;
pub mod iq4;
pub mod k_scales;
pub mod mxfp4;
pub mod q2_k;
pub mod q3_k;
pub mod q4;
pub mod q4_k;
pub mod q5;
pub mod q5_k;
pub mod q6_k;
pub mod q8;
pub mod q8_k;
pub mod row;

pub(crate) use dispatch::with_format;
pub use format::{Format, Group, Minimum};
pub use row::dequantise;
