//! The shapes of what is said across groups.

use super::super::report::MetricValue;
use serde::{Deserialize, Serialize};

/// Everything said across the groups of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcrossReport {
    /// One entry a model × strategy that was perturbed.
    pub robustness: Vec<RobustnessReport>,
    /// Pairs of perturbations that differ in one cue that must not matter.
    pub counterfactuals: Vec<CounterfactualReport>,
    /// Unperturbed scores of the parts of the data, one entry a model × strategy × way of dividing.
    pub fairness: Vec<DivisionReport>,
    /// One entry a model × strategy × perturbation that was repeated.
    pub stability: Vec<StabilityReport>,
    /// The same as rows: `subgroup` and `perturbation` tell rows of one name apart.
    pub metrics: Vec<MetricValue>,
}

/// How one model with one strategy bears perturbations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustnessReport {
    pub model: String,
    pub strategy: String,
    /// Each perturbation against the unperturbed originals, by name.
    pub perturbations: Vec<PairReport>,
    /// Mean change of each score over the perturbations.
    pub mean_changes: Vec<ScoreChange>,
    /// Mean flip rate over the perturbations; `None` without a pair.
    pub mean_flip_rate: Option<f64>,
    /// `None` without an instance whose every form was answered by the backend.
    pub worst_case: Option<WorstCase>,
}

/// Each instance by the worst of its forms: the original and every perturbation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstCase {
    /// `worst_case_accuracy`: share of instances that are right in every form. `worst_case_mae`: mean over instances of
    /// the largest absolute error among the forms, no answer counting as a random guess.
    pub metric: String,
    pub value: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Instances × repetitions judged.
    pub n: usize,
    /// Instances × repetitions left out because a form is missing or failed in the backend.
    pub excluded: usize,
    /// Judged ones of which at least one form has no usable answer.
    pub partly_unanswered: usize,
}

/// Two groups of records over the same instances, paired by instance and repetition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairReport {
    /// `None` for the unperturbed originals.
    pub first: Option<String>,
    pub second: Option<String>,
    /// Pairs judged.
    pub pairs: usize,
    /// Distinct instances among them, the unit of resampling.
    pub instances: usize,
    /// Pairs left out because the backend failed on a side.
    pub excluded: usize,
    /// Records whose partner was not run.
    pub unpaired: usize,
    pub changes: Vec<ScoreChange>,
    pub flips: Flips,
    /// Numbers: mean of second − first where both are answered.
    pub mean_change: Option<f64>,
    /// Numbers: mean |second − first| where both are answered.
    pub mean_absolute_change: Option<f64>,
    /// Two-sided exact McNemar test on right and wrong, one pair an instance; `None` for numbers and without a pair.
    pub mcnemar_p: Option<f64>,
    /// Two-sided Wilcoxon test on the absolute errors where both are answered, one pair an instance; `None` for labels and
    /// without such a pair.
    pub wilcoxon_p: Option<f64>,
    /// The p-value corrected by Holm over its family: all perturbations of the model with the strategy, or all its
    /// counterfactuals.
    pub p_holm: Option<f64>,
}

/// One score on both sides of the pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreChange {
    pub metric: String,
    /// `points` or empty.
    pub unit: String,
    /// `None` in means over perturbations.
    pub first: Option<f64>,
    pub second: Option<f64>,
    /// second − first.
    pub delta: Option<f64>,
    /// Of `delta`.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Pairs the score rests on; for means, perturbations.
    pub n: usize,
}

/// Pairs with different answers. No answer is an answer of its own here: from `Major` to an unreadable text is a flip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flips {
    pub flips: usize,
    /// Share of the pairs; `None` without a pair.
    pub rate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Wrong first, right second. Numbers are right when they equal the right answer.
    pub to_correct: usize,
    /// Right first, wrong second.
    pub to_wrong: usize,
    /// Answered first, no usable answer second; most of them are among `to_wrong` too.
    pub to_no_answer: usize,
    /// No usable answer first, answered second.
    pub from_no_answer: usize,
}

/// Two perturbations that differ in one cue, or one of them against the originals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CounterfactualReport {
    pub model: String,
    pub strategy: String,
    /// What differs: `gender`, `register`.
    pub cue: String,
    /// |difference| of the first of `pair.changes` that says how right the answers are: accuracy, or mean absolute error.
    pub disparity: Option<f64>,
    pub pair: PairReport,
}

/// Scores of the parts into which one property divides the instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DivisionReport {
    pub model: String,
    pub strategy: String,
    /// `project`, `length` (tertiles of the characters of the judged texts), `right_answer`.
    pub division: String,
    /// `accuracy`, or `mae_imputed`: the mean absolute error where no answer counts as a random guess, so that a part on
    /// which the model falls silent does not seem better.
    pub metric: String,
    pub unit: String,
    /// The score over all parts.
    pub overall: Option<f64>,
    /// By name; `length` from short to long.
    pub parts: Vec<PartScore>,
    /// Parts with fewer instances set no gap.
    pub smallest_part: usize,
    /// The worst of the parts that are large enough; `None` with fewer than two of them.
    pub worst: Option<String>,
    /// Largest − smallest score among the parts that are large enough.
    pub gap: Option<f64>,
    pub gap_ci_low: Option<f64>,
    pub gap_ci_high: Option<f64>,
    /// How often a gap at least as large appears when the instances are dealt to the parts at random: a gap is never
    /// negative, so its interval cannot say whether there is one.
    pub gap_p: Option<f64>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartScore {
    pub part: String,
    /// Of a `length`: the characters of its shortest and its longest text.
    pub characters: Option<(u64, u64)>,
    pub instances: usize,
    /// Records the score rests on.
    pub n: usize,
    /// Share of its records with a usable answer; `None` where every request failed.
    pub coverage: Option<f64>,
    pub value: Option<f64>,
    /// `None` for errors of a part that is too small to set the gap.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// |value − overall|.
    pub disparity: Option<f64>,
    /// Whether it is large enough to set the gap.
    pub in_gap: bool,
}

/// The same questions asked several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StabilityReport {
    pub model: String,
    pub strategy: String,
    pub perturbation: Option<String>,
    /// The repetitions, or the runs, that are compared.
    pub replicates: Vec<String>,
    /// Instances with at least two of them.
    pub instances: usize,
    /// Records left out because the backend failed.
    pub excluded: usize,
    /// Share of the instances with one answer throughout; no usable answer is an answer of its own.
    pub all_equal: Option<f64>,
    pub all_equal_ci_low: Option<f64>,
    pub all_equal_ci_high: Option<f64>,
    /// Mean over instances of the share of their pairs of replicates that agree.
    pub pairwise_agreement: Option<f64>,
    pub pairwise_agreement_ci_low: Option<f64>,
    pub pairwise_agreement_ci_high: Option<f64>,
    /// Krippendorff's alpha: nominal for labels, with no usable answer as a label of its own; interval for numbers, over
    /// answered records. `None` when all answers are equal.
    pub alpha: Option<f64>,
    pub alpha_ci_low: Option<f64>,
    pub alpha_ci_high: Option<f64>,
    pub spreads: Vec<ScoreSpread>,
}

/// One score over the replicates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreSpread {
    pub metric: String,
    pub unit: String,
    pub replicates: Vec<ReplicateScore>,
    pub mean: f64,
    /// Population standard deviation, as upstream's.
    pub sd: f64,
    /// sd / |mean|; `None` for a mean of 0.
    pub cv: Option<f64>,
    pub min: f64,
    pub max: f64,
    /// [`stability_score`](super::stability_score).
    pub stability: f64,
}

/// One score of one replicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicateScore {
    pub replicate: String,
    pub value: f64,
    /// Records the score rests on.
    pub n: usize,
}
