//! Metrics and statistics against scikit-learn, SciPy and NumPy (`scripts/golden/metrics.py`).

mod metric_records;
mod oracle;

use metric_records::{Records, assert_close};
use oracle::Oracle;
use puma_core::InstanceId;
use puma_eval::metric::{self, MetricReport, MissingAnswers, Options, ReliabilityBin, Task};
use puma_eval::stats::{Bootstrap, mcnemar_exact, normal_quantile, quantile, wilson};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

fn cases(name: &str) -> Vec<Value> {
    static ORACLE: OnceLock<Oracle> = OnceLock::new();
    ORACLE.get_or_init(|| Oracle::of("metrics", include_str!("golden/metrics.json"))).cases(name, 30)
}

fn texts(value: &Value) -> Vec<Option<String>> {
    let text = |item: &Value| match item {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    value.as_array().expect("a list").iter().map(text).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|item| item.as_f64().expect("a number")).collect()
}

/// Everything expected must be there, and nothing of `families` that is not expected.
fn assert_metrics(report: &MetricReport, expected: &Value, families: &[&str], place: &str) {
    let expected = expected.as_object().expect("names and values");
    let found: BTreeMap<&str, f64> = report
        .metrics
        .iter()
        .filter(|metric| families.iter().any(|family| metric.name.starts_with(family)))
        .map(|metric| (metric.name.as_str(), metric.value))
        .collect();
    for (name, value) in expected {
        let found = found.get(name.as_str()).unwrap_or_else(|| panic!("{place}: {name} is missing"));
        assert_close(*found, value.as_f64().expect("a number"), &format!("{place}: {name}"));
    }
    for name in found.keys() {
        assert!(expected.contains_key(*name), "{place}: {name} should be undefined");
    }
}

fn assert_baselines(report: &MetricReport, name: &str, expected: &Value, place: &str) {
    for (metric, value) in expected.as_object().expect("names and values") {
        let (name, metric) = metric.split_once(' ').unwrap_or((name, metric));
        let found = report.baselines.iter().find(|b| b.name == name && b.metric == metric);
        let found = found.unwrap_or_else(|| panic!("{place}: baseline {name} {metric} is missing"));
        assert_close(found.value, value.as_f64().expect("a number"), &format!("{place}: {name} {metric}"));
    }
}

fn options(missing: MissingAnswers) -> Options {
    Options { bootstrap: Bootstrap { resamples: 20, seed: 1, confidence: 0.95 }, missing, ..Options::default() }
}

#[test]
fn classification_agrees_with_scikit_learn() {
    for (index, case) in cases("classification").iter().enumerate() {
        let task = Task::classification(texts(&case["labels"]).into_iter().flatten());
        let golds: Vec<String> = texts(&case["gold"]).into_iter().flatten().collect();
        let records = Records::new(&golds, &texts(&case["answer"])).records;
        for (missing, expected) in [(MissingAnswers::Wrong, "wrong"), (MissingAnswers::Dropped, "dropped")] {
            let report = metric::compute(&task, &records, &options(missing)).expect("labels fit");
            let families = [
                "f1_",
                "accuracy",
                "balanced_",
                "per_class.",
                "precision_",
                "recall_",
                "mcc",
                "cohen_",
                "quadratic_",
                "top_2",
            ];
            assert_metrics(&report, &case[expected], &families, &format!("case {index}, {expected}"));
        }
        let report = metric::compute(&task, &records, &options(MissingAnswers::Wrong)).expect("labels fit");
        let confusion = report.groups[0].confusion.as_ref().expect("a classification has a matrix");
        assert_eq!(serde_json::json!(confusion.rows), case["confusion"], "case {index}");
        assert_baselines(&report, "most_frequent", &case["majority_class"], &format!("case {index}"));
    }
}

#[test]
fn regression_agrees_with_scikit_learn_and_brute_force() {
    for (index, case) in cases("regression").iter().enumerate() {
        let task = Task::regression(Vec::<String>::new());
        let golds: Vec<String> = texts(&case["gold"]).into_iter().flatten().collect();
        let records = Records::new(&golds, &texts(&case["answer"])).records;
        let report = metric::compute(&task, &records, &options(MissingAnswers::Wrong)).expect("numbers");
        let families = ["mae", "mdae", "rmse", "standardised", "r2", "mmre", "mdmre", "pred_", "guess_"];
        assert_metrics(&report, &case["expect"], &families, &format!("case {index}"));
        assert_baselines(&report, "", &case["baselines"], &format!("case {index}"));
    }
}

#[test]
fn calibration_agrees_with_scikit_learn_and_its_definitions() {
    for (index, case) in cases("calibration").iter().enumerate() {
        let labels = ["Critical", "Major", "Minor", "Trivial"];
        let golds: Vec<String> = texts(&case["gold"]).into_iter().flatten().collect();
        let mut records = Records::new(&golds, &texts(&case["answer"])).records;
        let probabilities = case["probabilities"].as_array().expect("a list");
        for ((record, confidence), shares) in records.iter_mut().zip(floats(&case["confidence"])).zip(probabilities) {
            record.confidence = Some(confidence);
            record.label_probabilities = labels.iter().map(|l| (*l).to_owned()).zip(floats(shares)).collect();
        }
        let report =
            metric::compute(&Task::classification(labels), &records, &options(MissingAnswers::Wrong)).expect("labels");
        let families = ["ece", "mce", "brier", "log_loss", "aurc", "selective_", "top_2"];
        assert_metrics(&report, &case["expect"], &families, &format!("case {index}"));
        let group = &report.groups[0];
        assert_curve(&group.reliability, &case["curves"]["reliability"], &format!("case {index}, equal width"));
        assert_curve(
            &group.reliability_equal_mass,
            &case["curves"]["reliability_equal_mass"],
            &format!("case {index}, equal mass"),
        );
    }
}

/// The bins that hold answers are those expected, where any are.
fn assert_curve(bins: &[ReliabilityBin], expected: &Value, place: &str) {
    let Some(expected) = expected.as_array() else { return };
    let found: Vec<f64> = bins.iter().flat_map(|bin| [bin.mean_confidence, bin.accuracy]).flatten().collect();
    let expected: Vec<f64> = expected.iter().flat_map(floats).collect();
    assert_eq!(found.len(), expected.len(), "{place}");
    found.iter().zip(expected).for_each(|(found, expected)| assert_close(*found, expected, place));
}

#[test]
fn ranking_agrees_with_scipy_and_scikit_learn() {
    for (index, case) in cases("ranking").iter().enumerate() {
        let golds: Vec<String> = texts(&case["gold"]).into_iter().flatten().collect();
        let mut records = Records::new(&golds, &texts(&case["answer"])).records;
        for ((record, pair), repeat) in records.iter_mut().zip(texts(&case["pairs"])).zip(0..) {
            record.instance_id = InstanceId::new(pair.expect("an id"));
            record.repeat = repeat;
        }
        let priorities = case["priorities"].as_object().expect("a map");
        let number = |value: &Value| value.as_u64().expect("a priority") as u32;
        let options = Options {
            priorities: priorities.iter().map(|(issue, priority)| (issue.clone(), number(priority))).collect(),
            ..options(MissingAnswers::Wrong)
        };
        let report = metric::compute(&Task::pairwise(), &records, &options).expect("labels");
        let families = ["kendall", "ndcg", "pairwise_", "position_bias"];
        assert_metrics(&report, &case["expect"], &families, &format!("case {index}"));
    }
}

#[test]
fn latencies_agree_with_numpy() {
    for (index, case) in cases("latency").iter().enumerate() {
        let ms = floats(&case["ms"]);
        let golds = vec!["A".to_owned(); ms.len()];
        let records = Records::new(&golds, &texts(&serde_json::json!(golds))).with_latencies(&ms).records;
        let report = metric::compute(&Task::pairwise(), &records, &options(MissingAnswers::Wrong)).expect("labels");
        assert_metrics(&report, &case["expect"], &["latency."], &format!("case {index}"));
    }
}

#[test]
fn wilson_intervals_agree_with_scipy() {
    for case in cases("wilson") {
        let (k, n) = (case["k"].as_f64().expect("a count"), case["n"].as_u64().expect("a count"));
        let (low, high) =
            wilson(k / n as f64, n as usize, case["confidence"].as_f64().expect("a share")).expect("n > 0");
        assert_close(low, case["low"].as_f64().expect("a bound"), &case.to_string());
        assert_close(high, case["high"].as_f64().expect("a bound"), &case.to_string());
    }
}

#[test]
fn mcnemar_agrees_with_scipys_binomial_test() {
    for case in cases("mcnemar") {
        let p = mcnemar_exact(case["b"].as_u64().expect("a count"), case["c"].as_u64().expect("a count"));
        assert_close(p, case["p"].as_f64().expect("a probability"), &case.to_string());
    }
}

#[test]
fn quantiles_agree_with_numpy() {
    for case in cases("quantile") {
        let mut values = floats(&case["values"]);
        values.sort_by(f64::total_cmp);
        let found = quantile(&values, case["q"].as_f64().expect("a share")).expect("values");
        assert_close(found, case["expect"].as_f64().expect("a number"), &case.to_string());
    }
}

#[test]
fn normal_quantiles_agree_with_scipy() {
    for case in cases("normal_quantile") {
        let found = normal_quantile(case["p"].as_f64().expect("a probability"));
        assert_close(found, case["z"].as_f64().expect("a number"), &case.to_string());
    }
}
