//! The ledger of speeds and the qualities across runs.

use crate::fixture::{START, ended, finished, record, started};
use puma_core::{EventSink as _, RunId, RunStatus, Timestamp};
use puma_store::{MetricRow, SpeedRow, Store, StoreError};
use serde_json::json;

fn with_runs(ids: &[&str]) -> Store {
    let store = Store::memory().unwrap();
    for id in ids {
        let mut recorder = store.recorder();
        recorder.emit(&started(id, 1)).unwrap();
        recorder.emit(&finished(id, record(0))).unwrap();
        recorder.emit(&ended(id, RunStatus::Done)).unwrap();
    }
    store
}

fn row(run_id: &str, machine_key: &str, phase: &str, at: i64) -> SpeedRow {
    SpeedRow {
        run_id: RunId::new(run_id),
        model: "smollm2:135m".to_owned(),
        phase: phase.to_owned(),
        machine_key: machine_key.to_owned(),
        backend: "embedded".to_owned(),
        digest: Some("sha256:00".to_owned()),
        sequences: 8,
        tokens: 640,
        predicted_tokens_per_s: Some(100.0),
        predicted_low: Some(70.0),
        predicted_high: None,
        measured_tokens_per_s: 87.25,
        measured_at: Timestamp(START.0 + at),
        observation: json!({"phase": phase, "layers": 30}),
    }
}

#[test]
fn speeds_come_back_as_they_were_saved_oldest_first_and_by_machine() {
    let store = with_runs(&["a", "b", "c"]);
    let (first, second) = (row("b", "m1", "decode", 0), row("a", "m1", "decode", 5000));
    store.save_speeds(&RunId::new("a"), std::slice::from_ref(&second)).unwrap();
    store.save_speeds(&RunId::new("b"), std::slice::from_ref(&first)).unwrap();
    store.save_speeds(&RunId::new("c"), &[row("c", "m2", "decode", 0)]).unwrap();
    assert_eq!(store.speeds("m1").unwrap(), [first, second]);
    assert!(store.speeds("nobody's").unwrap().is_empty());
}

#[test]
fn saving_again_replaces_the_runs_rows_and_deleting_the_run_takes_them() {
    let store = with_runs(&["a"]);
    let run_id = RunId::new("a");
    store.save_speeds(&run_id, &[row("a", "m1", "decode", 0), row("a", "m1", "prefill", 0)]).unwrap();
    store.save_speeds(&run_id, &[row("a", "m1", "decode", 7)]).unwrap();
    assert_eq!(store.speeds("m1").unwrap(), [row("a", "m1", "decode", 7)]);
    store.delete_run(&run_id).unwrap();
    assert!(store.speeds("m1").unwrap().is_empty());
    let unknown = store.save_speeds(&run_id, &[]);
    assert!(matches!(unknown, Err(StoreError::RunNotFound { .. })));
}

#[test]
fn qualities_are_those_of_finished_runs_and_of_whole_models() {
    let store = with_runs(&["a", "b"]);
    let mut recorder = store.recorder();
    recorder.emit(&started("c", 1)).unwrap();
    recorder.emit(&ended("c", RunStatus::Interrupted)).unwrap();
    let metric = |name: &str, scope: &str, perturbation: Option<&str>| MetricRow {
        name: name.to_owned(),
        scope: scope.to_owned(),
        model: Some("tiny".to_owned()),
        strategy: Some("zero_shot".to_owned()),
        perturbation: perturbation.map(str::to_owned),
        subgroup: None,
        value: 0.5,
        ci_low: Some(0.4),
        ci_high: Some(0.6),
        n: Some(12),
        unit: None,
    };
    let rows = [
        metric("f1_macro", "per_model", None),
        metric("f1_macro", "per_model", Some("typos")),
        metric("f1_macro", "global", None),
        metric("latency.p50", "per_model", None),
    ];
    for id in ["a", "b", "c"] {
        store.save_metrics(&RunId::new(id), &rows, START).unwrap();
    }
    let found = store.qualities(&["f1_macro", "mae"]).unwrap();
    let seen: Vec<(&str, &str, Option<u64>)> =
        found.iter().map(|row| (row.run_id.as_str(), row.metric.as_str(), row.n)).collect();
    assert_eq!(seen, [("a", "f1_macro", Some(12)), ("b", "f1_macro", Some(12))]);
    assert!(found[0].machine.is_object());
}
