//! Honest baselines: what judges reach that read no prompt, on the same instances.
//!
//! [`BASELINES`] names them. [`learned_answers`] trains those that read the text, when a run is planned; [`baselines`]
//! scores them all. Judges with an answer for each instance are scored by the code that scores models; random judges by
//! what they reach on average, exactly.

mod against;
mod expected;
mod judge;
mod report;
mod score;
mod table;
pub mod text;
mod trivial;

pub use against::{AgainstBaseline, AgainstVerdict, against_baselines};
pub use judge::Golds;
pub use report::Baseline;
pub use score::baselines;
pub use table::{BASELINES, BaselineDef};
pub use text::learned_answers;
