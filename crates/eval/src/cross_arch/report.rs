//! The verdict between two runs, whole.

use super::forensics::TokenReport;
use super::hypothesis::{Hypothesis, Judgement};
use super::identity::Fact;
use super::level::Level;
use super::pairing::PairCounts;
use super::scores::PairedMetric;
use super::side::Side;
use crate::metric::OutcomeCounts;
use serde::Serialize;

/// Everything `puma cross-arch` says. Documented in `docs/reference/json.md`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossArch {
    /// Whether the runs are one experiment on two machines. Where false nothing is judged, unless it was asked for.
    pub valid: bool,
    /// Why not, a sentence each.
    pub obstacles: Vec<String>,
    /// Whether judgements were asked for all the same.
    pub forced: bool,
    /// The strongest agreement that holds in every group; `None` where nothing is judged.
    pub level: Option<Level>,
    /// `None` where nothing is judged.
    pub hypotheses: Judgements,
    pub left: Side,
    pub right: Side,
    pub facts: Vec<Fact>,
    /// One entry a model × strategy × perturbation, never pooled.
    pub groups: Vec<GroupVerdict>,
}

/// Each hypothesis over every group: rejected where one group rejects it, held where all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Judgements {
    pub h0: Judgement,
    /// The negation of H0.
    pub h1: Judgement,
    pub h2: Judgement,
    pub h3: Judgement,
}

/// One model with one strategy under one perturbation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupVerdict {
    pub model: String,
    pub strategy: String,
    /// `None` for unperturbed originals.
    pub perturbation: Option<String>,
    pub pairs: PairCounts,
    /// Of the judged jobs.
    pub left_outcomes: OutcomeCounts,
    pub right_outcomes: OutcomeCounts,
    /// Jobs without a readable answer. The protocol expects none: a model that fails to answer hides what its machine does.
    pub left_unread: usize,
    pub right_unread: usize,
    /// Jobs whose text is the same on both sides and was read differently: a matter of the parser, not of the machine.
    pub read_differently: usize,
    pub level: Option<Level>,
    /// H0, H1, H2, H3.
    pub hypotheses: Vec<Hypothesis>,
    pub metrics: Vec<PairedMetric>,
    pub tokens: TokenReport,
}

impl CrossArch {
    /// Whether the runs agree at least as far as `required`. By default as H0 asks: what is scored came out the same.
    pub fn satisfies(&self, required: Option<Level>) -> bool {
        match required {
            Some(required) => self.level.is_some_and(|level| level >= required),
            None => {
                self.hypotheses.h0 == Judgement::Holds || self.level.is_some_and(|level| level >= Level::SameLabels)
            }
        }
    }
}
