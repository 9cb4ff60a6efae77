//! The table of metrics: names, formulas, sources. One row per name the reports can hold.
//!
//! This file is a table.

use super::task::TaskKind;
use crate::spec::nearest::nearest;
use serde::{Deserialize, Serialize};

/// Which direction is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
    /// It describes, it does not judge.
    Neither,
}

/// What a metric looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Classification,
    Regression,
    Pairwise,
    Calibration,
    Efficiency,
    Outcomes,
}

impl Family {
    /// Whether records of a task of this kind have metrics of this family.
    pub fn fits(self, kind: TaskKind) -> bool {
        match self {
            Self::Classification => kind == TaskKind::Classification,
            Self::Regression => kind == TaskKind::Regression,
            Self::Pairwise => kind == TaskKind::Pairwise,
            Self::Calibration | Self::Efficiency | Self::Outcomes => true,
        }
    }

    /// The word used in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
            Self::Pairwise => "pairwise",
            Self::Calibration => "calibration",
            Self::Efficiency => "efficiency",
            Self::Outcomes => "outcomes",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricDef {
    /// May hold one placeholder: `{label}`.
    pub name: &'static str,
    /// Other names a spec may use.
    pub aliases: &'static [&'static str],
    pub families: &'static [Family],
    /// Empty for pure numbers.
    pub unit: &'static str,
    pub better: Better,
    /// What it is, with its formula.
    pub doc: &'static str,
    /// Who defined it.
    pub source: &'static str,
    /// What becomes of records without a usable answer.
    pub missing: &'static str,
}

const CLASSES: &[Family] = &[Family::Classification];
const NUMBERS: &[Family] = &[Family::Regression];
const PAIRS: &[Family] = &[Family::Pairwise];
const CONFIDENCE: &[Family] = &[Family::Calibration];
const TIME: &[Family] = &[Family::Efficiency];
const OUTCOMES: &[Family] = &[Family::Outcomes];

const WRONG: &str = "counts as wrong";
const LEFT_OUT: &str = "left out; read it beside coverage";
const COUNTED: &str = "is what is counted";
const ALL_ASKED: &str = "counts like any other";
const FAILED_ONLY: &str = "counts like any other; failed requests are left out";

const CONFUSION: &str = "confusion matrix";
const VAN_RIJSBERGEN: &str = "van Rijsbergen, Information Retrieval, 1979";
const NUMPY: &str = "NumPy percentile, method linear";
const GUO: &str = "Guo et al., On Calibration of Modern Neural Networks, ICML 2017";
const BRIER: &str = "Brier, Monthly Weather Review 78, 1950";
const BACKEND: &str = "times reported by the backend";

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    families: &'static [Family],
    (unit, better): (&'static str, Better),
    doc: &'static str,
    (source, missing): (&'static str, &'static str),
) -> MetricDef {
    MetricDef { name, aliases, families, unit, better, doc, source, missing }
}

const SCORE: (&str, Better) = ("", Better::Higher);
const ERROR: (&str, Better) = ("points", Better::Lower);
const GAP: (&str, Better) = ("", Better::Lower);
const FACT: (&str, Better) = ("", Better::Neither);
const COUNT: (&str, Better) = ("count", Better::Neither);
const MS: (&str, Better) = ("ms", Better::Lower);
const RATE: (&str, Better) = ("tokens/s", Better::Higher);
const TOKENS: (&str, Better) = ("tokens", Better::Neither);

/// Every metric. Records whose request failed in the backend enter only `backend_failure_rate` and the `outcome.*`
/// shares.
#[rustfmt::skip]
pub static METRICS: &[MetricDef] = &[
    row("f1_macro", &["macro_f1", "f1"], CLASSES, SCORE,
        "Mean of the F1 of all labels of the scenario, each weighing the same; a label that neither occurs nor is answered contributes 0.",
        (VAN_RIJSBERGEN, WRONG)),
    row("f1_weighted", &["weighted_f1"], CLASSES, SCORE,
        "Mean of the labels' F1 weighted by how many records have the label.", (VAN_RIJSBERGEN, WRONG)),
    row("f1_micro", &["micro_f1"], CLASSES, SCORE,
        "F1 of the counts summed over labels: 2·TP / (2·TP + FP + FN). Equals accuracy when every record is answered.",
        (VAN_RIJSBERGEN, WRONG)),
    row("accuracy", &["acc"], &[Family::Classification, Family::Pairwise], SCORE,
        "Share of records answered rightly.", (CONFUSION, WRONG)),
    row("balanced_accuracy", &[], CLASSES, SCORE,
        "Mean recall of the labels that occur.", (CONFUSION, WRONG)),
    row("precision_macro", &["macro_precision"], CLASSES, SCORE,
        "Mean of the precision of all labels; a label never answered contributes 0.", (CONFUSION, "cannot be a false positive")),
    row("recall_macro", &["macro_recall"], CLASSES, SCORE,
        "Mean of the recall of all labels; a label that never occurs contributes 0.", (CONFUSION, WRONG)),
    row("per_class.{label}.precision", &[], CLASSES, SCORE,
        "TP / (TP + FP) of one label; 0 if it was never answered.", (CONFUSION, "cannot be a false positive")),
    row("per_class.{label}.recall", &[], CLASSES, SCORE,
        "TP / (TP + FN) of one label; 0 if it never occurs.", (CONFUSION, WRONG)),
    row("per_class.{label}.f1", &[], CLASSES, SCORE,
        "2·TP / (2·TP + FP + FN) of one label; 0 if it neither occurs nor is answered.", (VAN_RIJSBERGEN, WRONG)),
    row("mae", &[], NUMBERS, ERROR, "Mean absolute error.", ("textbook", LEFT_OUT)),
    row("mdae", &["median_ae"], NUMBERS, ERROR, "Median absolute error.", ("textbook", LEFT_OUT)),
    row("rmse", &[], NUMBERS, ERROR, "Square root of the mean squared error.", ("textbook", LEFT_OUT)),
    row("r2", &["r_squared"], NUMBERS, SCORE,
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
    row("standardised_accuracy", &["standardized_accuracy", "sa"], NUMBERS, SCORE,
        "1 − MAE / MAE of guessing the right answer of another judged instance at random, computed exactly over all pairs. 0 is as good as guessing, below 0 worse.",
        ("Shepperd and MacDonell, Information and Software Technology 54, 2012; exact form of Langdon et al. 2016 over distinct pairs", LEFT_OUT)),
    row("position_share_a", &[], PAIRS, FACT,
        "Share of the answers that chose the option shown first. Far from the share of right answers A, the model prefers a place.",
        ("share", "left out")),
    row("coverage", &[], OUTCOMES, SCORE,
        "Share of records with a usable answer.", ("share", COUNTED)),
    row("ece", &["ece_15"], CONFIDENCE, GAP,
        "Expected calibration error over 15 bins of equal width: Σ (n_b/N)·abs(mean confidence − accuracy).", (GUO, "left out")),
    row("ece_10", &[], CONFIDENCE, GAP, "The same over 10 bins.", (GUO, "left out")),
    row("mce", &[], CONFIDENCE, GAP, "Largest gap between mean confidence and accuracy among the 15 bins.", (GUO, "left out")),
    row("brier", &["brier_score"], CONFIDENCE, GAP,
        "Mean (confidence − 1 if right else 0)².", (BRIER, "left out")),
    row("brier_multiclass", &[], CONFIDENCE, GAP,
        "Mean Σ (p − 1 if it is the right one else 0)² over all labels and over what is no label; 0 to 2.",
        (BRIER, "counts, where all labels have probabilities")),
    row("log_loss", &["cross_entropy"], CONFIDENCE, ("nats", Better::Lower),
        "Mean −ln of the probability of the right label, not below 1e-15.",
        ("cross-entropy", "counts, where all labels have probabilities")),
    row("n_with_confidence", &[], CONFIDENCE, COUNT, "Answers with a confidence.", ("count", "left out")),
    row("n_with_probabilities", &[], CONFIDENCE, COUNT, "Records with a probability for each label.", ("count", ALL_ASKED)),
    row("latency.p50", &["latency_p50"], TIME, MS, "Median model time of a job, loading left out.", (NUMPY, FAILED_ONLY)),
    row("latency.p90", &["latency_p90"], TIME, MS, "90th percentile of the model time of a job, loading left out.", (NUMPY, FAILED_ONLY)),
    row("latency.p95", &["latency_p95"], TIME, MS, "95th percentile of the model time of a job, loading left out.", (NUMPY, FAILED_ONLY)),
    row("latency.p99", &["latency_p99"], TIME, MS, "99th percentile of the model time of a job, loading left out.", (NUMPY, FAILED_ONLY)),
    row("latency.mean", &["latency_mean"], TIME, MS, "Mean model time of a job, loading left out.", ("mean", FAILED_ONLY)),
    row("latency.min", &["latency_min"], TIME, MS, "Shortest model time of a job, loading left out.", ("minimum", FAILED_ONLY)),
    row("latency.max", &["latency_max"], TIME, MS, "Longest model time of a job, loading left out.", ("maximum", FAILED_ONLY)),
    row("load_ms.total", &[], TIME, MS, "Time spent loading the model, all completions together.", (BACKEND, FAILED_ONLY)),
    row("prompt_ms.mean", &[], TIME, MS, "Mean time to read the prompt, per completion.", (BACKEND, FAILED_ONLY)),
    row("generation_ms.mean", &[], TIME, MS, "Mean time to write the answer, per completion.", (BACKEND, FAILED_ONLY)),
    row("first_token_ms.p50", &[], TIME, MS, "Median time to the first token, per completion.", (BACKEND, FAILED_ONLY)),
    row("tokens_per_second", &["tokens_per_s", "tokens_per_sec"], TIME, RATE,
        "Generated tokens / generation time, over completions that report it.", (BACKEND, FAILED_ONLY)),
    row("prompt_tokens_per_second", &[], TIME, RATE,
        "Computed prompt tokens (reused ones left out) / prompt time, over completions that report it.", (BACKEND, FAILED_ONLY)),
    row("generated_tokens.mean", &["tokens_per_answer"], TIME, TOKENS,
        "Mean generated tokens per job, cached ones included.", ("tokens counted by the backend", FAILED_ONLY)),
    row("prompt_tokens.mean", &[], TIME, TOKENS,
        "Mean prompt tokens per job, cached ones included.", ("tokens counted by the backend", FAILED_ONLY)),
    row("parse_failure_rate", &[], OUTCOMES, GAP,
        "Share of completed records without a usable answer: unparsed, ambiguous, truncated or empty.", ("share", COUNTED)),
    row("backend_failure_rate", &[], OUTCOMES, GAP, "Share of all records whose request failed.", ("share", ALL_ASKED)),
    row("outcome.answered", &[], OUTCOMES, FACT, "Share of all records: exactly one usable answer.", ("share", COUNTED)),
    row("outcome.unparsed", &[], OUTCOMES, FACT, "Share of all records: no answer could be read.", ("share", COUNTED)),
    row("outcome.ambiguous", &[], OUTCOMES, FACT, "Share of all records: several answers, none final.", ("share", COUNTED)),
    row("outcome.truncated", &[], OUTCOMES, FACT, "Share of all records: the token limit came before an answer.", ("share", COUNTED)),
    row("outcome.empty", &[], OUTCOMES, FACT, "Share of all records: no text at all.", ("share", COUNTED)),
    row("outcome.backend_failed", &[], OUTCOMES, FACT, "Share of all records: the request failed.", ("share", COUNTED)),
    row("n_samples", &[], OUTCOMES, COUNT, "Records that were scored.", ("count", "counts, except under compat puma-4")),
    row("n_predictions", &[], OUTCOMES, COUNT, "All records.", ("count", ALL_ASKED)),
];

impl MetricDef {
    /// Whether `name` is this metric's name, or its pattern filled in.
    fn is_called(&self, name: &str) -> bool {
        match self.name.split_once("{label}") {
            Some((before, after)) => {
                name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            }
            None => self.name == name,
        }
    }
}

/// A name that no metric has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric named {name:?}{}", nearest.map_or_else(String::new, |near| format!("; did you mean {near:?}?")))]
pub struct UnknownMetric {
    pub name: String,
    /// The most similar name, if one is similar at all.
    pub nearest: Option<&'static str>,
}

/// The metric that `name` or alias means, and its canonical name with placeholders filled in.
///
/// # Errors
/// No metric is called so.
pub fn resolve(name: &str) -> Result<(&'static MetricDef, String), UnknownMetric> {
    if let Some(def) = METRICS.iter().find(|def| def.is_called(name)) {
        return Ok((def, name.to_owned()));
    }
    if let Some(def) = METRICS.iter().find(|def| def.aliases.contains(&name)) {
        return Ok((def, def.name.to_owned()));
    }
    let names = METRICS.iter().flat_map(|def| std::iter::once(def.name).chain(def.aliases.iter().copied()));
    Err(UnknownMetric { name: name.to_owned(), nearest: nearest(name, names) })
}

#[cfg(test)]
mod tests {
    use super::{METRICS, resolve};
    use std::collections::BTreeSet;

    #[test]
    fn every_name_and_alias_means_one_metric() {
        let mut seen = BTreeSet::new();
        for def in METRICS {
            for name in std::iter::once(&def.name).chain(def.aliases) {
                assert!(seen.insert(*name), "{name} appears twice");
                assert_eq!(resolve(name).expect("it is in the table").0.name, def.name);
            }
        }
    }

    #[test]
    fn every_cell_fits_into_a_table_of_markdown() {
        for def in METRICS {
            for cell in [def.name, def.unit, def.doc, def.source, def.missing] {
                assert!(!cell.contains(['|', '\n']), "{}: {cell}", def.name);
            }
            assert!(!def.doc.is_empty() && !def.source.is_empty() && !def.missing.is_empty(), "{}", def.name);
        }
    }

    #[test]
    fn names_of_upstream_specs_resolve() {
        for name in ["f1_macro", "latency_p95", "ece", "mae", "accuracy", "f1_weighted"] {
            assert!(resolve(name).is_ok(), "{name}");
        }
        assert_eq!(resolve("latency_p95").expect("an alias").1, "latency.p95");
        assert_eq!(resolve("per_class.Critical.f1").expect("a pattern").1, "per_class.Critical.f1");
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let error = resolve("f1_marco").expect_err("a typo");
        assert_eq!(error.nearest, Some("f1_macro"));
        assert_eq!(error.to_string(), "there is no metric named \"f1_marco\"; did you mean \"f1_macro\"?");
        assert_eq!(resolve("ndcg_at_10_of_nothing_known").expect_err("unknown").nearest, None);
    }
}
