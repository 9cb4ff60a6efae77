//! The verdict between two machines: did they say the same thing, where did they first part, and does it matter?
//!
//! [`cross_arch`] takes two runs of one experiment. It says first whether they are one experiment at all
//! ([`Fact`]), then pairs their jobs, judges the seeds' hypotheses ([`Hypothesis`]) for every model × strategy ×
//! perturbation, and gives the strongest [`Level`] of agreement that is true. [`TokenReport`] has the evidence: the first
//! token at which each answer parts, how close the decision was there, and by how much logprobs differ where the text
//! before them is the same.

mod distribution;
mod forensics;
mod hypothesis;
mod identity;
mod judge;
mod level;
mod pairing;
mod report;
mod scores;
mod side;
mod tokens;

pub use distribution::{Distribution, DistributionBin};
pub use forensics::{Divergence, Flip, NearTies, TokenReport};
pub use hypothesis::{ECE_LIMIT, Hypothesis, Judgement, LOGPROB_LIMIT};
pub use identity::{Agreement, Fact};
pub use judge::{Options, cross_arch};
pub use level::Level;
pub use pairing::PairCounts;
pub use report::{CrossArch, GroupVerdict, Judgements};
pub use scores::PairedMetric;
pub use side::{Cost, EngineFacts, MachineFacts, Side};
