//! Lists, metrics and deletion.

use crate::fixture::{START, ended, finished, header, instances, model, record};
use puma_core::{EventSink as _, RunId, RunStatus, Timestamp};
use puma_store::{MetricRow, RunFilter, Store, StoreError, parse_since};

fn begin(store: &Store, run_id: &str, minutes: i64, scenario: &str, models: &[&str]) {
    let mut head = header(run_id, 2);
    head.started_at = Timestamp(START.0 + minutes * 60_000);
    head.scenario = scenario.to_owned();
    head.models = models.iter().map(|name| model(name)).collect();
    store.recorder().start(&head, &instances(2), false).unwrap();
}

fn three_runs() -> Store {
    let store = Store::memory().unwrap();
    begin(&store, "triage-old", 0, "triage_jira", &["a:1b"]);
    begin(&store, "effort", 1, "estimation_tawos", &["b:1b", "a:1b"]);
    begin(&store, "triage-new", 2, "triage_jira", &["b:1b"]);
    store
}

fn ids(store: &Store, filter: &RunFilter) -> Vec<String> {
    store.list_runs(filter).unwrap().into_iter().map(|run| run.run_id).collect()
}

fn metric(name: &str, scope: &str, value: f64) -> MetricRow {
    MetricRow {
        name: name.to_owned(),
        scope: scope.to_owned(),
        model: None,
        strategy: None,
        perturbation: None,
        subgroup: None,
        value,
        ci_low: Some(value - 0.125),
        ci_high: None,
        n: Some(200),
        unit: Some("1".to_owned()),
    }
}

#[test]
fn filters_apply_before_the_limit() {
    let store = three_runs();
    let all = RunFilter::default();
    assert_eq!(ids(&store, &all), ["triage-new", "effort", "triage-old"], "newest first");
    assert_eq!(ids(&store, &RunFilter { last_n: Some(2), ..all.clone() }), ["triage-new", "effort"]);
    let model = |name: &str| RunFilter { model: Some(name.to_owned()), ..all.clone() };
    assert_eq!(ids(&store, &model("a:1b")), ["effort", "triage-old"], "the second of two models counts");
    assert_eq!(ids(&store, &RunFilter { last_n: Some(1), ..model("a:1b") }), ["effort"]);
    assert_eq!(ids(&store, &model("a:1")), Vec::<String>::new(), "no part of a name");
    let scenario = RunFilter { scenario: Some("triage_jira".to_owned()), ..all.clone() };
    assert_eq!(ids(&store, &scenario), ["triage-new", "triage-old"]);
    assert_eq!(ids(&store, &RunFilter { scenario: Some("triage".to_owned()), ..all.clone() }), Vec::<String>::new());
    let since = RunFilter { since: Some(Timestamp(START.0 + 60_000)), ..all.clone() };
    assert_eq!(ids(&store, &since), ["triage-new", "effort"], "the moment itself counts");
    let status = RunFilter { status: Some(RunStatus::Done), ..all };
    assert_eq!(ids(&store, &status), Vec::<String>::new());
}

#[test]
fn a_summary_counts_jobs_and_shows_no_made_up_headline() {
    let store = three_runs();
    let effort = RunId::new("effort");
    let mut recorder = store.recorder();
    let mut head = header("effort", 2);
    head.scenario = "estimation_tawos".to_owned();
    head.models = vec![model("b:1b"), model("a:1b")];
    recorder.start(&head, &instances(2), true).unwrap();
    recorder.emit(&finished("effort", record(0))).unwrap();
    recorder.emit(&finished("effort", crate::fixture::failed_record(1))).unwrap();
    recorder.emit(&ended("effort", RunStatus::Incomplete)).unwrap();
    let summary = || store.list_runs(&RunFilter { last_n: Some(2), ..RunFilter::default() }).unwrap().remove(1);
    assert_eq!((summary().jobs, summary().jobs_finished, summary().status.as_str()), (2, 1, "incomplete"));
    assert_eq!(summary().models, ["b:1b", "a:1b"], "in the order of the spec");

    let per_model = |value| MetricRow { model: Some("a:1b".to_owned()), ..metric("mae", "per_model", value) };
    let perturbed = MetricRow { perturbation: Some("typos".to_owned()), ..metric("mae", "per_model", 9.0) };
    store.save_metrics(&effort, &[per_model(2.5), perturbed.clone()], START).unwrap();
    assert_eq!((summary().mae, summary().mae_sp), (Some(2.5), Some(2.5)), "the only unperturbed one");
    store.save_metrics(&effort, &[per_model(2.5), per_model(3.5), perturbed], START).unwrap();
    assert_eq!(summary().mae, None, "two models have no common number");
    store.save_metrics(&effort, &[per_model(2.5), per_model(3.5), metric("mae", "global", 3.0)], START).unwrap();
    assert_eq!(summary().mae, Some(3.0));
    assert_eq!(summary().accuracy, None);
    let accuracy = MetricRow { name: "accuracy".to_owned(), ..per_model(0.75) };
    store.save_metrics(&effort, &[accuracy, metric("mae", "global", 3.0)], START).unwrap();
    assert_eq!((summary().accuracy, summary().mae), (Some(0.75), Some(3.0)));
    assert_eq!((summary().f1_macro, summary().parse_failure_rate), (None, None));
}

#[test]
fn metrics_are_read_back_as_saved_and_replaced_as_a_whole() {
    let store = three_runs();
    let run_id = RunId::new("effort");
    let mut rows = vec![metric("mae", "global", 0.1 + 0.2), metric("confusion", "per_group", -1e-300)];
    rows[1].subgroup = Some("CORE".to_owned());
    rows[1].n = None;
    store.save_metrics(&run_id, &rows, START).unwrap();
    assert_eq!(store.metrics(&run_id).unwrap(), rows);
    rows.reverse();
    store.save_metrics(&run_id, &rows, START).unwrap();
    assert_eq!(store.metrics(&run_id).unwrap(), rows);

    rows.push(metric("broken", "global", f64::NAN));
    let error = store.save_metrics(&run_id, &rows, START).unwrap_err();
    assert_eq!(error.to_string(), "metric broken of run effort is not a number and cannot be stored");
    assert_eq!(store.metrics(&run_id).unwrap().len(), 2, "the old ones stay");
    assert!(matches!(store.save_metrics(&RunId::new("none"), &[], START), Err(StoreError::RunNotFound { .. })));
}

#[test]
fn since_reads_hours_days_and_dates() {
    let now = Timestamp(START.0);
    for (text, moment) in [
        ("24h", Timestamp(START.0 - 86_400_000)),
        ("7d", Timestamp(START.0 - 7 * 86_400_000)),
        ("0h", now),
        ("2026-05-31T09:14:17.225Z", now),
    ] {
        assert_eq!(parse_since(text, now).unwrap(), moment, "{text}");
    }
    for text in ["", "h", "-3h", "3w", "1.5d", "soon", "99999999999d"] {
        let error = parse_since(text, now).unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` is not a time"));
        assert!(error.hint().is_some());
    }
}
