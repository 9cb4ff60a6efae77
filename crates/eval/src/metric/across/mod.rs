//! What can only be said across groups: answers before and after a perturbation, between parts of the data, between
//! repetitions.
//!
//! [`robustness`] and [`counterfactual`] pair records ([`pairs`]), [`fairness`] divides the instances, [`stability`]
//! lines repetitions up. Everywhere a failed parse is an answer like "none" that is never right, and a record whose
//! backend failed is left out and counted.

mod agreement;
mod counterfactual;
mod emit;
mod fairness;
mod length;
mod mark;
mod pairs;
mod permute;
mod report;
mod robustness;
mod score;
mod stability;
mod worst_case;

pub use length::text_length;
pub use report::{
    AcrossReport, CounterfactualReport, DivisionReport, Flips, PairReport, PartScore, ReplicateScore, RobustnessReport,
    ScoreChange, ScoreSpread, StabilityReport, WorstCase,
};
pub(super) use score::score;
pub use stability::{Replicates, stability, stability_score};
