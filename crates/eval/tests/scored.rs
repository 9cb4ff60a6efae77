//! Runs in which allowed answers are scored: what is asked, what is made of the scores, what they can be compared with.

mod cross_arch_runs;
mod run_support;

use cross_arch_runs as machines;
use puma_core::{
    Cancel, Choices, Completion, FinishReason, JobRecord, Logprob, Outcome, Phases, RecordedRun, RunEvent,
    ScoredAnswer, TokenLogprob, Usage,
};
use puma_eval::comparison::{self, Bearing, Comparability, Selection, between};
use puma_eval::cross_arch::{CrossArch, Level, Options, cross_arch};
use puma_eval::metric;
use puma_eval::run::{SCORED, logprobs_digest, rescore};
use puma_eval::scenario;
use puma_eval::spec::{self, AnswerMode, InlineSpec, ParserMode, RunSpec, spec_hash};
use puma_testkit::scripted::{Line, ScriptedBackend};
use run_support::{asker, dataset, go, planned, records, spec};
use std::collections::BTreeSet;

fn token(text: &str, logprob: f32) -> TokenLogprob {
    TokenLogprob { id: Some(text.len() as u32), token: text.to_owned(), logprob, top: Vec::new() }
}

/// Answers with one token each.
fn scored(logprobs: &[(&str, f32)], ending: Option<f32>) -> Completion {
    let scores: Vec<ScoredAnswer> = logprobs
        .iter()
        .map(|(answer, logprob)| ScoredAnswer {
            answer: (*answer).to_owned(),
            tokens: vec![token(answer, *logprob)],
            ending: ending.map(Logprob),
        })
        .collect();
    let best = puma_core::most_probable(&scores).expect("some answers").clone();
    Completion {
        text: best.answer,
        reasoning: None,
        finish: FinishReason::Scored,
        tokens: best.tokens,
        scores,
        usage: Usage { prompt_tokens: Some(20), cached_tokens: Some(0), generated_tokens: Some(0) },
        phases: Phases::default(),
        attempts: Vec::new(),
        from_cache: false,
    }
}

fn scoring(scenario: &str, strategies: &[&str], count: u32) -> RunSpec {
    let mut spec = spec(scenario, strategies, count);
    spec.inference.answer = AnswerMode::ScoreLabels;
    spec
}

/// Runs `spec` against a backend that finds every answer 1 nat less probable than the one before it, the last one best.
fn run(spec: &RunSpec) -> (Vec<JobRecord>, Vec<puma_core::Request>) {
    let backend = ScriptedBackend::from_fn(|request| {
        let answers = &request.choices.as_ref().expect("answers to score").answers;
        let rising: Vec<(&str, f32)> =
            answers.iter().zip(1u8..).map(|(answer, number)| (answer.as_str(), f32::from(number) - 10.0)).collect();
        Line::Say(Box::new(scored(&rising, None)))
    });
    let plan = planned(spec, &dataset(8)).expect("a plan");
    let mut events: Vec<RunEvent> = Vec::new();
    go(&plan, &BTreeSet::new(), &asker(&backend), &mut events, &Cancel::default()).expect("a run");
    (records(&events), backend.asked())
}

#[test]
fn a_request_names_the_answers_and_whether_they_end_the_turn() {
    let cases: [(&str, &[&str], bool); 3] = [
        ("triage_jira", &["Critical", "Major", "Minor", "Trivial"], false),
        ("estimation_tawos", &["1", "2", "3", "5", "8", "13", "21"], true),
        ("prioritization_jira", &["A", "B"], true),
    ];
    for (scenario, answers, closed) in cases {
        let (_, asked) = run(&scoring(scenario, &["zero-shot"], 2));
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        assert_eq!(asked[0].choices, Some(Choices { answers, closed }), "{scenario}");
        assert_eq!((asked[0].max_tokens, asked[0].logprobs), (0, false), "nothing is generated");
    }
    let plan = planned(&spec("triage_jira", &["zero-shot"], 1), &dataset(8)).expect("a plan");
    let request = plan.requests(&plan.jobs[0]).remove(0);
    assert_eq!(request.choices, None);
    assert!(!serde_json::to_string(&request).expect("plain data").contains("choices"), "keys of the cache stay");
}

/// One answer begins another exactly where the end of the turn is asked for, or where an answer is a word of prose.
#[test]
fn no_answer_that_needs_no_end_begins_another() {
    for scenario in scenario::SCENARIOS {
        let answers = scenario.answer_texts();
        let one_begins_another =
            answers.iter().any(|one| answers.iter().any(|other| one != other && other.starts_with(one)));
        assert!(scenario.scores_the_end() || !one_begins_another, "{}", scenario.name());
        assert!(!answers.is_empty(), "{}", scenario.name());
    }
}

#[test]
fn the_most_probable_answer_counts_and_its_confidence_is_its_share() {
    let (records, _) = run(&scoring("triage_jira", &["zero-shot"], 4));
    let weights: Vec<f64> = [0f64, 1.0, 2.0, 3.0].map(f64::exp).to_vec();
    let total: f64 = weights.iter().sum();
    for record in &records {
        assert_eq!((record.outcome, record.answer.as_deref()), (Outcome::Answered, Some("Trivial")));
        assert_eq!(record.rule.as_deref(), Some(SCORED));
        assert_eq!(record.confidence, record.label_probabilities.get("Trivial").copied());
        for (label, weight) in ["Critical", "Major", "Minor", "Trivial"].iter().zip(&weights) {
            assert!((record.label_probabilities[*label] - weight / total).abs() < 1e-12, "{label}");
        }
        assert_eq!(record.completions[0].scores.len(), 4, "nothing is lost");
    }
}

#[test]
fn renamed_options_are_scored_as_the_prompt_calls_them_and_counted_as_what_they_are() {
    let mut spec = scoring("triage_jira", &["zero-shot"], 1);
    spec.perturbations = vec!["option_rename".into(), "label_order".into()];
    let (records, asked) = run(&spec);
    let answers = |number: usize| asked[number].choices.clone().expect("answers").answers;
    assert_eq!(answers(0), ["Critical", "Major", "Minor", "Trivial"]);
    assert_eq!(answers(1), ["P1", "P2", "P3", "P4"]);
    assert_eq!(answers(2), answers(0), "another order in the prompt is none of the scores");
    for record in &records {
        assert_eq!(record.answer.as_deref(), Some("Trivial"));
        assert_eq!(record.label_probabilities.len(), 4);
        assert!(record.label_probabilities.contains_key("Critical"));
    }
}

#[test]
fn reading_a_record_again_with_any_parser_finds_the_same_scores() {
    let (records, _) = run(&scoring("estimation_tawos", &["few-shot-3"], 3));
    let scenario = scenario::find("estimation_tawos").expect("a scenario");
    for record in &records {
        for mode in [ParserMode::FinalAnswer, ParserMode::FirstMatch] {
            assert_eq!(rescore(record, scenario, mode).as_ref(), Some(record));
        }
    }
}

#[test]
fn what_would_do_nothing_or_writes_first_is_refused_with_its_place() {
    let yaml = |extra: &str, inference: &str| {
        format!("id: t\nscenario: triage_jira\nmodels: [m]\n{extra}\ninference:\n  answer: score-labels\n{inference}\n")
    };
    let cases = [
        ("adaptation: {strategy: [zero-shot, zero-shot-cot]}", "", "`zero-shot-cot`"),
        ("adaptation: {strategy: [egi]}", "", "`egi`"),
        ("adaptation: {cot: [true]}", "", "adaptation.cot"),
        ("", "  temperature: 0.7", "temperature 0.7"),
        ("", "  format: json", "inference.format"),
        ("parser: first-match", "", "first-match"),
        ("compat: puma-4", "", "compat"),
    ];
    for (extra, inference, named) in cases {
        let error = spec::parse(&yaml(extra, inference), "s.yaml").expect_err(named);
        assert_eq!(error.problems.len(), 1, "{error}");
        assert!(error.problems[0].message.contains(named), "{named}: {error}");
        assert_eq!(error.problems[0].place.map(|place| place.line), Some(6), "where `answer` stands: {error}");
    }
    let fine = spec::parse(&yaml("adaptation: {strategy: [zero-shot, few-shot-5]}", ""), "s.yaml").expect("fine");
    assert_eq!(fine.inference.answer, AnswerMode::ScoreLabels);
    let unknown = yaml("", "").replace("score-labels", "score_label");
    let error = spec::parse(&unknown, "s.yaml").expect_err("unknown").to_string();
    assert!(error.contains("did you mean `score-labels`?"), "{error}");
}

#[test]
fn the_default_leaves_hash_and_form_of_a_spec_alone_and_scoring_changes_them() {
    let parsed = |answer: &str| {
        let text = format!("id: t\nscenario: triage_jira\nmodels: [m]\ninference: {{{answer}}}\n");
        spec::parse(&text, "s.yaml").expect("a spec")
    };
    let [silent, generate, scored] = ["", "answer: generate", "answer: score-labels"].map(parsed);
    assert_eq!(spec_hash(&silent), spec_hash(&generate));
    assert_ne!(spec_hash(&silent), spec_hash(&scored));
    assert!(!spec::full_json(&generate).to_string().contains("\"answer\""));
    for spec in [silent, scored] {
        let again = spec::parse(&spec::to_yaml(&spec), "frozen").expect("a frozen spec");
        assert_eq!(again, spec);
        let stored: RunSpec = serde_json::from_value(spec::full_json(&spec)).expect("a stored spec");
        assert_eq!(stored.inference, spec.inference);
    }
    let inline = InlineSpec {
        scenario: "triage".into(),
        models: vec!["m".into()],
        temperature: Some(0.5),
        answer: AnswerMode::ScoreLabels,
        ..InlineSpec::default()
    };
    let error = inline.into_spec().expect_err("a temperature").to_string();
    assert!(error.contains("temperature 0.5"), "{error}");
}

/// A run on one machine whose answers were scored: `shift` is added to the last answer's logprob.
fn machine(shift: f32) -> RecordedRun {
    let records = (0..6)
        .map(|index| {
            let completion = scored(
                &[("Critical", -2.0), ("Major", -0.5), ("Minor", -0.75), ("Trivial", -3.0 + shift)],
                Some(-0.25),
            );
            let mut record = machines::job(index, "Major", completion.tokens.clone());
            record.completions = vec![completion];
            let scenario = scenario::find("triage_jira").expect("a scenario");
            rescore(&record, scenario, ParserMode::FinalAnswer).expect("a known strategy")
        })
        .collect();
    let mut run = machines::run(records);
    run.header.spec["inference"]["answer"] = "score-labels".into();
    run
}

fn held_against(left: &RecordedRun, right: &RecordedRun) -> CrossArch {
    cross_arch(left, right, &machines::triage(), &Options::default())
}

#[test]
fn machines_are_compared_over_every_score_and_not_over_the_chosen_one_alone() {
    let same = held_against(&machine(0.0), &machine(0.0));
    assert_eq!(same.level, Some(Level::BitEqual));
    assert_eq!(same.groups[0].tokens.listed.n, 6 * 4 * 2, "a token and an ending of four answers, each once");
    let off = held_against(&machine(0.0), &machine(1e-6));
    assert_eq!(off.level, Some(Level::SameTokens), "the chosen answer is the same, another one's score is not");
    let flipped = held_against(&machine(0.0), &machine(3.0));
    assert_eq!(flipped.groups[0].tokens.flips.len(), 6);
    let digests = [machine(0.0), machine(0.0), machine(1e-6)].map(|run| logprobs_digest(&run.records));
    assert!(digests[0].is_some() && digests[0] == digests[1] && digests[0] != digests[2]);
}

#[test]
fn a_scored_and_a_generated_run_are_two_methods() {
    let scored = machine(0.0);
    let mut generated = machine(0.0);
    generated.header.spec["inference"].as_object_mut().expect("an object").remove("answer");
    let verdict = held_against(&scored, &generated);
    let fact = verdict.facts.iter().find(|fact| fact.name == "way of answering").expect("a fact");
    assert!(fact.obstacle.is_some(), "{fact:?}");
    let compared = compare(&scored, &generated);
    let named = compared.differences.iter().find(|found| found.what == "way of answering").expect("a difference");
    assert_eq!(named.bearing, Bearing::Compared);
    assert_eq!(named.second.as_deref(), Some("generate"), "what a spec without the key means");
    assert!(compare(&scored, &machine(0.0)).differences.iter().all(|found| found.what != "way of answering"));
}

fn compare(first: &RecordedRun, second: &RecordedRun) -> Comparability {
    let any = Selection::default();
    let matched = between((first, &any), (second, &any)).expect("one side each");
    let (left, right) = &matched.pairs[0];
    comparison::compare(&machines::triage(), left, right, &metric::Options::default()).expect("labels").comparability
}
