//! The whole table, and finding a metric by name.

use super::accuracy::ACCURACY;
use super::calibration::CALIBRATION;
use super::definition::MetricDef;
use super::efficiency::EFFICIENCY;
use super::fairness::FAIRNESS;
use super::outcomes::OUTCOMES;
use super::ranking::RANKING;
use super::regression::REGRESSION;
use super::robustness::ROBUSTNESS;
use super::stability::STABILITY;
use super::sustainability::SUSTAINABILITY;
use crate::spec::nearest::nearest;

static TABLES: [&[MetricDef]; 10] =
    [ACCURACY, REGRESSION, RANKING, CALIBRATION, EFFICIENCY, OUTCOMES, ROBUSTNESS, FAIRNESS, STABILITY, SUSTAINABILITY];

/// Every metric, family after family. Records whose request failed in the backend enter only `backend_failure_rate`
/// and the `outcome.*` shares.
pub fn metrics() -> impl Iterator<Item = &'static MetricDef> {
    TABLES.into_iter().flatten()
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
    if let Some(def) = metrics().find(|def| def.is_called(name)) {
        return Ok((def, name.to_owned()));
    }
    if let Some(def) = metrics().find(|def| def.aliases.contains(&name)) {
        return Ok((def, def.name.to_owned()));
    }
    let names = metrics().flat_map(|def| std::iter::once(def.name).chain(def.aliases.iter().copied()));
    Err(UnknownMetric { name: name.to_owned(), nearest: nearest(name, names) })
}

#[cfg(test)]
mod tests {
    use super::{metrics, resolve};
    use std::collections::BTreeSet;

    #[test]
    fn every_name_and_alias_means_one_metric() {
        let mut seen = BTreeSet::new();
        for def in metrics() {
            for name in std::iter::once(&def.name).chain(def.aliases) {
                assert!(seen.insert(*name), "{name} appears twice");
                assert_eq!(resolve(name).expect("it is in the table").0.name, def.name);
            }
        }
    }

    #[test]
    fn every_cell_fits_into_a_table_of_markdown() {
        for def in metrics() {
            for cell in [def.name, def.unit, def.range, def.doc, def.source, &def.missing.sentence()] {
                assert!(!cell.contains(['|', '\n']), "{}: {cell}", def.name);
            }
            assert!(!def.doc.is_empty() && !def.source.is_empty(), "{}", def.name);
        }
    }

    #[test]
    fn names_of_upstream_specs_resolve() {
        // What upstream stores, what its library computes, and what its documents promise.
        for name in [
            "f1_macro",
            "f1_weighted",
            "accuracy",
            "per_class.Critical.precision",
            "per_class.Major.recall",
            "per_class.Trivial.f1",
            "mae",
            "mdae",
            "rmse",
            "mae_by_bin.1-3",
            "mae_by_bin.5-8",
            "mae_by_bin.13-21",
            "mae_by_bin.34+",
            "n_samples",
            "n_predictions",
            "n_with_confidence",
            "parse_failure_rate",
            "ece",
            "mce",
            "brier",
            "latency.p50",
            "latency.p95",
            "latency.p99",
            "latency.mean",
            "latency.min",
            "latency.max",
            "latency_p95",
            "throughput",
            "tokens_per_sec",
            "robustness_score",
            "consistency_rate",
            "stability",
            "disparity",
            "flip_rate",
            "flip_to_correct",
            "flip_to_incorrect",
            "fairness_gap",
            "r2",
            "gco2_per_f1_point",
            "gco2_per_mae_unit",
            "energy_per_correct_prediction",
        ] {
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
        assert_eq!(resolve("a name unlike all others").expect_err("unknown").nearest, None);
    }
}
