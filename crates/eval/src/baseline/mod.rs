//! Honest baselines: what judges reach that read no prompt, on the same instances.
//!
//! [`BASELINES`] names them. [`baselines`] scores every judge that needs only right answers. Judges with an answer for
//! each instance are scored by the code that scores models; random judges by what they reach on average, exactly.

mod answers;
mod expected;
mod report;
mod table;
mod trivial;

pub use report::Baseline;
pub use table::{BASELINES, BaselineDef};
pub use trivial::baselines;
