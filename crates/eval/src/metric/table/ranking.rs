//! Which of two comes first.
//!
//! This file is a table.

use super::definition::{FACT, Family, MetricDef, row};
use super::missing::Missing;

const PAIRS: &[Family] = &[Family::Ranking];

#[rustfmt::skip]
pub(super) static RANKING: &[MetricDef] = &[
    row("position_share_a", &[], PAIRS, FACT,
        "Share of the answers that chose the option shown first. Far from the share of right answers A, the model prefers a place.",
        ("share", Missing::LeftOut { beside: "coverage", twin: "accuracy" })),
];
