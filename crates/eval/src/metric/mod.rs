//! Scores from job records: what the run says about each model, with its doubt and beside trivial baselines.
//!
//! [`compute`] groups the records by model × strategy × perturbation (never pooled), decides for each what its outcome
//! counts for (`judge`, the one match over outcomes), and runs the families that fit the task. [`metrics()`] is the table
//! of everything it can report; it checks the `metrics:` of a spec and prints the reference.

mod across;
mod agreement;
mod bins;
mod calibration;
mod classification;
mod compute;
mod efficiency;
mod goodput;
mod guess;
mod issues;
mod judge;
mod outcomes;
mod pairwise;
mod percentile;
mod project;
mod ranking;
mod regression;
mod report;
mod sampled;
mod scorer;
mod selective;
mod swap;
mod table;
mod task;

pub use crate::baseline::Baseline;
pub use across::{
    AcrossReport, CounterfactualReport, DivisionReport, Flips, PairReport, PartScore, ReplicateScore, Replicates,
    RobustnessReport, ScoreChange, ScoreSpread, StabilityReport, WorstCase, stability, stability_score, text_length,
};
pub(crate) use classification::{ClassCounts, HEADLINE as CLASS_HEADLINE, headline as class_headline};
pub use compute::compute;
pub(crate) use compute::scores;
pub(crate) use guess::GuessErrors;
pub(crate) use judge::{agrees, number};
pub use judge::{is_correct, paired_correctness};
pub use report::{
    BinScore, ClassScore, Confusion, GroupReport, MetricReport, MetricValue, OutcomeCounts, ProjectScore,
    ReliabilityBin, SelectivePoint,
};
pub use scorer::Scorer;
pub use table::{Better, Family, MetricDef, Missing, UnknownMetric, metrics, resolve};
pub use task::{MetricError, MissingAnswers, Options, Task, TaskKind};
