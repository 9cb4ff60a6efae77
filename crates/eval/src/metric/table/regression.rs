//! How far estimates are off.
//!
//! This file is a table.

use super::definition::{Better, Family, MetricDef, Scale, row};
use super::missing::Missing;

const NUMBERS: &[Family] = &[Family::Regression];
const LEFT_OUT: Missing = Missing::LeftOut { beside: "coverage", twin: "mae_imputed" };
const ERROR: Scale = Scale { unit: "points", better: Better::Lower, range: "0 or more" };
const UP_TO_ONE: Scale = Scale { unit: "", better: Better::Higher, range: "up to 1" };

#[rustfmt::skip]
pub(super) static REGRESSION: &[MetricDef] = &[
    row("mae", &[], NUMBERS, ERROR, "Mean absolute error.", ("textbook", LEFT_OUT)),
    row("mdae", &["median_ae"], NUMBERS, ERROR, "Median absolute error.", ("textbook", LEFT_OUT)),
    row("rmse", &[], NUMBERS, ERROR, "Square root of the mean squared error.", ("textbook", LEFT_OUT)),
    row("r2", &["r_squared"], NUMBERS, UP_TO_ONE,
        "1 − Σ (answer − right)² / Σ (right − mean right)²: the share of variance explained, below 0 where the mean of the right answers would have done better. Undefined when all right answers are equal.",
        ("textbook", LEFT_OUT)),
    row("mae_by_bin.up_to_3", &["mae_by_bin.1-3"], NUMBERS, ERROR,
        "Mean absolute error where the right answer is at most 3.", ("upstream PUMA, gaps closed", LEFT_OUT)),
    row("mae_by_bin.3_to_8", &["mae_by_bin.5-8"], NUMBERS, ERROR,
        "Mean absolute error where the right answer is above 3 and at most 8.", ("upstream PUMA, gaps closed", LEFT_OUT)),
    row("mae_by_bin.8_to_21", &["mae_by_bin.13-21"], NUMBERS, ERROR,
        "Mean absolute error where the right answer is above 8 and at most 21.", ("upstream PUMA, gaps closed", LEFT_OUT)),
    row("mae_by_bin.above_21", &["mae_by_bin.34+"], NUMBERS, ERROR,
        "Mean absolute error where the right answer is above 21.", ("upstream PUMA, gaps closed", LEFT_OUT)),
    row("standardised_accuracy", &["standardized_accuracy", "sa"], NUMBERS, UP_TO_ONE,
        "1 − MAE / MAE of guessing the right answer of another judged instance at random, computed exactly over all pairs. 0 is as good as guessing, below 0 worse.",
        ("Shepperd and MacDonell, Information and Software Technology 54, 2012; exact form of Langdon et al. 2016 over distinct pairs", LEFT_OUT)),
];
