//! Events become rows.

use crate::fixture::{completion, ended, failed_record, finished, header, instances, record, started};
use puma_core::{EventSink as _, InstanceId, JobId, Origin, Outcome, RunId, RunStatus, SpecHash, Timestamp};
use puma_store::Store;
use std::collections::BTreeSet;

#[test]
fn a_run_is_read_back_as_it_was_emitted() {
    let store = Store::memory().unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 3)).unwrap();
    for index in [2, 0, 1] {
        recorder.emit(&finished("a", record(index))).unwrap();
    }
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();

    let run = store.load_run(&RunId::new("a")).unwrap();
    assert_eq!(run.header, header("a", 3));
    assert_eq!(run.instances, instances(3));
    assert_eq!(run.records, vec![record(0), record(1), record(2)], "in the order of the plan, not of finishing");
    assert_eq!((run.status, run.origin, run.resumed_count), (RunStatus::Done, Origin::Puma, 0));
    assert_eq!(run.finished_at.map(Timestamp::rfc3339).as_deref(), Some("2026-05-31T09:15:17.225Z"));
}

#[test]
fn a_success_replaces_a_failure_and_the_failure_stays_on_record() {
    let store = Store::memory().unwrap();
    let run_id = RunId::new("a");
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 1)).unwrap();
    let mut partly = failed_record(0);
    partly.completions = vec![completion("first vote", -0.5)];
    recorder.emit(&finished("a", partly.clone())).unwrap();
    recorder.emit(&finished("a", failed_record(0))).unwrap();
    assert_eq!(store.load_run(&run_id).unwrap().records, vec![failed_record(0)]);
    assert_eq!(store.finished_jobs(&run_id).unwrap(), BTreeSet::new());

    recorder.emit(&finished("a", record(0))).unwrap();
    assert_eq!(store.load_run(&run_id).unwrap().records, vec![record(0)]);
    assert_eq!(store.finished_jobs(&run_id).unwrap(), BTreeSet::from([record(0).job_id]));
    let failures = store.job_failures(&run_id).unwrap();
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0].completions, partly.completions);
    assert_eq!(failures[1].error.as_deref(), Some("the server answered 503"));

    recorder.emit(&finished("a", failed_record(0))).unwrap();
    assert_eq!(store.load_run(&run_id).unwrap().records, vec![record(0)], "a later failure takes no answer away");
}

#[test]
fn the_same_record_again_is_accepted_and_another_answer_is_not() {
    let store = Store::memory().unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 1)).unwrap();
    recorder.emit(&finished("a", record(0))).unwrap();
    recorder.emit(&finished("a", record(0))).unwrap();
    let mut other = record(0);
    other.answer = Some("Minor".to_owned());
    let error = recorder.emit(&finished("a", other)).unwrap_err();
    assert!(error.message.ends_with("it has another answer already"), "{}", error.message);
    assert_eq!(store.load_run(&RunId::new("a")).unwrap().records, vec![record(0)]);
}

#[test]
fn a_job_of_an_undeclared_instance_or_run_is_refused() {
    let store = Store::memory().unwrap();
    let mut recorder = store.recorder();
    let error = recorder.emit(&finished("a", record(0))).unwrap_err();
    assert_eq!(error.message, "run a was not begun by this process, so nothing can be recorded for it");
    recorder.emit(&started("a", 1)).unwrap();
    let error = recorder.emit(&finished("a", record(5))).unwrap_err();
    assert!(error.message.ends_with("the run has no instance ISSUE-5"), "{}", error.message);
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();
    assert!(recorder.emit(&finished("a", record(0))).is_err(), "nothing comes after the end");
}

#[test]
fn a_probability_that_is_not_a_number_is_refused_before_it_is_lost() {
    let store = Store::memory().unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 1)).unwrap();
    let mut broken = record(0);
    broken.confidence = Some(f64::NAN);
    let error = recorder.emit(&finished("a", broken)).unwrap_err();
    assert!(error.message.ends_with("a probability is not a number"), "{}", error.message);
}

#[test]
fn two_runs_may_use_one_instance_id_for_different_things() {
    let store = Store::memory().unwrap();
    for (run_id, gold) in [("a", "Major"), ("b", "Minor")] {
        let mut rows = instances(1);
        rows[0].gold = gold.to_owned();
        rows[0].fields = serde_json::json!({"title": run_id});
        let mut recorder = store.recorder();
        recorder.start(&header(run_id, 1), &rows, false).unwrap();
        recorder.emit(&finished(run_id, record(0))).unwrap();
        assert_eq!(store.load_run(&RunId::new(run_id)).unwrap().instances, rows);
    }
    assert_eq!(store.load_run(&RunId::new("a")).unwrap().instances[0].gold, "Major", "the first run keeps its own");
}

#[test]
fn run_ids_of_one_second_get_numbers() {
    let store = Store::memory().unwrap();
    let allocate =
        || store.allocate_run_id("smoke", &SpecHash::new("83ec5feaa8df4844"), crate::fixture::START).unwrap();
    let first = allocate();
    assert_eq!(first.as_str(), "smoke__83ec5feaa8df4844__20260531T091417");
    store.recorder().emit(&started(first.as_str(), 1)).unwrap();
    assert_eq!(allocate().as_str(), "smoke__83ec5feaa8df4844__20260531T091417-2");
    assert_eq!(allocate().as_str(), "smoke__83ec5feaa8df4844__20260531T091417-3", "reserved ids count as taken");
    let error = store.recorder().emit(&started(first.as_str(), 1)).unwrap_err();
    assert_eq!(error.message, format!("run {first} exists already"));
}

#[test]
fn every_outcome_is_kept() {
    let store = Store::memory().unwrap();
    let mut recorder = store.recorder();
    recorder.emit(&started("a", 6)).unwrap();
    let mut expected = Vec::new();
    for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
        let mut each = record(index);
        each.outcome = outcome;
        recorder.emit(&finished("a", each.clone())).unwrap();
        expected.push(each);
    }
    assert_eq!(store.load_run(&RunId::new("a")).unwrap().records, expected);
    let unfinished: BTreeSet<JobId> = store.finished_jobs(&RunId::new("a")).unwrap();
    assert_eq!(unfinished.len(), 5, "all but the backend's failure");
}

#[test]
fn records_come_in_one_order_whatever_the_order_of_finishing() {
    let mut all = Vec::new();
    for index in 0..3 {
        for (model, perturbation, repeat) in
            [("a", None, 0), ("a", None, 1), ("a", Some("typos"), 0), ("b", None, 0), ("b", Some("noise"), 0)]
        {
            let mut each = record(index);
            each.job_id = JobId::new(format!("{index}{model}{perturbation:?}{repeat}"));
            each.instance_id = InstanceId::new(format!("ISSUE-{index}"));
            each.model = model.to_owned();
            each.perturbation = perturbation.map(str::to_owned);
            each.repeat = repeat;
            all.push(each);
        }
    }
    let mut orders = vec![all.clone(), all.iter().rev().cloned().collect()];
    orders.push(all.iter().step_by(2).chain(all.iter().skip(1).step_by(2)).cloned().collect());
    for order in orders {
        let store = Store::memory().unwrap();
        let mut recorder = store.recorder();
        recorder.emit(&started("a", 3)).unwrap();
        for each in order {
            recorder.emit(&finished("a", each)).unwrap();
        }
        assert_eq!(store.load_run(&RunId::new("a")).unwrap().records, all);
    }
}
