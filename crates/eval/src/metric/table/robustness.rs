//! Rows of robustness: what perturbations do to answers and scores.
//!
//! This file is a table.

use super::definition::{Better, COUNT, FACT, Family, GAP, MetricDef, SCORE, Scale, row};
use super::missing::{ALIKE, COUNTED, Missing, WRONG};

const FAMILY: &[Family] = &[Family::Robustness];
const CHANGE_UP: Scale = Scale { unit: "", better: Better::Higher, range: "-1 to 1" };
const CHANGE_DOWN: Scale = Scale { unit: "points", better: Better::Lower, range: "any" };
const CHANGE: Scale = Scale { unit: "points", better: Better::Lower, range: "0 or more" };
const POINTS: Scale = Scale { unit: "points", better: Better::Neither, range: "any" };
const SHARE: &str = "share of pairs";
const UPSTREAM: &str = "upstream PUMA";
const HELM: &str = "Liang et al., Holistic Evaluation of Language Models, 2022";
const WILCOXON: &str = "Wilcoxon, Biometrics Bulletin 1, 1945";
const HOLM: &str = "Holm, Scandinavian Journal of Statistics 6, 1979";
const MCNEMAR: &str = "McNemar, Psychometrika 12, 1947, exact binomial form";
const OWN_ACCURACY: Missing = Missing::CountsAsOwnAnswer { beside: "accuracy" };
const OWN_F1: Missing = Missing::CountsAsOwnAnswer { beside: "f1_macro" };
const OWN_FLIP: Missing = Missing::CountsAsOwnAnswer { beside: "robustness.flip_rate" };
const FLIP: Missing = Missing::CountsAsChange;
const BOTH: Missing = Missing::LeftOut { beside: "robustness.delta.coverage", twin: "robustness.flip_rate" };

/// Pairs are made of the unperturbed and the perturbed record of one instance and repetition.
#[rustfmt::skip]
pub(super) static ROBUSTNESS: &[MetricDef] = &[
    row("robustness.delta.accuracy", &[], FAMILY, CHANGE_UP, "Accuracy perturbed − unperturbed, over the pairs.", ("paired difference", OWN_ACCURACY)),
    row("robustness.delta.f1_macro", &[], FAMILY, CHANGE_UP, "Macro-F1 perturbed − unperturbed, over the pairs.", ("paired difference", OWN_F1)),
    row("robustness.delta.mae", &[], FAMILY, CHANGE_DOWN, "Mean absolute error perturbed − unperturbed, over the pairs that are answered on both sides.", ("paired difference", BOTH)),
    row("robustness.delta.coverage", &[], FAMILY, CHANGE_UP, "Share of usable answers perturbed − unperturbed, over the pairs.", ("paired difference", COUNTED)),
    row("robustness.score.accuracy", &["robustness_score"], FAMILY, SCORE, "1 − abs(`robustness.delta.accuracy`), not below 0: an improvement counts like a loss.", (UPSTREAM, OWN_ACCURACY)),
    row("robustness.score.f1_macro", &[], FAMILY, SCORE, "1 − abs(`robustness.delta.f1_macro`), not below 0: an improvement counts like a loss.", (UPSTREAM, OWN_F1)),
    row("robustness.flip_rate", &["flip_rate"], FAMILY, GAP, "Share of the pairs whose two answers differ. A form that swaps the options of a pair must swap the answer.", (SHARE, FLIP)),
    row("robustness.consistency", &["consistency_rate"], FAMILY, SCORE, "1 − `robustness.flip_rate`.", (UPSTREAM, FLIP)),
    row("robustness.flips_to_correct", &["flip_to_correct"], FAMILY, FACT, "Share of the flips that went from wrong to right.", (UPSTREAM, OWN_FLIP)),
    row("robustness.flips_to_wrong", &["flip_to_incorrect"], FAMILY, FACT, "Share of the flips that went from right to wrong.", (UPSTREAM, OWN_FLIP)),
    row("robustness.flips_to_no_answer", &[], FAMILY, COUNT, "Pairs whose perturbed side alone has no usable answer.", ("count", COUNTED)),
    row("robustness.mean_change", &[], FAMILY, POINTS, "Mean of perturbed − unperturbed answer.", ("paired difference", BOTH)),
    row("robustness.mean_absolute_change", &[], FAMILY, CHANGE, "Mean of abs(perturbed − unperturbed answer).", ("paired difference", BOTH)),
    row("robustness.mcnemar_p", &[], FAMILY, FACT, "Two-sided exact McNemar test of right against wrong before and after, one pair an instance.", (MCNEMAR, OWN_ACCURACY)),
    row("robustness.wilcoxon_p", &[], FAMILY, FACT, "Two-sided Wilcoxon signed-rank test of the absolute errors before and after, one pair an instance.", (WILCOXON, BOTH)),
    row("robustness.p_holm", &[], FAMILY, FACT, "The p-value of the perturbation corrected over all perturbations of the model with the strategy.", (HOLM, OWN_FLIP)),
    row("robustness.pairs", &[], FAMILY, COUNT, "Pairs that were judged.", ("count", ALIKE)),
    row("robustness.excluded_pairs", &[], FAMILY, COUNT, "Pairs left out because the backend failed on a side.", ("count", ALIKE)),
    row("robustness.mean_delta.accuracy", &[], FAMILY, CHANGE_UP, "Mean of `robustness.delta.accuracy` over the perturbations.", ("mean", OWN_ACCURACY)),
    row("robustness.mean_delta.f1_macro", &[], FAMILY, CHANGE_UP, "Mean of `robustness.delta.f1_macro` over the perturbations.", ("mean", OWN_F1)),
    row("robustness.mean_delta.mae", &[], FAMILY, CHANGE_DOWN, "Mean of `robustness.delta.mae` over the perturbations.", ("mean", BOTH)),
    row("robustness.mean_delta.coverage", &[], FAMILY, CHANGE_UP, "Mean of `robustness.delta.coverage` over the perturbations.", ("mean", COUNTED)),
    row("robustness.worst_delta.accuracy", &[], FAMILY, CHANGE_UP, "`robustness.delta.accuracy` of the perturbation that hurts most.", ("minimum", OWN_ACCURACY)),
    row("robustness.worst_delta.f1_macro", &[], FAMILY, CHANGE_UP, "`robustness.delta.f1_macro` of the perturbation that hurts most.", ("minimum", OWN_F1)),
    row("robustness.worst_delta.mae", &[], FAMILY, CHANGE_DOWN, "`robustness.delta.mae` of the perturbation that hurts most.", ("maximum", BOTH)),
    row("robustness.worst_delta.coverage", &[], FAMILY, CHANGE_UP, "`robustness.delta.coverage` of the perturbation that hurts most.", ("minimum", COUNTED)),
    row("robustness.mean_flip_rate", &[], FAMILY, GAP, "Mean of `robustness.flip_rate` over the perturbations.", ("mean", FLIP)),
    row("robustness.worst_case_accuracy", &["worst_case_accuracy"], FAMILY, SCORE, "Share of instances that are right unperturbed and under every perturbation.", (HELM, WRONG)),
    row("robustness.worst_case_mae", &["worst_case_mae"], FAMILY, CHANGE, "Mean over instances of the largest absolute error among the forms, the unperturbed one included; a form without an answer has the expected error of a random guess.", (HELM, Missing::CountsAsGuess)),
];
