//! How far estimates are off.
//!
//! This file is a table.

use super::definition::{Better, Family, MetricDef, SCORE, Scale, row};
use super::missing::{Missing, WRONG};

const NUMBERS: &[Family] = &[Family::Regression];
const SHEPPERD: &str = "Shepperd and MacDonell, Information and Software Technology 54, 2012; exact form of Langdon et al. 2016 over distinct pairs";
const CONTE: &str = "Conte, Dunsmore and Shen, Software Engineering Metrics and Models, 1986";
const LEFT_OUT: Missing = Missing::LeftOut { beside: "coverage", twin: "mae_imputed" };
const ERROR: Scale = Scale { unit: "points", better: Better::Lower, range: "0 or more" };
const SHARE_OFF: Scale = Scale { unit: "", better: Better::Lower, range: "0 or more" };
const EFFECT: Scale = Scale { unit: "", better: Better::Higher, range: "any number" };
const UP_TO_ONE: Scale = Scale { unit: "", better: Better::Higher, range: "up to 1" };

#[rustfmt::skip]
pub(super) static REGRESSION: &[MetricDef] = &[
    row("mae_imputed", &[], NUMBERS, ERROR,
        "Mean absolute error of every record; where there is no answer, the expected error of guessing the right answer of another judged instance at random. Models are ranked by it, since silence cannot better it.",
        ("the guess of Shepperd and MacDonell 2012", Missing::CountsAsGuess)),
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
    row("mmre", &[], NUMBERS, SHARE_OFF,
        "Mean of the absolute error as a share of the right answer; right answers of 0 are left out. It favours low estimates.",
        (CONTE, LEFT_OUT)),
    row("mdmre", &[], NUMBERS, SHARE_OFF,
        "Median of the absolute error as a share of the right answer; right answers of 0 are left out.", (CONTE, LEFT_OUT)),
    row("pred_25", &["pred25", "pred"], NUMBERS, SCORE,
        "Share of records answered within a quarter of the right answer.", (CONTE, WRONG)),
    row("standardised_accuracy", &["standardized_accuracy", "sa"], NUMBERS, UP_TO_ONE,
        "1 − MAE / MAE of guessing the right answer of another judged instance at random, computed exactly over all pairs. 0 is as good as guessing, below 0 worse.",
        (SHEPPERD, LEFT_OUT)),
    row("standardised_accuracy_imputed", &["sa_imputed"], NUMBERS, UP_TO_ONE,
        "The same over every record: 1 − mae_imputed / MAE of guessing.", (SHEPPERD, Missing::CountsAsGuess)),
    row("standardised_accuracy_median", &["sa_median"], NUMBERS, UP_TO_ONE,
        "The same of medians: 1 − MdAE / median error of guessing, over all pairs of distinct instances.",
        ("median form of Shepperd and MacDonell 2012", LEFT_OUT)),
    row("guess_effect_size", &["effect_size"], NUMBERS, EFFECT,
        "(MAE of guessing − MAE) / standard deviation of the absolute errors of guessing: Glass's delta against the random guess. About 0.2 is small, 0.5 medium, 0.8 large.",
        (SHEPPERD, LEFT_OUT)),
];
