//! Whether confidence means what it says.
//!
//! This file is a table.

use super::definition::{Better, COUNT, Family, GAP, MetricDef, Scale, row};
use super::missing::{ALIKE, COUNTED, Missing};

const CONFIDENCE: &[Family] = &[Family::Calibration];
const LEFT_OUT: Missing = Missing::LeftOut { beside: "n_with_confidence", twin: "aurc" };
const GUO: &str = "Guo et al., On Calibration of Modern Neural Networks, ICML 2017";
const BRIER: &str = "Brier, Monthly Weather Review 78, 1950";
const UP_TO_TWO: Scale = Scale { unit: "", better: Better::Lower, range: "0 to 2" };

#[rustfmt::skip]
pub(super) static CALIBRATION: &[MetricDef] = &[
    row("ece", &["ece_15"], CONFIDENCE, GAP,
        "Expected calibration error over 15 bins of equal width: Σ (n_b/N)·abs(mean confidence − accuracy).", (GUO, LEFT_OUT)),
    row("ece_10", &[], CONFIDENCE, GAP, "The same over 10 bins.", (GUO, LEFT_OUT)),
    row("mce", &[], CONFIDENCE, GAP, "Largest gap between mean confidence and accuracy among the 15 bins.", (GUO, LEFT_OUT)),
    row("brier", &["brier_score"], CONFIDENCE, GAP,
        "Mean (confidence − 1 if right else 0)².", (BRIER, LEFT_OUT)),
    row("brier_multiclass", &[], CONFIDENCE, UP_TO_TWO,
        "Mean Σ (p − 1 if it is the right one else 0)² over all labels and over what is no label; 0 to 2.",
        (BRIER, ALIKE)),
    row("log_loss", &["cross_entropy"], CONFIDENCE, Scale { unit: "nats", better: Better::Lower, range: "0 to 34.54" },
        "Mean −ln of the probability of the right label, not below 1e-15.",
        ("cross-entropy", ALIKE)),
    row("n_with_confidence", &[], CONFIDENCE, COUNT, "Answers with a confidence.", ("count", COUNTED)),
    row("n_with_probabilities", &[], CONFIDENCE, COUNT, "Records with a probability for each label.", ("count", ALIKE)),
];
