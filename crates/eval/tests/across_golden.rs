//! Robustness, fairness and stability against NumPy, SciPy, scikit-learn and krippendorff (`scripts/golden/across.py`).

mod metric_records;
mod oracle;

use metric_records::{Records, assert_close};
use oracle::Oracle;
use puma_core::{InstanceId, JobRecord, Outcome};
use puma_eval::metric::{self, Family, MetricReport, Options, Task, resolve, stability_score};
use puma_eval::stats::Bootstrap;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const LABELS: [&str; 4] = ["Critical", "Major", "Minor", "Trivial"];

fn cases(name: &str) -> Vec<Value> {
    static ORACLE: OnceLock<Oracle> = OnceLock::new();
    ORACLE.get_or_init(|| Oracle::of("across", include_str!("golden/across.json"))).cases(name, 6)
}

fn texts(value: &Value) -> Vec<Option<String>> {
    let text = |item: &Value| match item {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    value.as_array().expect("a list").iter().map(text).collect()
}

fn form(gold: &Value, answers: &Value, perturbation: Option<&str>) -> Vec<JobRecord> {
    let golds: Vec<String> = texts(gold).into_iter().flatten().collect();
    let mut records = Records::new(&golds, &texts(answers)).records;
    records.iter_mut().for_each(|record| record.perturbation = perturbation.map(str::to_owned));
    records
}

fn options(resamples: u32) -> Options {
    Options { bootstrap: Bootstrap { resamples, seed: 3, confidence: 0.95 }, ..Options::default() }
}

fn compute(task: &Task, records: &[JobRecord], resamples: u32) -> MetricReport {
    metric::compute(task, records, &options(resamples)).expect("the right answers fit")
}

/// Every expected value is there, and no value that must be undefined.
fn assert_expected(report: &MetricReport, expected: &Value, known: &[&str], place: &str) {
    let expected = expected.as_object().expect("names and values");
    let found: BTreeMap<&str, f64> =
        report.across.metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect();
    for name in known {
        let place = format!("{place}: {name}");
        match (expected.get(*name), found.get(name)) {
            (Some(value), Some(found)) => assert_close(*found, value.as_f64().expect("a number"), &place),
            (None, None) => {}
            (value, found) => panic!("{place}: {found:?}, expected {value:?}"),
        }
    }
    assert!(expected.keys().all(|name| known.contains(&name.as_str())), "{place}: {expected:?}");
}

#[test]
fn robustness_of_labels_equals_scikit_learn_on_both_sides() {
    const KNOWN: [&str; 11] = [
        "robustness.p_holm",
        "robustness.delta.accuracy",
        "robustness.delta.f1_macro",
        "robustness.delta.coverage",
        "robustness.flip_rate",
        "robustness.consistency",
        "robustness.mcnemar_p",
        "robustness.worst_case_accuracy",
        "robustness.score.accuracy",
        "robustness.flips_to_correct",
        "robustness.flips_to_wrong",
    ];
    for (index, case) in cases("labels").iter().enumerate() {
        let mut records = form(&case["gold"], &case["base"], None);
        records.extend(form(&case["gold"], &case["other"], Some("typos_5pct")));
        let report = compute(&Task::classification(LABELS), &records, 0);
        assert_expected(&report, &case["expect"], &KNOWN, &format!("case {index}"));
    }
}

#[test]
fn robustness_of_numbers_equals_numpy_over_the_pairs_answered_on_both_sides() {
    const KNOWN: [&str; 8] = [
        "robustness.p_holm",
        "robustness.wilcoxon_p",
        "robustness.flip_rate",
        "robustness.delta.coverage",
        "robustness.delta.mae",
        "robustness.mean_change",
        "robustness.mean_absolute_change",
        "robustness.worst_case_mae",
    ];
    for (index, case) in cases("numbers").iter().enumerate() {
        let mut records = form(&case["gold"], &case["base"], None);
        records.extend(form(&case["gold"], &case["other"], Some("case_upper")));
        let report = compute(&Task::regression(Vec::<String>::new()), &records, 0);
        assert_expected(&report, &case["expect"], &KNOWN, &format!("case {index}"));
    }
}

#[test]
fn parts_have_their_accuracy_and_only_large_ones_set_the_gap() {
    let mut without_gap = 0;
    for (index, case) in cases("parts").iter().enumerate() {
        let mut records = form(&case["gold"], &case["answers"], None);
        for (record, part) in records.iter_mut().zip(texts(&case["parts"])) {
            record.group = part;
        }
        let report = compute(&Task::classification(LABELS), &records, 0);
        let found = report.across.fairness.iter().find(|division| division.division == "project").expect("projects");
        assert_close(found.overall.expect("records"), case["overall"].as_f64().unwrap(), "overall");
        for part in &found.parts {
            let expected = case["accuracy"][&part.part].as_f64().expect("the part is known");
            assert_close(part.value.expect("records"), expected, &format!("case {index}: {}", part.part));
            assert_close(part.disparity.unwrap(), (expected - found.overall.unwrap()).abs(), "disparity");
            assert_eq!(part.in_gap, part.instances >= 10);
        }
        assert_eq!(found.gap.is_some(), !case["gap"].is_null(), "case {index}");
        if let Some(gap) = found.gap {
            assert_close(gap, case["gap"].as_f64().unwrap(), &format!("case {index}: gap"));
            assert_eq!(found.worst.as_deref(), case["worst"].as_str(), "case {index}");
        } else {
            without_gap += 1;
        }
    }
    assert!(without_gap < 40, "no case has a gap");
}

#[test]
fn the_chance_of_a_gap_is_near_that_of_all_deals() {
    for case in cases("deals") {
        let right = |value: &Value| value.as_f64() == Some(1.0);
        let hits: Vec<(bool, &str)> = [("first", "a"), ("second", "b")]
            .iter()
            .flat_map(|(side, part)| case[side].as_array().unwrap().iter().map(move |value| (right(value), *part)))
            .collect();
        let golds = vec!["Major"; hits.len()];
        let answers: Vec<Option<&str>> =
            hits.iter().map(|(hit, _)| Some(if *hit { "Major" } else { "Minor" })).collect();
        let mut records = Records::new(&golds, &answers).records;
        for (record, (_, part)) in records.iter_mut().zip(&hits) {
            record.group = Some((*part).to_owned());
        }
        let report = compute(&Task::classification(LABELS), &records, 20_000);
        let division = report.across.fairness.iter().find(|division| division.division == "project").unwrap();
        let (found, exact) = (division.gap_p.unwrap(), case["p"].as_f64().unwrap());
        // Five standard errors of 20,000 deals: fresh cases come with every run, and none may fail by chance.
        assert!(
            (found - exact).abs() <= 5.0 * (exact * (1.0 - exact) / 20_000.0).sqrt() + 1e-4,
            "{found}, exactly {exact}"
        );
    }
}

fn repeated(case: &Value, gold: &str) -> Vec<JobRecord> {
    let mut records = Vec::new();
    for (index, row) in case["rows"].as_array().expect("a list").iter().enumerate() {
        for (repeat, answer) in texts(row).into_iter().enumerate() {
            let mut record = Records::new(&[gold], std::slice::from_ref(&answer)).records.remove(0);
            record.instance_id = InstanceId::new(format!("I-{index}"));
            record.repeat = repeat as u32;
            if answer.as_deref() == Some("failed") {
                (record.outcome, record.answer) = (Outcome::BackendFailed, None);
            }
            records.push(record);
        }
    }
    records
}

#[test]
fn agreement_of_repetitions_equals_krippendorffs_alpha() {
    let tasks = [
        ("repeated_labels", Task::classification(LABELS), "Major", "stability.alpha"),
        ("repeated_numbers", Task::regression(Vec::<String>::new()), "5", "stability.alpha_interval"),
    ];
    for (name, task, gold, alpha) in tasks {
        let known = ["stability.all_equal", "stability.pairwise_agreement", alpha];
        for (index, case) in cases(name).iter().enumerate() {
            let report = compute(&task, &repeated(case, gold), 0);
            assert_expected(&report, &case["expect"], &known, &format!("{name} {index}"));
        }
    }
}

#[test]
fn stability_of_a_score_is_upstreams() {
    for case in cases("spreads") {
        let values: Vec<f64> = case["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        assert_close(stability_score(&values).unwrap(), case["stability"].as_f64().unwrap(), &format!("{values:?}"));
    }
    assert_eq!(stability_score(&[]), None);
    assert_eq!(stability_score(&[0.0, 0.0]), Some(1.0));
    assert_eq!(stability_score(&[-1.0, 1.0]), Some(0.0));
}

#[test]
fn upstreams_names_of_these_families_still_answer() {
    for (name, family) in [
        ("robustness_score", Family::Robustness),
        ("consistency_rate", Family::Robustness),
        ("flip_rate", Family::Robustness),
        ("disparity", Family::Fairness),
        ("fairness_gap", Family::Fairness),
        ("stability", Family::Stability),
        ("gco2_per_f1_point", Family::Sustainability),
        ("gco2_per_mae_unit", Family::Sustainability),
    ] {
        assert_eq!(resolve(name).expect("it is in the table").0.families, [family], "{name}");
    }
}
