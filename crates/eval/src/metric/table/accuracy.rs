//! Which label was given: scores of the confusion matrix.
//!
//! This file is a table.

use super::definition::{AGREEMENT, COUNT, Family, MetricDef, SCORE, row};
use super::missing::{ALIKE, Missing, WRONG};

const CLASSES: &[Family] = &[Family::Accuracy];
const CONFUSION: &str = "confusion matrix";
const VAN_RIJSBERGEN: &str = "van Rijsbergen, Information Retrieval, 1979";

const OWN_ANSWER: Missing = Missing::CountsAsOwnAnswer { beside: "accuracy" };

#[rustfmt::skip]
pub(super) static ACCURACY: &[MetricDef] = &[
    row("f1_macro", &["macro_f1", "f1"], CLASSES, SCORE,
        "Mean of the F1 of all labels of the scenario, each weighing the same; a label that neither occurs nor is answered contributes 0.",
        (VAN_RIJSBERGEN, WRONG)),
    row("f1_weighted", &["weighted_f1"], CLASSES, SCORE,
        "Mean of the labels' F1 weighted by how many records have the label.", (VAN_RIJSBERGEN, WRONG)),
    row("f1_micro", &["micro_f1"], CLASSES, SCORE,
        "F1 of the counts summed over labels: 2·TP / (2·TP + FP + FN). Equals accuracy when every record is answered.",
        (VAN_RIJSBERGEN, WRONG)),
    row("accuracy", &["acc"], &[Family::Accuracy, Family::Ranking], SCORE,
        "Share of records answered rightly.", (CONFUSION, WRONG)),
    row("balanced_accuracy", &[], CLASSES, SCORE,
        "Mean recall of the labels that occur.", (CONFUSION, WRONG)),
    row("precision_macro", &["macro_precision"], CLASSES, SCORE,
        "Mean of the precision of all labels; a label never answered contributes 0.",
        (CONFUSION, Missing::CountsForNoLabel { beside: "f1_macro" })),
    row("recall_macro", &["macro_recall"], CLASSES, SCORE,
        "Mean of the recall of all labels; a label that never occurs contributes 0.", (CONFUSION, WRONG)),
    row("mcc", &["matthews_corrcoef"], CLASSES, AGREEMENT,
        "Correlation of right and given labels: (hits·n − Σ right·given) / √((n² − Σ given²)(n² − Σ right²)), sums over labels. 0 when all answers are alike; undefined when only one label is right.",
        ("Gorodkin, Computational Biology and Chemistry 28, 2004", OWN_ANSWER)),
    row("cohen_kappa", &["kappa"], CLASSES, AGREEMENT,
        "(accuracy − accuracy by chance) / (1 − accuracy by chance), chance being the same answers given at random; undefined when only one label is right.",
        ("Cohen, Educational and Psychological Measurement 20, 1960", OWN_ANSWER)),
    row("quadratic_weighted_kappa", &["qwk", "weighted_kappa"], CLASSES, AGREEMENT,
        "1 − Σ w·observed / Σ w·by chance, w being the squared distance of two labels in their order, 1 between the ends; no answer is as far from every label as the ends are from each other.",
        ("Cohen, Psychological Bulletin 70, 1968", OWN_ANSWER)),
    row("top_2_accuracy", &["top2_accuracy"], CLASSES, SCORE,
        "Share of records whose right label is one of the two most probable; a tie at the border counts as missed. An answer without probabilities is near only if it is right. Undefined for two labels, and without any probabilities.",
        ("textbook", WRONG)),
    row("per_class.{label}.support", &[], CLASSES, COUNT, "Records whose right label it is.", ("count", ALIKE)),
    row("per_class.{label}.precision", &[], CLASSES, SCORE,
        "TP / (TP + FP) of one label; 0 if it was never answered.",
        (CONFUSION, Missing::CountsForNoLabel { beside: "per_class.{label}.f1" })),
    row("per_class.{label}.recall", &[], CLASSES, SCORE,
        "TP / (TP + FN) of one label; 0 if it never occurs.", (CONFUSION, WRONG)),
    row("per_class.{label}.f1", &[], CLASSES, SCORE,
        "2·TP / (2·TP + FP + FN) of one label; 0 if it neither occurs nor is answered.", (VAN_RIJSBERGEN, WRONG)),
];
