//! The shapes of a leaderboard.

use crate::metric::Better;
use serde::Serialize;

/// Entries that judged the same instances, best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    pub scenario: String,
    pub dataset: String,
    pub dataset_sha256: String,
    /// How many instances every entry judged.
    pub instances: usize,
    /// SHA-256 over their ids and right answers.
    pub instances_sha256: String,
    /// `puma-4` where missing answers are left out as upstream did.
    pub compat: Option<String>,
    /// What is ranked by.
    pub metric: String,
    pub unit: String,
    pub better: Better,
    /// How pairs of entries are tested.
    pub test: String,
    /// Pairs tested; Holm's correction is over these.
    pub tests: usize,
    pub alpha: f64,
    pub entries: Vec<Entry>,
    /// Trivial judges of the same instances, by the same metric.
    pub baselines: Vec<BaselineRow>,
}

/// One model with one strategy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// 1 for the best value; equal values share a rank.
    pub rank: usize,
    /// The ranks it may have, given what the tests tell apart.
    pub rank_low: usize,
    pub rank_high: usize,
    /// Entries that share a letter cannot be told apart. `None` where the metric is not tested.
    pub letters: Option<String>,
    pub run_id: String,
    pub model: String,
    pub digest: Option<String>,
    pub quantization: Option<String>,
    pub strategy: String,
    /// Kind of what answered, and its version.
    pub engine: String,
    pub value: f64,
    /// The metric's own interval.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Records the value rests on.
    pub n: usize,
    /// Other numbers people choose by, where known.
    pub cells: Vec<Cell>,
    /// True when a disturbance made speed and energy void; they are left out.
    pub speed_void: bool,
    /// Baselines that are better than this entry's value.
    pub beaten_by: Vec<String>,
}

/// One more number of an entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    pub name: String,
    pub value: f64,
    pub unit: String,
}

/// A trivial judge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineRow {
    pub name: String,
    pub value: f64,
    /// Where it learned.
    pub basis: String,
}

/// Something that is in no table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub run_id: String,
    pub model: String,
    pub strategy: String,
    pub reason: String,
}
