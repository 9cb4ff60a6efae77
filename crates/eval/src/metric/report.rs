//! The shapes of a scored run.

use super::across::AcrossReport;
use super::table::Better;
use crate::baseline::Baseline;
use puma_core::{Outcome, Quality};
use serde::{Deserialize, Serialize};

/// Everything the metrics say about a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricReport {
    /// False when some requests failed in the backend: the scores cover only part of the plan until it is resumed.
    pub comparable: bool,
    pub outcomes: OutcomeCounts,
    /// Every value, group after group in the order of `groups`.
    pub metrics: Vec<MetricValue>,
    /// What judges that read no prompt reach on the same instances.
    pub baselines: Vec<Baseline>,
    /// Sorted by model, strategy, perturbation (the unperturbed original first).
    pub groups: Vec<GroupReport>,
    /// What is said across groups, with metrics of its own: robustness, fairness, stability.
    #[serde(default)]
    pub across: AcrossReport,
}

/// One metric of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// As in [`metrics()`](super::metrics), placeholders filled in (`per_class.Critical.f1`).
    pub name: String,
    pub model: String,
    pub strategy: String,
    /// `None` for unperturbed originals.
    pub perturbation: Option<String>,
    /// A part of the instances (`project: MESOS`), a way of dividing them, or the perturbation compared with; `None` for
    /// all instances.
    #[serde(default)]
    pub subgroup: Option<String>,
    pub value: f64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// How many records the value rests on; for phases of a job, how many completions.
    pub n: usize,
    /// `ms`, `tokens/s`, `points`, …; empty for pure numbers.
    pub unit: String,
    pub better: Better,
    /// How far a measurement of the machine can be trusted; `None` for what is counted from answers.
    #[serde(default)]
    pub quality: Option<Quality>,
    /// Where a measurement of the machine comes from.
    #[serde(default)]
    pub source: Option<String>,
}

/// How many records ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCounts {
    pub answered: usize,
    pub unparsed: usize,
    pub ambiguous: usize,
    pub truncated: usize,
    pub empty: usize,
    pub backend_failed: usize,
}

impl OutcomeCounts {
    /// Counts `outcomes`.
    pub fn count(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            *match outcome {
                Outcome::Answered => &mut counts.answered,
                Outcome::Unparsed => &mut counts.unparsed,
                Outcome::Ambiguous => &mut counts.ambiguous,
                Outcome::Truncated => &mut counts.truncated,
                Outcome::Empty => &mut counts.empty,
                Outcome::BackendFailed => &mut counts.backend_failed,
            } += 1;
        }
        counts
    }

    pub fn of(&self, outcome: Outcome) -> usize {
        match outcome {
            Outcome::Answered => self.answered,
            Outcome::Unparsed => self.unparsed,
            Outcome::Ambiguous => self.ambiguous,
            Outcome::Truncated => self.truncated,
            Outcome::Empty => self.empty,
            Outcome::BackendFailed => self.backend_failed,
        }
    }

    pub fn total(&self) -> usize {
        Outcome::ALL.into_iter().map(|outcome| self.of(outcome)).sum()
    }
}

/// One model with one strategy under one perturbation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    pub model: String,
    pub strategy: String,
    pub perturbation: Option<String>,
    /// False when some requests failed in the backend.
    pub comparable: bool,
    pub outcomes: OutcomeCounts,
    /// Distinct instances.
    pub instances: usize,
    /// Completions that came from the inference cache; no time is taken from their jobs.
    pub cached_completions: usize,
    /// Classification and pairwise choice.
    pub confusion: Option<Confusion>,
    /// Classification, in label order.
    pub per_class: Vec<ClassScore>,
    /// Regression, in ascending order of bins.
    pub by_bin: Vec<BinScore>,
    /// Scores of each project, where the data name projects; sorted by project, then by metric.
    #[serde(default)]
    pub by_project: Vec<ProjectScore>,
    /// The 15 bins behind `ece`; empty without confidences.
    pub reliability: Vec<ReliabilityBin>,
    /// The 15 bins behind `ece_equal_mass`; empty without confidences.
    #[serde(default)]
    pub reliability_equal_mass: Vec<ReliabilityBin>,
    /// Accuracy of the surest hundredth, two hundredths, … of the records; empty without confidences.
    #[serde(default)]
    pub selective: Vec<SelectivePoint>,
}

/// One metric of the records of one project, scored as if they were all there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectScore {
    /// `None` for records without a project, where others have one.
    pub project: Option<String>,
    /// `accuracy`, `f1_macro`, `mae`, `mae_imputed` or `standardised_accuracy`, whichever fit the task.
    pub metric: String,
    pub value: f64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// How many records the value rests on.
    pub n: usize,
    /// Distinct instances of the project.
    pub instances: usize,
}

/// One point of the selective accuracy curve: what the model reaches when it answers only its surest records.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelectivePoint {
    /// Records answered.
    pub n: usize,
    /// Share of the records answered.
    pub coverage: f64,
    /// The lowest confidence among them; `None` once answers without a confidence, or no answers, are among them.
    pub confidence: Option<f64>,
    /// Share of them answered rightly; equal confidences share their rights evenly.
    pub accuracy: f64,
}

/// Counts of right answer × given answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Names of rows and of the first columns.
    pub labels: Vec<String>,
    /// One row a right answer; its last column counts records without a usable answer.
    pub rows: Vec<Vec<u32>>,
}

/// One class of a classification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    pub label: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Records whose right answer this is.
    pub support: u32,
    /// Records that gave this answer.
    pub predicted: u32,
}

/// Errors of one range of right answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinScore {
    /// `up_to_3`, `3_to_8`, `8_to_21`, `above_21`: lower end open, upper end closed.
    pub bin: String,
    /// `None` when nothing in the bin was answered.
    pub mae: Option<f64>,
    pub answered: usize,
    pub n: usize,
}

/// One bin of a reliability diagram. Of equal width: lower end closed, upper end open, the last bin closed. Of equal mass:
/// lower end open, upper end closed, the first bin closed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    pub low: f64,
    pub high: f64,
    pub n: usize,
    /// `None` for an empty bin.
    pub mean_confidence: Option<f64>,
    /// `None` for an empty bin.
    pub accuracy: Option<f64>,
}
