//! Whole runs against a scripted backend, in milliseconds.

mod run_support;

use proptest::prelude::*;
use puma_core::backend::OnDone;
use puma_core::canon::sha256_hex;
use puma_core::{
    Backend, BackendError, BackendErrorKind, BackendIdentity, Cancel, Completion, CompletionCache, Forgotten,
    JobRecord, ModelIdentity, Outcome, Request, Role, RunEvent, RunStatus, TokenLogprob, TopLogprob,
};
use puma_eval::perturb;
use puma_eval::plan::Plan;
use puma_eval::run::{JobOrder, MAX_FAILURES_IN_A_ROW, RunError, predictions_summary_hash, rescore};
use puma_eval::scenario;
use puma_eval::spec::ParserMode;
use puma_testkit::scripted::{Line, ScriptedBackend};
use run_support::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A model that answers by a hash of everything it is asked, so that every request has its own fixed answer.
fn by_hash(request: &Request) -> Line {
    let question = format!("{}:{}:{:?}", request.model, request.seed, request.messages);
    let pick = usize::from_str_radix(&sha256_hex(question.as_bytes())[..4], 16).expect("hexadecimal digits");
    let answers = ["Critical", "Major", "Minor", "Trivial", "no idea", "", "Critical or Minor", "Final answer: Major"];
    let text = answers[pick % answers.len()];
    if pick.is_multiple_of(11) { Line::cut("Let me think about") } else { Line::say(text) }
}

fn whole_plan() -> Plan {
    let mut spec = spec("triage_jira", &["zero-shot", "few-shot-3", "self-consistency", "egi"], 6);
    spec.perturbations = vec!["case_upper".into()];
    spec.models = vec!["m1".into(), "m2".into()];
    spec.repeat = 2;
    planned(&spec, &dataset(20)).expect("a plan")
}

fn uninterrupted(plan: &Plan) -> Vec<JobRecord> {
    let backend = ScriptedBackend::from_fn(by_hash).with_capacity(3);
    let mut events: Vec<RunEvent> = Vec::new();
    let summary = go(plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).expect("a run");
    assert_eq!(summary.status, RunStatus::Done);
    assert_eq!(summary.outcomes.values().sum::<usize>(), plan.jobs.len());
    timeless(records(&events))
}

#[test]
fn a_whole_run_answers_every_job_once_between_its_start_and_its_end() {
    let plan = whole_plan();
    assert_eq!(plan.jobs.len(), 2 * 4 * 6 * 2 * 2);
    let backend = ScriptedBackend::from_fn(by_hash).with_capacity(4);
    let mut events: Vec<RunEvent> = Vec::new();
    let summary = go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    assert_eq!((summary.jobs, summary.finished_before), (plan.jobs.len(), 0));
    let Some(RunEvent::RunStarted { header, instances, resumed: false }) = events.first() else {
        panic!("the first event is no start")
    };
    assert_eq!((header.jobs, instances.len()), (plan.jobs.len(), 6));
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { status: RunStatus::Done, .. })));
    let ids: BTreeSet<_> = records(&events).into_iter().map(|record| record.job_id).collect();
    assert_eq!(ids.len(), plan.jobs.len());
    // Votes and turns are all asked: 1 + 1 + 5 + 2 completions an instance.
    assert_eq!(backend.asked().len(), plan.jobs.len() / 4 * 9);
    // Every outcome a model can cause occurs, and an answer is there exactly when the outcome says so.
    let outcomes: BTreeSet<Outcome> = records(&events).iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes.len(), 5, "{outcomes:?}");
    for record in records(&events) {
        assert_eq!(record.answer.is_some(), record.outcome == Outcome::Answered);
        assert_eq!(record.rule.is_some(), record.answer.is_some());
    }
}

#[test]
fn a_run_resumed_after_a_kill_at_any_point_equals_an_uninterrupted_one() {
    let plan = whole_plan();
    let expected = uninterrupted(&plan);
    for killed_after in 0..plan.jobs.len() {
        let backend = ScriptedBackend::from_fn(by_hash).with_capacity(5);
        let mut disk = FullAfter { jobs: killed_after, events: Vec::new() };
        let error = go(&plan, &BTreeSet::new(), &asker(&backend), &mut disk, &Cancel::default()).unwrap_err();
        assert!(matches!(error, RunError::Sink(_)), "{error}");
        let mut kept = records(&disk.events);
        assert_eq!(kept.len(), killed_after);
        let mut events: Vec<RunEvent> = Vec::new();
        let summary = go(&plan, &finished(&kept), &asker(&backend), &mut events, &Cancel::default()).unwrap();
        assert_eq!((summary.status, summary.finished_before), (RunStatus::Done, killed_after));
        kept.extend(records(&events));
        assert_eq!(timeless(kept), expected);
    }
}

#[test]
fn order_and_batch_size_change_no_result() {
    let plan = whole_plan();
    let expected = uninterrupted(&plan);
    for (seed, capacity) in [(1, 1), (2, 8), (3, 1000)] {
        let backend = ScriptedBackend::from_fn(by_hash).with_capacity(capacity);
        let mut asker = asker(&backend);
        asker.order = JobOrder::Shuffled(seed);
        let mut events: Vec<RunEvent> = Vec::new();
        go(&plan, &BTreeSet::new(), &asker, &mut events, &Cancel::default()).unwrap();
        let order: Vec<_> = records(&events).into_iter().map(|record| record.job_id).collect();
        assert_ne!(order, plan.jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>(), "nothing was shuffled");
        assert_eq!(predictions_summary_hash(&records(&events)), predictions_summary_hash(&expected));
        assert_eq!(timeless(records(&events)), expected);
    }
}

#[test]
fn failures_are_never_answers_and_resuming_asks_only_them_again() {
    let plan = whole_plan();
    let expected = uninterrupted(&plan);
    let count = AtomicUsize::new(0);
    let flaky = ScriptedBackend::from_fn(move |request| {
        if count.fetch_add(1, Ordering::SeqCst) % 10 < 3 {
            Line::fail(BackendErrorKind::Http, "the server answered 503")
        } else {
            by_hash(request)
        }
    });
    let mut kept: BTreeMap<_, JobRecord> = BTreeMap::new();
    let mut rounds = 0;
    loop {
        let done = finished(&kept.values().cloned().collect::<Vec<_>>());
        let mut events: Vec<RunEvent> = Vec::new();
        let summary = go(&plan, &done, &asker(&flaky), &mut events, &Cancel::default()).unwrap();
        let new = records(&events);
        assert_eq!(new.len(), plan.jobs.len() - done.len());
        for record in new {
            assert!(!done.contains(&record.job_id), "a finished job was asked again");
            if record.outcome == Outcome::BackendFailed {
                assert_eq!(record.answer, None);
                assert_eq!(record.error.as_deref(), Some("the server answered 503"));
            }
            kept.insert(record.job_id.clone(), record);
        }
        rounds += 1;
        let failed = kept.values().any(|record| record.outcome == Outcome::BackendFailed);
        assert_eq!(summary.status, if failed { RunStatus::Incomplete } else { RunStatus::Done });
        if !failed {
            break;
        }
    }
    assert!(rounds > 1);
    assert_eq!(timeless(kept.into_values().collect()), expected);
}

#[test]
fn a_server_that_is_gone_stops_the_run_early_and_leaves_it_resumable() {
    let plan = whole_plan();
    let backend = ScriptedBackend::from_fn(|_| Line::fail(BackendErrorKind::Unreachable, "no server at :1"));
    let mut events: Vec<RunEvent> = Vec::new();
    let error = go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap_err();
    assert_eq!(error.to_string(), "the run stopped after 5 failures in a row: no server at :1");
    assert!(error.hint(&puma_core::RunId::new("r1")).contains("puma run --resume r1"));
    assert_eq!(backend.asked().len(), MAX_FAILURES_IN_A_ROW);
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { status: RunStatus::Error, .. })));
    assert!(finished(&records(&events)).is_empty());
    let backend = ScriptedBackend::from_fn(by_hash);
    let mut events: Vec<RunEvent> = Vec::new();
    go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    assert_eq!(timeless(records(&events)), uninterrupted(&plan));
}

#[test]
fn failures_between_answers_do_not_stop_a_run() {
    let plan = planned(&spec("triage_jira", &["zero-shot"], 40), &dataset(40)).unwrap();
    let count = AtomicUsize::new(0);
    let backend = ScriptedBackend::from_fn(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) % 5 == 4 {
            Line::say("Minor")
        } else {
            Line::fail(BackendErrorKind::Unreachable, "gone")
        }
    });
    let mut events: Vec<RunEvent> = Vec::new();
    let summary = go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    assert_eq!(summary.outcomes, BTreeMap::from([(Outcome::Answered, 8), (Outcome::BackendFailed, 32)]));
}

#[test]
fn a_prompt_longer_than_the_context_window_is_the_models_limit_and_needs_no_resuming() {
    let plan = small_plan();
    let backend = ScriptedBackend::from_fn(|_| Line::fail(BackendErrorKind::ContextExceeded, "9000 tokens, 8192 fit"));
    let mut events: Vec<RunEvent> = Vec::new();
    let summary = go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    assert_eq!(summary.status, RunStatus::Done);
    assert_eq!(summary.outcomes, BTreeMap::from([(Outcome::Truncated, plan.jobs.len())]));
    let records = records(&events);
    assert!(records.iter().all(|record| record.answer.is_none() && record.error.is_some()));
}

#[test]
fn cancelling_keeps_what_is_finished_and_nothing_else() {
    let plan = whole_plan();
    let cancel = Cancel::default();
    let (inside, count) = (cancel.clone(), AtomicUsize::new(0));
    let backend = ScriptedBackend::from_fn(move |request| {
        if count.fetch_add(1, Ordering::SeqCst) == 6 {
            inside.cancel();
        }
        by_hash(request)
    })
    .with_capacity(4);
    let mut events: Vec<RunEvent> = Vec::new();
    let summary = go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &cancel).unwrap();
    assert_eq!(summary.status, RunStatus::Interrupted);
    assert_eq!(records(&events).len(), 7);
    assert!(records(&events).iter().all(|record| record.outcome != Outcome::BackendFailed));
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { status: RunStatus::Interrupted, .. })));
}

#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, Completion>>);

impl CompletionCache for Memory {
    fn get(&self, key: &str) -> Option<Completion> {
        self.0.borrow().get(key).cloned()
    }
    fn put(&self, key: &str, completion: &Completion) {
        self.0.borrow_mut().insert(key.to_owned(), completion.clone());
    }
}

#[test]
fn a_cached_run_asks_nothing_and_gives_the_same_predictions() {
    let plan = whole_plan();
    let cache = Memory::default();
    let backend = ScriptedBackend::from_fn(by_hash);
    let mut asker = asker(&backend);
    asker.cache = Some(&cache);
    let mut runs = Vec::new();
    for expected_hits in [0, plan.jobs.len() / 4 * 9] {
        let mut events: Vec<RunEvent> = Vec::new();
        let summary = go(&plan, &BTreeSet::new(), &asker, &mut events, &Cancel::default()).unwrap();
        assert!(summary.from_cache >= expected_hits);
        runs.push(records(&events));
    }
    let asked = backend.asked();
    assert!(asked.len() <= plan.jobs.len() / 4 * 9, "the second run asked the backend");
    assert!(runs[1].iter().flat_map(|record| &record.completions).all(|completion| completion.from_cache));
    assert_eq!(predictions_summary_hash(&runs[0]), predictions_summary_hash(&runs[1]));
}

#[test]
fn egi_is_a_conversation_and_its_last_turn_counts() {
    let plan = planned(&spec("triage_jira", &["egi"], 1), &dataset(8)).unwrap();
    let backend = ScriptedBackend::from_fn(|request| match request.messages.len() {
        1 => Line::say("Is it Critical? I assume nobody is blocked."),
        _ => Line::say("Final answer: Minor"),
    });
    let mut events: Vec<RunEvent> = Vec::new();
    go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    let asked = backend.asked();
    let roles: Vec<Role> = asked[1].messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    assert_eq!(asked[1].messages[1].content, "Is it Critical? I assume nobody is blocked.");
    assert_eq!(asked[0].max_tokens, 1024);
    let record = &records(&events)[0];
    assert_eq!((record.answer.as_deref(), record.completions.len()), (Some("Minor"), 2));
}

#[test]
fn self_consistency_asks_five_seeds_and_the_majority_counts() {
    let mut spec = spec("triage_jira", &["self-consistency"], 1);
    spec.inference.temperature = 0.7;
    spec.repeat = 2;
    let plan = planned(&spec, &dataset(8)).unwrap();
    let votes = ["Minor", "Major", "nothing", "Major", "Minor"];
    let backend = ScriptedBackend::from_fn(move |request| Line::say(votes[(request.seed as usize - 42) % 5]));
    let mut events: Vec<RunEvent> = Vec::new();
    go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    let seeds: Vec<u64> = backend.asked().iter().map(|request| request.seed).collect();
    assert_eq!(seeds, (42..52).collect::<Vec<u64>>(), "repetitions must not share seeds");
    let record = &records(&events)[0];
    assert_eq!(record.answer.as_deref(), Some("Minor"), "of two equals the one that was given first");
    assert_eq!(record.rule.as_deref(), Some("majority of votes"));
    let texts: Vec<&str> = record.completions.iter().map(|completion| completion.text.as_str()).collect();
    assert_eq!(texts, votes);
}

#[test]
fn story_points_by_vote_are_the_median() {
    let plan = planned(&spec("estimation_tawos", &["self-consistency"], 1), &dataset(8)).unwrap();
    let backend = ScriptedBackend::from_fn(|request| Line::say(["1", "8", "5", "13", "2"][request.seed as usize - 42]));
    let mut events: Vec<RunEvent> = Vec::new();
    go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
    assert_eq!(records(&events)[0].answer.as_deref(), Some("5"));
}

/// Reports the first request twice, the second never, and one it was not given.
struct Confused;

impl Backend for Confused {
    fn identity(&self) -> BackendIdentity {
        BackendIdentity::default()
    }
    fn prepare(&self, model: &str) -> Result<ModelIdentity, BackendError> {
        Ok(model_identity(model))
    }
    fn forget(&self, _model: &str) -> Result<Forgotten, BackendError> {
        Ok(Forgotten::Nothing)
    }

    fn capacity(&self) -> usize {
        2
    }
    fn complete(&self, requests: &[Request], _cancel: &Cancel, done: OnDone<'_>) {
        let Line::Say(answer) = Line::say("Minor") else { unreachable!("`say` answers") };
        done(0, Ok((*answer).clone()));
        done(0, Err(BackendError::new(BackendErrorKind::Http, "twice").into()));
        done(requests.len(), Ok(*answer));
    }
}

fn model_identity(name: &str) -> ModelIdentity {
    model(name)
}

#[test]
fn a_backend_that_breaks_its_promise_cannot_corrupt_a_run() {
    let plan = planned(&spec("triage_jira", &["zero-shot"], 4), &dataset(8)).unwrap();
    let mut events: Vec<RunEvent> = Vec::new();
    let summary = go(&plan, &BTreeSet::new(), &asker(&Confused), &mut events, &Cancel::default()).unwrap();
    assert_eq!(summary.outcomes, BTreeMap::from([(Outcome::Answered, 2), (Outcome::BackendFailed, 2)]));
    assert_eq!(summary.status, RunStatus::Incomplete);
}

#[test]
fn stored_completions_can_be_read_again_with_another_parser() {
    let triage = scenario::find("triage_jira").unwrap();
    for record in uninterrupted(&whole_plan()) {
        let same = rescore(&record, triage, ParserMode::FinalAnswer).unwrap();
        assert_eq!(same, record);
        let upstream = rescore(&record, triage, ParserMode::FirstMatch).unwrap();
        if record.strategy == "zero-shot" && record.raw_response() == "Critical or Minor" {
            assert_eq!((record.outcome, upstream.answer.as_deref()), (Outcome::Ambiguous, Some("Critical")));
        }
    }
}

/// A model that understands the issue and reads the options off the prompt: whatever is changed around the issue, it is
/// right.
fn sound(request: &Request) -> Line {
    let whole: String = request.messages.iter().map(|message| message.content.as_str()).collect();
    let numbers: Vec<usize> = whole
        .lines()
        .filter_map(|line| line.strip_prefix("Title: "))
        .map(|title| title.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("a numbered title"))
        .collect();
    let offers = |name: &str| whole.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
    let rank = numbers[numbers.len() - 1] % 4;
    let answer = if whole.contains("two issues") {
        let first = numbers[numbers.len() - 2] % 4 < rank;
        match (offers("Y"), first) {
            (true, true) => "X",
            (true, false) => "Y",
            (false, true) => "A",
            (false, false) => "B",
        }
    } else if whole.contains("story points") {
        ["1", "3", "5", "8"][rank]
    } else {
        if offers("P1") { ["P1", "P2", "P3", "P4"][rank] } else { LABELS[rank] }
    };
    Line::say(format!("Final answer: {answer}"))
}

#[test]
fn a_sound_judge_is_right_under_every_perturbation_that_keeps_the_issue() {
    let keep_the_title = [
        "pair_swap",
        "whitespace",
        "unicode_confusables",
        "shorten_sentences",
        "label_order",
        "option_rename",
        "typos_5pct",
        "case_upper",
    ];
    for scenario in scenario::SCENARIOS {
        let mut spec = spec(scenario.name(), &["zero-shot", "few-shot-3", "cot-few-shot", "rcoif", "egi"], 8);
        let can = |name: &&str| perturb::find(name).unwrap().refusal(scenario).is_none();
        spec.perturbations = keep_the_title.iter().filter(|name| can(name)).map(|name| (*name).to_owned()).collect();
        let plan = planned(&spec, &dataset(40)).unwrap();
        let backend = ScriptedBackend::from_fn(sound).with_capacity(16);
        let mut events: Vec<RunEvent> = Vec::new();
        go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
        let records = records(&events);
        assert_eq!(records.len(), plan.jobs.len());
        let mut golds: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
        for record in &records {
            let what = format!("{} {} {:?}", scenario.name(), record.strategy, record.perturbation);
            assert_eq!(record.answer.as_deref(), Some(record.gold.as_str()), "{what}: {}", record.raw_response());
            assert_eq!(rescore(record, scenario, ParserMode::FinalAnswer).as_ref(), Some(record), "{what}");
            assert_eq!(rescore(record, scenario, ParserMode::FirstMatch).unwrap().answer, record.answer, "{what}");
            golds.entry(record.perturbation.as_deref()).or_default().insert(&record.gold);
        }
        assert!(golds.values().all(|golds| golds.len() > 1), "one answer alone would prove little");
    }
}

#[test]
fn answers_and_probabilities_of_renamed_options_are_stored_under_the_usual_names() {
    let logprob = |text: &str, probability: f32| TopLogprob { id: None, token: text.into(), logprob: probability.ln() };
    let token = |text: &str, probability: f32, top: &[TopLogprob]| TokenLogprob {
        id: None,
        token: text.into(),
        logprob: probability.ln(),
        top: top.to_vec(),
    };
    for (scenario, tokens, text, answer, other) in [
        (
            "triage_jira",
            vec![token("P", 0.8, &[]), token("2", 0.75, &[logprob("1", 0.25)])],
            "P2",
            ("Major", 0.6),
            ("Critical", 0.2),
        ),
        (
            "prioritization_jira",
            vec![token("Y", 0.7, &[logprob("X", 0.1), logprob("A", 0.1)])],
            "Y",
            ("B", 0.7),
            ("A", 0.1),
        ),
    ] {
        let mut spec = spec(scenario, &["zero-shot"], 1);
        spec.perturbations = vec!["option_rename".into()];
        let plan = planned(&spec, &dataset(20)).unwrap();
        let backend = ScriptedBackend::from_fn(move |_| Line::say(text).with_tokens(tokens.clone()));
        let mut events: Vec<RunEvent> = Vec::new();
        go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).unwrap();
        let records = records(&events);
        let [usual, renamed] = records.as_slice() else { panic!("two jobs") };
        assert_eq!(usual.outcome, Outcome::Unparsed, "the usual prompt offers no such option");
        assert_eq!((renamed.outcome, renamed.answer.as_deref()), (Outcome::Answered, Some(answer.0)));
        assert_eq!(renamed.raw_response(), text);
        let labels: Vec<&str> = renamed.label_probabilities.keys().map(String::as_str).collect();
        let mut expected = vec![answer.0, other.0];
        expected.sort_unstable();
        assert_eq!(labels, expected);
        for (label, probability) in [answer, other] {
            assert!((renamed.label_probabilities[label] - probability).abs() < 1e-6, "{label}");
        }
        assert_eq!(renamed.confidence, Some(renamed.label_probabilities[answer.0]));
        let scenario = puma_eval::scenario::find(scenario).unwrap();
        assert_eq!(rescore(renamed, scenario, ParserMode::FinalAnswer).as_ref(), Some(renamed));
        // The usual name is no answer to a prompt that does not offer it.
        let unheard = ScriptedBackend::always(answer.0);
        let mut events: Vec<RunEvent> = Vec::new();
        go(&plan, &BTreeSet::new(), &asker(&unheard), &mut events, &Cancel::default()).unwrap();
        let outcomes: Vec<Outcome> = crate::records(&events).iter().map(|record| record.outcome).collect();
        assert_eq!(outcomes, [Outcome::Answered, Outcome::Unparsed]);
    }
}

proptest! {
    #[test]
    fn the_summary_hash_does_not_depend_on_the_order_of_records(seed: u64) {
        let mut records = uninterrupted(&small_plan());
        let expected = predictions_summary_hash(&records);
        records.sort_by_cached_key(|record| sha256_hex(format!("{seed}{}", record.job_id).as_bytes()));
        prop_assert_eq!(predictions_summary_hash(&records), expected);
    }
}

fn small_plan() -> Plan {
    planned(&spec("triage_jira", &["zero-shot", "rcoif"], 5), &dataset(8)).expect("a plan")
}

#[test]
fn the_published_first_line_is_the_form_of_every_line() {
    // The published run's first line is `CRIT-001,Critical,,f43378a9c0073473`.
    let mut record = uninterrupted(&small_plan()).remove(0);
    record.instance_id = puma_core::InstanceId::new("CRIT-001");
    record.answer = Some("Critical".into());
    record.confidence = None;
    record.prompt_hash = "f43378a9c0073473".into();
    assert_eq!(predictions_summary_hash(&[record]), sha256_hex(b"CRIT-001,Critical,,f43378a9c0073473"));
}
