//! The noise floor: zero for a backend without memory, and as large as its memory makes it for one with.

mod run_support;

use puma_core::backend::OnDone;
use puma_core::{Backend, BackendError, BackendIdentity, Cancel, Forgotten, ModelIdentity, RecordedRun, Request};
use puma_eval::cross_arch::Level;
use puma_eval::plan::Plan;
use puma_eval::selfcheck::{Before, PASSES, Pass, PassReport, ask, floor, judge_pass, skipped};
use puma_testkit::scripted::{Line, ScriptedBackend};
use run_support::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers `Major`, but `Minor` to the `odd`th question since it last forgot.
struct Remembers {
    asked: AtomicUsize,
    odd: usize,
    forgets: Forgotten,
}

impl Remembers {
    fn new(odd: usize, forgets: Forgotten) -> Self {
        Self { asked: AtomicUsize::new(0), odd, forgets }
    }
}

impl Backend for Remembers {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity { kind: "scripted".to_owned(), ..BackendIdentity::default() }
    }

    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        Ok(ModelIdentity { name: model.to_owned(), ..ModelIdentity::default() })
    }

    fn forget(&self, _model: &str) -> Result<Forgotten, BackendError> {
        self.asked.store(0, Ordering::SeqCst);
        Ok(self.forgets)
    }

    fn capacity(&self) -> usize {
        2
    }

    fn complete(&self, requests: &[Request], cancel: &Cancel, done: OnDone<'_>) {
        for (index, request) in requests.iter().enumerate() {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            let text = if number == self.odd { "Minor" } else { "Major" };
            let scripted = ScriptedBackend::from_fn(move |_| Line::say(text));
            scripted.complete(std::slice::from_ref(request), cancel, &mut |_, result| done(index, result));
        }
    }
}

fn plan_of(instances: u32) -> Plan {
    planned(&spec("triage_jira", &["zero-shot"], instances), &dataset(20)).expect("a plan")
}

fn pass(name: &str) -> &'static Pass {
    PASSES.iter().find(|pass| pass.name == name).expect("in the table")
}

/// One pass as the command runs it: forgetting first where the pass says so.
fn asked(plan: &Plan, backend: &dyn Backend, pass: &Pass) -> RecordedRun {
    if pass.before == Before::ForgetFirst {
        backend.forget("m").expect("it forgets");
    }
    let header = header(plan);
    let mut events = Vec::new();
    let clock = puma_core::SystemClock::default();
    let run = ask(plan, &header, backend, pass, &mut events, &clock, &Cancel::default()).expect("the backend is there");
    assert_eq!(events.len(), plan.jobs.len() + 2, "every event is passed on");
    run
}

fn against_reference(backend: &dyn Backend, names: &[&str]) -> Vec<PassReport> {
    let plan = plan_of(6);
    let reference = asked(&plan, backend, pass("reference"));
    names
        .iter()
        .map(|name| judge_pass(pass(name), &reference, &asked(&plan, backend, pass(name)), &plan.scenario.task()))
        .collect()
}

#[test]
fn a_backend_without_memory_has_no_noise() {
    let reports =
        against_reference(&Remembers::new(usize::MAX, Forgotten::Model), &["repeated", "shuffled", "each-fresh"]);
    let floor = floor(&reports);
    assert!(floor.zero && floor.level >= Some(Level::SameTokens), "{floor:?}");
    assert!(reports.iter().all(|report| (report.jobs, report.label_flips) == (6, 0)), "{reports:?}");
}

/// The third question of the reference is answered otherwise; warm, that was the ninth.
#[test]
fn a_backend_that_remembers_earlier_prompts_is_found_out_by_the_warm_passes_alone() {
    let reports = against_reference(&Remembers::new(3, Forgotten::Model), &["repeated", "fresh-again", "each-fresh"]);
    let flips: Vec<usize> = reports.iter().map(|report| report.label_flips).collect();
    assert_eq!(flips, [1, 0, 1], "{reports:?}");
    let floor = floor(&reports);
    assert_eq!((floor.zero, floor.label_flips, floor.token_changes), (false, 1, 1));
    assert!(floor.level < Some(Level::SameLabels));
}

#[test]
fn a_backend_that_cannot_forget_fails_the_pass_that_needs_it_and_never_counts_as_equal() {
    let reports = against_reference(&Remembers::new(usize::MAX, Forgotten::Unable), &["each-fresh"]);
    assert_eq!((reports[0].jobs, reports[0].backend_failed), (0, 6));
    assert!(!floor(&reports).zero, "nothing was compared");
}

#[test]
fn what_was_not_run_says_why_and_does_not_raise_the_floor() {
    let mut reports = against_reference(&Remembers::new(usize::MAX, Forgotten::Model), &["repeated"]);
    let before = floor(&reports);
    reports.push(skipped(pass("together"), "no reason"));
    assert_eq!((floor(&reports), reports[1].skipped.as_deref()), (before, Some("no reason")));
}
