//! A run that was cut goes on, if it is the same run and nobody else is at it.

use crate::fixture::{ended, failed_record, finished, header, instances, model, record, resumed, started};
use proptest::prelude::*;
use puma_core::{EventSink as _, JobId, JobRecord, Outcome, RunHeader, RunId, RunStatus, Timestamp};
use puma_store::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let straight = Store::memory().unwrap();
    let mut recorder = straight.recorder();
    recorder.emit(&started("a", 4)).unwrap();
    for index in 0..4 {
        recorder.emit(&finished("a", record(index))).unwrap();
    }
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();

    let cut = Store::memory().unwrap();
    let mut recorder = cut.recorder();
    recorder.emit(&started("a", 4)).unwrap();
    recorder.emit(&finished("a", record(2))).unwrap();
    recorder.emit(&finished("a", failed_record(1))).unwrap();
    recorder.emit(&ended("a", RunStatus::Interrupted)).unwrap();
    assert_eq!(cut.load_run(&RunId::new("a")).unwrap().status, RunStatus::Interrupted);
    let mut recorder = cut.recorder();
    recorder.emit(&resumed("a", 4)).unwrap();
    assert_eq!(cut.load_run(&RunId::new("a")).unwrap().finished_at, None);
    let done = cut.finished_jobs(&RunId::new("a")).unwrap();
    for index in (0..4).filter(|index| !done.contains(&record(*index).job_id)) {
        recorder.emit(&finished("a", record(index))).unwrap();
    }
    recorder.emit(&ended("a", RunStatus::Done)).unwrap();

    let mut resumed = cut.load_run(&RunId::new("a")).unwrap();
    assert_eq!(resumed.resumed_count, 1);
    resumed.resumed_count = 0;
    assert_eq!(resumed, straight.load_run(&RunId::new("a")).unwrap());
}

/// One step of a run's life.
#[derive(Clone, Debug)]
enum Step {
    Answer(usize),
    Fail(usize),
    /// The process ends, with or without a word, and another one goes on.
    Restart {
        politely: bool,
    },
}

const JOBS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..JOBS).prop_map(Step::Answer),
        (0..JOBS).prop_map(Step::Fail),
        any::<bool>().prop_map(|politely| Step::Restart { politely }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_life_of_a_run_ends_as_a_plain_map_says(steps in proptest::collection::vec(step(), 0..25)) {
        let store = Store::memory().unwrap();
        let run_id = RunId::new("a");
        let mut recorder = store.recorder();
        recorder.emit(&started("a", JOBS)).unwrap();
        // What a map without a database would hold: the answer once there is one, else the last failure.
        let mut expected: BTreeMap<usize, JobRecord> = BTreeMap::new();
        let (mut failures, mut restarts) = (0, 0);
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Answer(index) => {
                    recorder.emit(&finished("a", record(index))).unwrap();
                    expected.insert(index, record(index));
                }
                Step::Fail(index) => {
                    let failure = JobRecord { error: Some(format!("failure {number}")), ..failed_record(index) };
                    recorder.emit(&finished("a", failure.clone())).unwrap();
                    failures += 1;
                    if expected.get(&index) != Some(&record(index)) {
                        expected.insert(index, failure);
                    }
                }
                Step::Restart { politely } => {
                    if politely {
                        recorder.emit(&ended("a", RunStatus::Interrupted)).unwrap();
                    }
                    recorder = store.recorder();
                    recorder.emit(&resumed("a", JOBS)).unwrap();
                    restarts += 1;
                }
            }
        }
        let run = store.load_run(&run_id).unwrap();
        prop_assert_eq!(&run.records, &expected.values().cloned().collect::<Vec<_>>());
        prop_assert_eq!((run.resumed_count, store.job_failures(&run_id).unwrap().len()), (restarts, failures));
        let answered: BTreeSet<JobId> =
            expected.values().filter(|each| each.outcome == Outcome::Answered).map(|each| each.job_id.clone()).collect();
        prop_assert_eq!(store.finished_jobs(&run_id).unwrap(), answered);
    }
}

#[test]
fn every_change_that_matters_is_named_and_the_rest_may_change() {
    let store = Store::memory().unwrap();
    store.recorder().emit(&started("a", 2)).unwrap();

    let mut harmless = header("a", 2);
    harmless.started_at = Timestamp(0);
    harmless.puma_version = "9.9.9".to_owned();
    harmless.machine = serde_json::json!({});
    harmless.profile = None;
    harmless.backend.threads = Some(64);
    harmless.backend.simd = Some("neon".to_owned());
    harmless.backend.version = Some("9.9.9".to_owned());
    store.recorder().start(&harmless, &instances(2), true).unwrap();

    type Change = fn(&mut RunHeader);
    let changes: [(Change, &str); 10] = [
        (|h| h.spec_hash = puma_core::SpecHash::new("ffff"), "spec hash was 83ec5feaa8df4844, now ffff"),
        (|h| h.dataset.sha256 = "00".to_owned(), "dataset hash was "),
        (
            |h| h.backend.settings = BTreeMap::from([("think".to_owned(), "true".to_owned())]),
            "backend setting think was false",
        ),
        (|h| h.models[0].digest = Some("sha256:1".to_owned()), "digest of model smollm2:135m was sha256:"),
        (|h| h.models[0].context_length = None, "context length of model smollm2:135m was 2048, now unknown"),
        (|h| h.models.push(model("other")), "model other was not asked before"),
        (|h| h.models.clear(), "model smollm2:135m is not asked any more"),
        (|h| h.backend.numerics = Some("N2".to_owned()), "numerics contract was N1, now N2"),
        (|h| h.templates.clear(), "hash of template triage/zero-shot was "),
        (|h| h.jobs = 3, "number of jobs was 2, now 3"),
    ];
    for (change, sentence) in changes {
        let mut changed = header("a", 2);
        change(&mut changed);
        let error = store.recorder().start(&changed, &instances(2), true).unwrap_err();
        let StoreError::RunDiffers { differences, .. } = &error else { panic!("{error}") };
        assert!(differences.len() == 1 && differences[0].starts_with(sentence), "{differences:?}");
        assert!(error.to_string().contains(sentence));
    }

    let mut rows = instances(2);
    rows[1].gold = "Trivial".to_owned();
    let error = store.recorder().start(&header("a", 2), &rows, true).unwrap_err();
    assert!(error.to_string().ends_with("instance ISSUE-1 has other content"), "{error}");
    let error = store.recorder().start(&header("a", 2), &instances(9), true).unwrap_err();
    assert!(error.to_string().ends_with("instance ISSUE-4 is new; 4 more instances differ"), "{error}");
}

#[test]
fn only_an_existing_run_can_be_resumed() {
    let store = Store::memory().unwrap();
    store.recorder().emit(&started("smoke__1", 1)).unwrap();
    let error = store.recorder().emit(&resumed("smoke__2", 1)).unwrap_err();
    assert!(error.message.starts_with("no run is called `smoke__2`"), "{}", error.message);
    assert_eq!(error.hint.as_deref(), Some("did you mean smoke__1?"));
}

#[test]
fn a_run_has_one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("puma.db");
    let (here, there) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let run_id = RunId::new("a");
    let mut first = here.recorder();
    first.emit(&started("a", 2)).unwrap();
    assert_eq!(there.writer_of(&run_id), Some(format!("process {}", std::process::id())));
    let mut second = there.recorder();
    let error = second.emit(&resumed("a", 2)).unwrap_err();
    assert_eq!(error.message, format!("run a is being written by process {}", std::process::id()));
    assert!(error.hint.is_some());
    assert!(there.delete_run(&run_id).is_err(), "a run that is being written is not deleted");
    there.recorder().emit(&started("b", 1)).expect("another run may be written meanwhile");

    drop(first);
    assert_eq!(there.writer_of(&run_id), None);
    second.emit(&resumed("a", 2)).unwrap();
    second.emit(&ended("a", RunStatus::Done)).unwrap();
    assert_eq!(there.writer_of(&run_id), None, "the end of the run frees it");
}

#[test]
fn runs_are_found_by_beginning_and_the_nearest_are_suggested() {
    let store = Store::memory().unwrap();
    assert!(matches!(store.find_run("latest"), Err(StoreError::NoRuns { .. })));
    for (offset, run_id) in ["triage__aa__1", "triage__ab__2", "effort__cc__3"].into_iter().enumerate() {
        let mut head = header(run_id, 1);
        head.started_at = Timestamp(head.started_at.0 + offset as i64);
        store.recorder().start(&head, &instances(1), false).unwrap();
    }
    for (wanted, run_id) in [
        ("triage__aa__1", "triage__aa__1"),
        ("triage__ab", "triage__ab__2"),
        ("e", "effort__cc__3"),
        ("latest", "effort__cc__3"),
    ] {
        assert_eq!(store.find_run(wanted).unwrap().as_str(), run_id);
    }
    let error = store.find_run("triage").unwrap_err();
    assert_eq!(error.to_string(), "`triage` is the beginning of 2 run ids");
    assert_eq!(error.hint().as_deref(), Some("type more of it: triage__ab__2, triage__aa__1"));
    let error = store.find_run("trigae__aa").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean triage__aa__1 or triage__ab__2?"));
    let error = store.find_run("cc__3").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean effort__cc__3?"));
    for nothing in ["", "%", "zzzzzzzz"] {
        assert_eq!(store.find_run(nothing).unwrap_err().hint().as_deref(), Some("see `puma list-runs`"));
    }
}
