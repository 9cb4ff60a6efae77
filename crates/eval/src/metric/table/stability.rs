//! Rows of stability: the same questions asked several times.
//!
//! This file is a table.

use super::definition::{Better, Family, GAP, MetricDef, SCORE, Scale, row};
use super::missing::{COUNTED, Missing, WRONG};

const FAMILY: &[Family] = &[Family::Stability];
const ALPHA: Scale = Scale { unit: "", better: Better::Higher, range: "up to 1, 0 is chance" };
const CV: Scale = Scale { unit: "", better: Better::Lower, range: "0 or more" };
const ERROR: Scale = Scale { unit: "points", better: Better::Lower, range: "0 or more" };
const UPSTREAM: &str = "upstream PUMA";
const SD: &str = "population standard deviation";
const KRIPPENDORFF: &str = "Krippendorff, Content Analysis, 2004, chapter 11";
const ANSWER: Missing = Missing::CountsAsOwnAnswer { beside: "coverage" };
const SPREAD: Missing = Missing::CountsAsOwnAnswer { beside: "coverage" };
const LEFT_OUT: Missing = Missing::LeftOut { beside: "stability.coverage.mean", twin: "stability.pairwise_agreement" };

/// Only of what was asked twice. `n` of a spread is the number of repetitions.
#[rustfmt::skip]
pub(super) static STABILITY: &[MetricDef] = &[
    row("stability.all_equal", &[], FAMILY, SCORE, "Share of the instances with the same answer in all repetitions.", ("share", ANSWER)),
    row("stability.pairwise_agreement", &[], FAMILY, SCORE, "Mean over instances of the share of their pairs of repetitions with the same answer.", ("share", ANSWER)),
    row("stability.alpha", &["krippendorff_alpha"], FAMILY, ALPHA, "Labels: 1 − observed / expected disagreement of the repetitions. Undefined when all answers are equal.", (KRIPPENDORFF, ANSWER)),
    row("stability.alpha_interval", &[], FAMILY, ALPHA, "Numbers: 1 − observed / expected squared difference of the repetitions. Undefined when all answers are equal.", (KRIPPENDORFF, LEFT_OUT)),
    row("stability.accuracy.mean", &[], FAMILY, SCORE, "Mean accuracy of the repetitions.", ("mean", WRONG)),
    row("stability.accuracy.sd", &[], FAMILY, GAP, "Standard deviation of the accuracy of the repetitions.", (SD, SPREAD)),
    row("stability.accuracy.cv", &[], FAMILY, CV, "sd / mean of the accuracy of the repetitions.", ("coefficient of variation", SPREAD)),
    row("stability.accuracy.min", &[], FAMILY, SCORE, "Smallest accuracy of a repetition.", ("minimum", WRONG)),
    row("stability.accuracy.max", &[], FAMILY, SCORE, "Largest accuracy of a repetition.", ("maximum", WRONG)),
    row("stability.accuracy.score", &[], FAMILY, SCORE, "1 − sd / mean of the accuracy, not below 0; 0 for a mean of 0 that varies.", (UPSTREAM, SPREAD)),
    row("stability.f1_macro.mean", &[], FAMILY, SCORE, "Mean macro-F1 of the repetitions.", ("mean", WRONG)),
    row("stability.f1_macro.sd", &[], FAMILY, GAP, "Standard deviation of the macro-F1 of the repetitions.", (SD, SPREAD)),
    row("stability.f1_macro.cv", &[], FAMILY, CV, "sd / mean of the macro-F1 of the repetitions.", ("coefficient of variation", SPREAD)),
    row("stability.f1_macro.min", &[], FAMILY, SCORE, "Smallest macro-F1 of a repetition.", ("minimum", WRONG)),
    row("stability.f1_macro.max", &[], FAMILY, SCORE, "Largest macro-F1 of a repetition.", ("maximum", WRONG)),
    row("stability.f1_macro.score", &["stability"], FAMILY, SCORE, "1 − sd / mean of the macro-F1, not below 0; 0 for a mean of 0 that varies.", (UPSTREAM, SPREAD)),
    row("stability.mae.mean", &[], FAMILY, ERROR, "Mean of the mean absolute errors of the repetitions.", ("mean", LEFT_OUT)),
    row("stability.mae.sd", &[], FAMILY, ERROR, "Standard deviation of the mean absolute error of the repetitions.", (SD, LEFT_OUT)),
    row("stability.mae.cv", &[], FAMILY, CV, "sd / mean of the mean absolute error of the repetitions.", ("coefficient of variation", LEFT_OUT)),
    row("stability.mae.min", &[], FAMILY, ERROR, "Smallest mean absolute error of a repetition.", ("minimum", LEFT_OUT)),
    row("stability.mae.max", &[], FAMILY, ERROR, "Largest mean absolute error of a repetition.", ("maximum", LEFT_OUT)),
    row("stability.mae.score", &[], FAMILY, SCORE, "1 − sd / mean of the mean absolute error, not below 0.", (UPSTREAM, LEFT_OUT)),
    row("stability.coverage.mean", &[], FAMILY, SCORE, "Mean share of usable answers of the repetitions.", ("mean", COUNTED)),
    row("stability.coverage.sd", &[], FAMILY, GAP, "Standard deviation of the share of usable answers of the repetitions.", (SD, COUNTED)),
    row("stability.coverage.cv", &[], FAMILY, CV, "sd / mean of the share of usable answers of the repetitions.", ("coefficient of variation", COUNTED)),
    row("stability.coverage.min", &[], FAMILY, SCORE, "Smallest share of usable answers of a repetition.", ("minimum", COUNTED)),
    row("stability.coverage.max", &[], FAMILY, SCORE, "Largest share of usable answers of a repetition.", ("maximum", COUNTED)),
    row("stability.coverage.score", &[], FAMILY, SCORE, "1 − sd / mean of the share of usable answers, not below 0.", (UPSTREAM, COUNTED)),
];
