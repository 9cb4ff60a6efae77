//! Rows of fairness: cues that must not matter, and parts of the data that fare worse.
//!
//! This file is a table.

use super::definition::{Better, FACT, Family, GAP, MetricDef, SCORE, Scale, row};
use super::missing::{COUNTED, Missing, WRONG};

const FAMILY: &[Family] = &[Family::Fairness];
const CHANGE: Scale = Scale { unit: "", better: Better::Neither, range: "-1 to 1" };
const POINTS: Scale = Scale { unit: "points", better: Better::Neither, range: "any" };
const ERROR: Scale = Scale { unit: "points", better: Better::Lower, range: "0 or more" };
const UPSTREAM: &str = "upstream PUMA";
const KUSNER: &str = "Kusner et al., Counterfactual Fairness, NeurIPS 2017; upstream PUMA";
const WILCOXON: &str = "Wilcoxon, Biometrics Bulletin 1, 1945";
const HOLM: &str = "Holm, Scandinavian Journal of Statistics 6, 1979";
const MCNEMAR: &str = "McNemar, Psychometrika 12, 1947, exact binomial form";
const PHIPSON: &str = "Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010";
const OWN: Missing = Missing::CountsAsOwnAnswer { beside: "accuracy" };
const OWN_FLIP: Missing = Missing::CountsAsOwnAnswer { beside: "fairness.flip_rate" };
const OWN_PART: Missing = Missing::CountsAsOwnAnswer { beside: "fairness.part.accuracy" };
const FLIP: Missing = Missing::CountsAsChange;
const BOTH: Missing = Missing::LeftOut { beside: "coverage", twin: "fairness.flip_rate" };
const GUESS: Missing = Missing::CountsAsGuess;

/// Of a counterfactual, `perturbation` is the second form and `subgroup` the first, nothing for the original. Of a part,
/// `subgroup` is `project: MESOS`; of a gap, the way of dividing.
#[rustfmt::skip]
pub(super) static FAIRNESS: &[MetricDef] = &[
    row("fairness.delta.accuracy", &[], FAMILY, CHANGE, "Accuracy of the second form − of the first, over the pairs.", (KUSNER, OWN)),
    row("fairness.delta.mae", &[], FAMILY, POINTS, "Mean absolute error of the second form − of the first, over the pairs that are answered on both sides.", (KUSNER, BOTH)),
    row("fairness.disparity.accuracy", &["disparity"], FAMILY, GAP, "abs(`fairness.delta.accuracy`).", (UPSTREAM, OWN)),
    row("fairness.disparity.mae", &[], FAMILY, ERROR, "abs(`fairness.delta.mae`).", (UPSTREAM, BOTH)),
    row("fairness.flip_rate", &[], FAMILY, GAP, "Share of the pairs whose two forms got different answers.", (UPSTREAM, FLIP)),
    row("fairness.flips_to_correct", &[], FAMILY, FACT, "Share of the flips that are wrong in the first form and right in the second.", (UPSTREAM, OWN_FLIP)),
    row("fairness.flips_to_wrong", &[], FAMILY, FACT, "Share of the flips that are right in the first form and wrong in the second.", (UPSTREAM, OWN_FLIP)),
    row("fairness.mcnemar_p", &[], FAMILY, FACT, "Two-sided exact McNemar test of right against wrong in both forms, one pair an instance.", (MCNEMAR, OWN)),
    row("fairness.wilcoxon_p", &[], FAMILY, FACT, "Two-sided Wilcoxon signed-rank test of the absolute errors in both forms, one pair an instance.", (WILCOXON, BOTH)),
    row("fairness.p_holm", &[], FAMILY, FACT, "The p-value of the comparison corrected over all counterfactuals of the model with the strategy.", (HOLM, OWN_FLIP)),
    row("fairness.mean_change", &[], FAMILY, POINTS, "Mean of the second form's estimate − the first's: what the cue adds to an estimate.", (KUSNER, BOTH)),
    row("fairness.part.accuracy", &[], FAMILY, SCORE, "Accuracy on one part of the data.", ("share", WRONG)),
    row("fairness.part.mae_imputed", &[], FAMILY, ERROR, "Mean absolute error on one part of the data; no answer counts as the expected error of a random guess.", ("mean", GUESS)),
    row("fairness.part.coverage", &[], FAMILY, SCORE, "Share of usable answers on one part of the data.", ("share", COUNTED)),
    row("fairness.gap.accuracy", &["fairness_gap"], FAMILY, GAP, "Largest − smallest accuracy among the parts of ten and more instances.", (UPSTREAM, OWN_PART)),
    row("fairness.gap.mae_imputed", &[], FAMILY, ERROR, "Largest − smallest mean absolute error, silence counting as a random guess, among the parts of ten and more instances.", (UPSTREAM, GUESS)),
    row("fairness.gap_p", &[], FAMILY, FACT, "Share of random deals of the instances to the parts with a gap at least as large, the real one counted.", (PHIPSON, Missing::CountsAsOwnAnswer { beside: "fairness.part.coverage" })),
];
