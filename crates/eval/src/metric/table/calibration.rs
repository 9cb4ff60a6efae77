//! Whether confidence means what it says.
//!
//! This file is a table.

use super::definition::{Better, COUNT, FACT, Family, GAP, MetricDef, SCORE, Scale, row};
use super::missing::{ALIKE, COUNTED, Missing};

const CONFIDENCE: &[Family] = &[Family::Calibration];
const LEFT_OUT: Missing = Missing::LeftOut { beside: "n_with_confidence", twin: "aurc" };
const GUO: &str = "Guo et al., On Calibration of Modern Neural Networks, ICML 2017";
const BRIER: &str = "Brier, Monthly Weather Review 78, 1950";
const MURPHY: &str = "Murphy, Journal of Applied Meteorology 12, 1973";
const QUARTER: Scale = Scale { unit: "", better: Better::Neither, range: "0 to 0.25" };
const QUARTER_UP: Scale = Scale { better: Better::Higher, ..QUARTER };
const REMAINDER: Scale = Scale { range: "-1 to 1", ..FACT };
const UP_TO_TWO: Scale = Scale { unit: "", better: Better::Lower, range: "0 to 2" };

#[rustfmt::skip]
pub(super) static CALIBRATION: &[MetricDef] = &[
    row("ece", &["ece_15"], CONFIDENCE, GAP,
        "Expected calibration error over 15 bins of equal width: Σ (n_b/N)·abs(mean confidence − accuracy).", (GUO, LEFT_OUT)),
    row("ece_10", &[], CONFIDENCE, GAP, "The same over 10 bins.", (GUO, LEFT_OUT)),
    row("ece_equal_mass", &["ace"], CONFIDENCE, GAP,
        "The same over 15 bins that hold equally many answers; their edges are quantiles, as scikit-learn sets them.",
        ("Nguyen and O'Connor, EMNLP 2015", LEFT_OUT)),
    row("mce", &[], CONFIDENCE, GAP, "Largest gap between mean confidence and accuracy among the 15 bins.", (GUO, LEFT_OUT)),
    row("brier", &["brier_score"], CONFIDENCE, GAP,
        "Mean (confidence − 1 if right else 0)².", (BRIER, LEFT_OUT)),
    row("brier_reliability", &[], CONFIDENCE, GAP,
        "Murphy's first part of brier, over the 15 bins of equal width: Σ (n_b/N)·(mean confidence − accuracy)².", (MURPHY, LEFT_OUT)),
    row("brier_resolution", &[], CONFIDENCE, QUARTER_UP,
        "Murphy's second part, which brier subtracts: Σ (n_b/N)·(accuracy of the bin − accuracy)².", (MURPHY, LEFT_OUT)),
    row("brier_uncertainty", &[], CONFIDENCE, QUARTER,
        "Murphy's third part: accuracy·(1 − accuracy) of the answers with a confidence. It describes the task.", (MURPHY, LEFT_OUT)),
    row("brier_remainder", &[], CONFIDENCE, REMAINDER,
        "brier − (reliability − resolution + uncertainty): what the bins leave out because confidences differ within them.",
        ("Stephenson, Coelho and Jolliffe, Weather and Forecasting 23, 2008", LEFT_OUT)),
    row("brier_multiclass", &[], CONFIDENCE, UP_TO_TWO,
        "Mean Σ (p − 1 if it is the right one else 0)² over all labels and over what is no label; 0 to 2.",
        (BRIER, ALIKE)),
    row("log_loss", &["cross_entropy"], CONFIDENCE, Scale { unit: "nats", better: Better::Lower, range: "0 to 34.54" },
        "Mean −ln of the probability of the right label, not below 1e-15.",
        ("cross-entropy", ALIKE)),
    row("aurc", &[], CONFIDENCE, GAP,
        "Area under the curve of risk against coverage: the mean share of wrong answers among the k surest records, over every k. Equal confidences share their wrongs evenly.",
        ("Geifman and El-Yaniv, NeurIPS 2017", Missing::ComesLast)),
    row("selective_accuracy_at_50", &[], CONFIDENCE, SCORE,
        "Accuracy of the surest half of the records.", ("Geifman and El-Yaniv, NeurIPS 2017", Missing::ComesLast)),
    row("selective_accuracy_at_80", &[], CONFIDENCE, SCORE,
        "Accuracy of the surest 80 % of the records.", ("Geifman and El-Yaniv, NeurIPS 2017", Missing::ComesLast)),
    row("selective_accuracy_at_90", &[], CONFIDENCE, SCORE,
        "Accuracy of the surest 90 % of the records.", ("Geifman and El-Yaniv, NeurIPS 2017", Missing::ComesLast)),
    row("n_with_confidence", &[], CONFIDENCE, COUNT, "Answers with a confidence.", ("count", COUNTED)),
    row("n_with_probabilities", &[], CONFIDENCE, COUNT, "Records with a probability for each label.", ("count", ALIKE)),
];
