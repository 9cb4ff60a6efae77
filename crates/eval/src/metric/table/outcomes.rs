//! How jobs ended.
//!
//! This file is a table.

use super::definition::{COUNT, FACT, Family, GAP, MetricDef, SCORE, row};
use super::missing::{ALIKE, COUNTED};

const ENDINGS: &[Family] = &[Family::Outcomes];

#[rustfmt::skip]
pub(super) static OUTCOMES: &[MetricDef] = &[
    row("coverage", &[], ENDINGS, SCORE,
        "Share of records with a usable answer.", ("share", COUNTED)),
    row("parse_failure_rate", &[], ENDINGS, GAP,
        "Share of completed records without a usable answer: unparsed, ambiguous, truncated or empty.", ("share", COUNTED)),
    row("backend_failure_rate", &[], ENDINGS, GAP, "Share of all records whose request failed.", ("share", ALIKE)),
    row("outcome.answered", &[], ENDINGS, FACT, "Share of all records: exactly one usable answer.", ("share", COUNTED)),
    row("outcome.unparsed", &[], ENDINGS, FACT, "Share of all records: no answer could be read.", ("share", COUNTED)),
    row("outcome.ambiguous", &[], ENDINGS, FACT, "Share of all records: several answers, none final.", ("share", COUNTED)),
    row("outcome.truncated", &[], ENDINGS, FACT, "Share of all records: the token limit came before an answer.", ("share", COUNTED)),
    row("outcome.empty", &[], ENDINGS, FACT, "Share of all records: no text at all.", ("share", COUNTED)),
    row("outcome.backend_failed", &[], ENDINGS, FACT, "Share of all records: the request failed.", ("share", COUNTED)),
    row("n_samples", &[], ENDINGS, COUNT, "Records that were scored; under `compat: puma-4` those that could be read.", ("count", ALIKE)),
    row("n_predictions", &[], ENDINGS, COUNT, "All records.", ("count", ALIKE)),
];
