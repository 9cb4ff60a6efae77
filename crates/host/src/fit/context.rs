//! The largest context that fits.

use super::budget::Budget;
use super::load::{EngineRules, Load};
use super::shape::ModelShape;
use super::verdict::{Verdict, judge};
use serde::{Deserialize, Serialize};

/// Contexts are sought among multiples of this many tokens.
pub const CONTEXT_STEP: u32 = 256;
/// Where a model does not say what it was trained for, nothing longer is sought.
const LONGEST: u32 = 1 << 20;

/// What keeps a context from being larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextLimit {
    /// The next one does not fit.
    Memory,
    /// The model was trained for no more.
    Training,
    /// The model does not say what it was trained for; nothing longer was tried.
    Unknown,
}

/// The largest context, in tokens, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargestContext {
    pub tokens: u32,
    pub limit: ContextLimit,
}

/// The largest multiple of 256 tokens with which `shape` is judged `at_worst` or better; the trained context itself
/// where that is reached. `None` if not even 256 tokens are, or if the model was trained for fewer and they do not fit.
pub fn largest_context(
    shape: &ModelShape,
    load: &Load,
    rules: &EngineRules,
    budget: &Budget,
    at_worst: Verdict,
) -> Option<LargestContext> {
    let fits = |context: u32| judge(shape, &Load { context, ..*load }, rules, budget).verdict <= at_worst;
    let (end, limit) = match shape.trained_context.filter(|&tokens| tokens > 0) {
        Some(trained) => (trained, ContextLimit::Training),
        None => (LONGEST, ContextLimit::Unknown),
    };
    if fits(end) {
        return Some(LargestContext { tokens: end, limit });
    }
    let (mut low, mut high) = (0, end.div_ceil(CONTEXT_STEP));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle * CONTEXT_STEP) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low > 0).then_some(LargestContext { tokens: low * CONTEXT_STEP, limit: ContextLimit::Memory })
}
