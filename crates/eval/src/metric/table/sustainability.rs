//! Rows of sustainability: what an answer costs in joules and grams.
//!
//! This file is a table.

use super::definition::{Better, Family, MetricDef, Scale, row};
use super::missing::{ALIKE, Missing, WRONG};

const FAMILY: &[Family] = &[Family::Sustainability];
const JOULES: Scale = Scale { unit: "J", better: Better::Lower, range: "0 or more" };
const GRAMS: Scale = Scale { unit: "gCO2e", better: Better::Lower, range: "0 or more" };
const METERS: &str = "energy meters of the session";
const GRID: &str = "energy meters and the intensity of the grid";
const UPSTREAM: &str = "upstream PUMA; energy meters and the intensity of the grid";

/// Of one model with one strategy, all its perturbations and repetitions together. Where several share a session, the
/// joules are divided by model time, `quality` is `estimated` and phases are left out. Nothing of a run that a disturbance made void.
#[rustfmt::skip]
pub(super) static SUSTAINABILITY: &[MetricDef] = &[
    row("sustainability.energy_j", &["energy_j"], FAMILY, JOULES, "Joules of every counted channel.", (METERS, ALIKE)),
    row("sustainability.energy_j_per_job", &["energy_per_job"], FAMILY, JOULES, "Joules / jobs the model was really asked.", (METERS, ALIKE)),
    row("sustainability.energy_j_per_correct_answer", &["energy_per_correct_prediction"], FAMILY, JOULES, "Joules / right answers; undefined without one, and for numbers.", (METERS, WRONG)),
    row("sustainability.energy_j_per_1000_generated_tokens", &[], FAMILY, JOULES, "1000 · joules / generated tokens.", (METERS, ALIKE)),
    row("sustainability.energy_j.load", &[], FAMILY, JOULES, "Joules while the model was made ready.", (METERS, ALIKE)),
    row("sustainability.energy_j.prompt", &[], FAMILY, JOULES, "Joules while prompts were read.", (METERS, ALIKE)),
    row("sustainability.energy_j.generation", &[], FAMILY, JOULES, "Joules while answers were written.", (METERS, ALIKE)),
    row("sustainability.energy_j.inference", &[], FAMILY, JOULES, "Joules while the model worked, where the backend does not tell reading from writing.", (METERS, ALIKE)),
    row("sustainability.co2e_g", &["gco2e"], FAMILY, GRAMS, "Grams of CO2 equivalent of the joules.", (GRID, ALIKE)),
    row("sustainability.co2e_g_per_job", &[], FAMILY, GRAMS, "Grams / jobs the model was really asked.", (GRID, ALIKE)),
    row("sustainability.co2e_g_per_correct_answer", &[], FAMILY, GRAMS, "Grams / right answers; undefined without one, and for numbers.", (GRID, WRONG)),
    row("sustainability.co2e_g_per_f1_point", &["gco2_per_f1_point"], FAMILY, GRAMS, "Grams / unperturbed macro-F1; undefined for an F1 of 0.", (UPSTREAM, WRONG)),
    row("sustainability.co2e_g_per_mae_unit", &["gco2_per_mae_unit"], FAMILY, Scale { unit: "gCO2e", better: Better::Neither, range: "0 or more" }, "Grams / unperturbed mean absolute error; undefined for an error of 0. A smaller error makes it larger: it says nothing about good or bad.", (UPSTREAM, Missing::LeftOut { beside: "coverage", twin: "sustainability.co2e_g_per_job" })),
];
