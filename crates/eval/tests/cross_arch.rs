//! The verdict between two machines, case by case.

mod cross_arch_runs;

use cross_arch_runs::{completion, job, run, token, triage};
use puma_core::{FinishReason, JobRecord, Outcome, RecordedRun, TopLogprob};
use puma_eval::cross_arch::{Agreement, CrossArch, Judgement, Level, Options, cross_arch};
use puma_eval::metric::{self, Task};

fn judge(left: &RecordedRun, right: &RecordedRun) -> CrossArch {
    cross_arch(left, right, &triage(), &Options::default())
}

fn forced(left: &RecordedRun, right: &RecordedRun) -> CrossArch {
    cross_arch(left, right, &triage(), &Options { force: true, ..Options::default() })
}

/// Eight jobs, half of them right, each answered in two tokens.
fn eight() -> Vec<JobRecord> {
    let answer = |index: usize| ["Critical", "Minor"][index % 2];
    let gold = |index: usize| ["Critical", "Minor", "Major", "Trivial"][index % 4];
    let spoken = |index| vec![token(answer(index), -0.5, "Other", 2.0), token(".", -0.1, "!", 3.0)];
    (0..8).map(|index| job(index, gold(index), spoken(index))).collect()
}

fn hypothesis(verdict: &CrossArch, index: usize) -> (Judgement, Option<f64>, usize) {
    let found = &verdict.groups[0].hypotheses[index];
    (found.judgement, found.value, found.n)
}

#[test]
fn a_run_and_itself_are_bit_equal_with_every_number_at_zero() {
    let runs = run(eight());
    let verdict = judge(&runs, &runs);
    assert!(verdict.valid, "{:?}", verdict.obstacles);
    assert_eq!(verdict.level, Some(Level::BitEqual));
    assert_eq!(hypothesis(&verdict, 0), (Judgement::Holds, Some(0.0), 8));
    assert_eq!(hypothesis(&verdict, 1).0, Judgement::Rejected);
    assert_eq!(hypothesis(&verdict, 2), (Judgement::Holds, Some(0.0), 16));
    assert_eq!(hypothesis(&verdict, 3), (Judgement::Holds, Some(0.0), 8));
    let tokens = &verdict.groups[0].tokens;
    assert_eq!((tokens.same_tokens, tokens.divergences.len(), tokens.flips.len()), (8, 0, 0));
    assert_eq!((tokens.listed.n, tokens.listed.equal_bits, tokens.listed.max_abs), (32, 32, Some(0.0)));
    assert_eq!(tokens.listed.histogram[0].n, 32, "all differences are exactly zero");
    assert!(verdict.satisfies(Some(Level::BitEqual)) && verdict.satisfies(None));
}

#[test]
fn one_bit_of_one_logprob_leaves_the_tokens_the_same_and_nothing_more() {
    let left = run(eight());
    for alternative in [false, true] {
        let mut right = left.clone();
        let token = &mut right.records[3].completions[0].tokens[1];
        let logprob = if alternative { &mut token.top[1].logprob } else { &mut token.logprob };
        *logprob = f32::from_bits(logprob.to_bits() ^ 1);
        let verdict = judge(&left, &right);
        assert_eq!(verdict.level, Some(Level::SameTokens), "alternative: {alternative}");
        assert_eq!(verdict.hypotheses.h0, Judgement::Holds);
        assert_eq!(verdict.hypotheses.h2, Judgement::Holds, "one bit is far below a thousandth");
        assert!(!verdict.satisfies(Some(Level::BitEqual)) && verdict.satisfies(Some(Level::SameTokens)));
        let tokens = &verdict.groups[0].tokens;
        assert_eq!(tokens.listed.n - tokens.listed.equal_bits, 1);
    }
}

#[test]
fn another_wording_with_the_same_answer_is_same_labels() {
    let left = run(eight());
    let mut right = left.clone();
    right.records[2] = job(2, "Major", vec![token("Critical", -0.5, "Other", 2.0), token("!", -0.2, ".", 0.1)]);
    let verdict = judge(&left, &right);
    assert_eq!(verdict.level, Some(Level::SameLabels));
    let tokens = &verdict.groups[0].tokens;
    let fork = &tokens.divergences[0];
    assert_eq!((fork.instance_id.as_str(), fork.position, fork.flips), ("I-0002", Some(1), false));
    assert_eq!((fork.left_token.as_deref(), fork.right_token.as_deref()), (Some("."), Some("!")));
    assert_eq!((fork.context.as_str(), fork.shared_characters), ("Critical", 8));
    assert!(
        (fork.left_gap.expect("listed") - 3.0).abs() < 1e-6 && (fork.right_gap.expect("listed") - 0.1).abs() < 1e-6
    );
    assert_eq!(tokens.chosen.n, 15, "the token at the fork is no pair");
    assert_eq!(tokens.listed.n, 32, "both sides list both tokens at the fork");
}

#[test]
fn nothing_behind_the_first_fork_is_compared() {
    let tokens = |second: &str| {
        let far = |text| token(text, -0.5, "Other", 2.0);
        vec![far("Critical"), far(second), far("same"), far("again")]
    };
    let verdict = judge(&run(vec![job(0, "Critical", tokens("."))]), &run(vec![job(0, "Critical", tokens("!"))]));
    assert_eq!(verdict.groups[0].tokens.chosen.n, 1);
    assert_eq!(verdict.level, Some(Level::SameLabels));
}

#[test]
fn a_flip_at_a_near_tie_is_explained_and_one_at_a_wide_gap_is_not() {
    let left = run(eight());
    let mut right = left.clone();
    for record in &mut right.records {
        for token in &mut record.completions[0].tokens {
            token.logprob += 0.01;
            token.top.iter_mut().for_each(|top| top.logprob += 0.01);
        }
    }
    let mut close = left.clone();
    close.records[0] = job(0, "Critical", vec![token("Critical", -0.7, "Minor", 0.015), token(".", -0.1, "!", 3.0)]);
    right.records[0] = job(0, "Critical", vec![token("Minor", -0.7, "Critical", 0.005), token(".", -0.1, "!", 3.0)]);
    right.records[1] = job(1, "Minor", vec![token("Major", -0.7, "Minor", 1.5), token(".", -0.1, "!", 3.0)]);
    let verdict = judge(&close, &right);
    let tokens = &verdict.groups[0].tokens;
    let near = &tokens.near_ties;
    assert!((near.noise.expect("twelve agreeing positions") - 0.01).abs() < 1e-6, "{near:?}");
    assert_eq!((near.flips, near.flips_explained, near.flips_unknown), (2, 1, 0));
    assert_eq!(near.share_of_flips_explained, Some(0.5));
    assert_eq!(tokens.flips.iter().map(|flip| flip.near_tie).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert!(tokens.flips[0].left_correct && !tokens.flips[0].right_correct);
    assert_eq!(verdict.hypotheses.h2, Judgement::Rejected, "0.01 is above a thousandth");
    assert_eq!(verdict.hypotheses.h0, Judgement::Rejected);
    assert_eq!(verdict.hypotheses.h1, Judgement::Holds);
    assert!(!verdict.satisfies(None));
}

#[test]
fn an_improbable_alternative_says_nothing_about_the_noise_of_a_choice() {
    let spoken = |tail: f32| {
        let mut first = token("Critical", -0.5, "Minor", 2.0);
        first.top.push(TopLogprob { id: None, token: "rare".to_owned(), logprob: tail });
        run(vec![job(0, "Critical", vec![first, token(".", -0.1, "!", 3.0)])])
    };
    let verdict = judge(&spoken(-12.0), &spoken(-11.0));
    let tokens = &verdict.groups[0].tokens;
    assert_eq!((tokens.listed.max_abs, tokens.near_ties.noise), (Some(1.0), Some(0.0)));
}

#[test]
fn a_draw_is_no_near_tie() {
    let mut left = run(eight());
    left.header.spec["inference"]["temperature"] = 0.7.into();
    let mut right = left.clone();
    right.records[0] = job(0, "Critical", vec![token("Minor", -0.7, "Critical", 0.001)]);
    let verdict = judge(&left, &right);
    assert_eq!(verdict.groups[0].tokens.divergences[0].near_tie, None);
}

#[test]
fn few_flips_among_many_are_the_same_metric_and_many_are_not() {
    let many = |flipped: usize| {
        let word = |index: usize| if index < flipped { "Minor" } else { ["Critical", "Trivial"][index % 2] };
        let gold = |index: usize| ["Critical", "Trivial", "Major", "Minor"][index % 4];
        run((0..120).map(|index| job(index, gold(index), vec![token(word(index), -0.5, "x", 1.0)])).collect())
    };
    let reference = many(0);
    assert_eq!(judge(&reference, &many(2)).level, Some(Level::SameMetric));
    let far = judge(&reference, &many(60));
    assert_eq!(far.level, Some(Level::Different));
    assert!(far.satisfies(Some(Level::Different)) && !far.satisfies(Some(Level::SameMetric)));
}

#[test]
fn other_weights_or_unknown_ones_make_everything_invalid_unless_forced() {
    let left = run(eight());
    for digest in [Some("sha256:bb".to_owned()), None] {
        let mut right = left.clone();
        right.header.models[0].digest = digest;
        let verdict = judge(&left, &right);
        assert!(!verdict.valid && verdict.level.is_none() && !verdict.satisfies(None));
        assert!(verdict.obstacles[0].contains("digest"), "{:?}", verdict.obstacles);
        let found = &verdict.groups[0].hypotheses[0];
        assert_eq!((found.judgement, found.value), (Judgement::NotTestable, Some(0.0)), "the numbers stay");
        let verdict = forced(&left, &right);
        assert!(verdict.forced && !verdict.valid);
        assert_eq!(verdict.level, Some(Level::BitEqual));
    }
}

#[test]
fn every_fact_that_decides_an_answer_invalidates_and_the_rest_is_named() {
    let left = run(eight());
    type Change = fn(&mut RecordedRun);
    let invalid: [(&str, Change); 10] = [
        ("chat template", |run| run.header.models[0].template_hash = Some("other".to_owned())),
        ("scenario", |run| run.header.scenario = "estimation_tawos".to_owned()),
        ("prompts", |run| run.records[0].prompt_hash = "other".to_owned()),
        ("right answers", |run| run.records[0].gold = "Minor".to_owned()),
        ("texts", |run| run.records.iter_mut().for_each(|record| record.prompt.clear())),
        ("temperature", |run| run.header.spec["inference"]["temperature"] = 0.5.into()),
        ("most tokens", |run| run.header.spec["inference"]["max_tokens"] = 9.into()),
        ("answer parser", |run| run.header.spec["parser"] = "first-match".into()),
        ("jobs", |run| {
            run.records.pop();
        }),
        ("jobs", |run| {
            run.records[0].outcome = Outcome::BackendFailed;
            run.records[0].answer = None;
        }),
    ];
    for (name, change) in invalid {
        let mut right = left.clone();
        change(&mut right);
        let verdict = judge(&left, &right);
        let fact = verdict.facts.iter().find(|fact| fact.obstacle.is_some()).expect(name);
        assert_eq!((fact.name.as_str(), verdict.valid), (name, false));
    }
    let harmless: [(&str, Change); 5] = [
        ("engine version", |run| run.header.backend.version = Some("2".to_owned())),
        ("engine", |run| run.header.backend.kind = "llama-server".to_owned()),
        ("dataset", |run| run.header.dataset.sha256 = "other".to_owned()),
        ("prompt templates", |run| run.header.templates.clear()),
        ("PUMA version", |run| run.header.puma_version = "2".to_owned()),
    ];
    for (name, change) in harmless {
        let mut right = left.clone();
        change(&mut right);
        let verdict = judge(&left, &right);
        assert!(verdict.valid, "{name}: {:?}", verdict.obstacles);
        let fact = verdict.facts.iter().find(|fact| fact.name == name).expect(name);
        assert_ne!(fact.agreement, Agreement::Same, "{name}");
    }
}

#[test]
fn the_same_text_read_differently_is_the_parsers_doing() {
    let left = run(eight());
    let mut right = left.clone();
    right.records[1].answer = Some("Trivial".to_owned());
    let verdict = judge(&left, &right);
    assert_eq!(verdict.groups[0].read_differently, 1);
    assert!(verdict.obstacles.iter().any(|why| why.contains("parsers differ")), "{:?}", verdict.obstacles);
}

#[test]
fn without_logprobs_texts_are_compared_and_logprobs_are_not_testable() {
    let mut left = run(eight());
    left.records.iter_mut().for_each(|record| {
        record.completions[0].tokens.clear();
        record.confidence = None;
    });
    let verdict = judge(&left, &left.clone());
    assert_eq!(verdict.level, Some(Level::SameTokens), "the same text, but no bits to compare");
    assert_eq!((verdict.hypotheses.h2, verdict.hypotheses.h3), (Judgement::NotTestable, Judgement::NotTestable));
    assert_eq!(verdict.groups[0].tokens.pairs_by_text, 8);
    let with = run(eight());
    let one_sided = judge(&left, &with);
    assert_eq!(one_sided.level, Some(Level::SameTokens));
    assert!(one_sided.groups[0].hypotheses[2].detail.contains("the first run has no logprobs"));
    assert!(judge(&with, &left).groups[0].hypotheses[2].detail.contains("the second run has no logprobs"));
    let mut other = left.clone();
    other.records[0].completions[0].text = "Critical, I think.".to_owned();
    let fork = &judge(&left, &other).groups[0].tokens.divergences[0];
    assert_eq!((fork.position, fork.shared_characters), (None, 8));
    assert_eq!((fork.left_token.as_deref(), fork.right_token.as_deref()), (Some("."), Some(", I think.")));
}

#[test]
fn tokens_without_ids_are_told_apart_by_spelling() {
    let mut left = run(eight());
    for token in left.records.iter_mut().flat_map(|record| &mut record.completions[0].tokens) {
        token.id = None;
        token.top.iter_mut().for_each(|top| top.id = None);
    }
    let verdict = judge(&left, &run(eight()));
    assert_eq!((verdict.level, verdict.groups[0].tokens.pairs_by_spelling), (Some(Level::BitEqual), 8));
}

#[test]
fn a_shorter_list_of_alternatives_is_compared_as_far_as_it_goes() {
    let left = run(eight());
    let mut right = left.clone();
    for token in right.records.iter_mut().flat_map(|record| &mut record.completions[0].tokens) {
        token.top.truncate(1);
    }
    let verdict = judge(&left, &right);
    assert_eq!((verdict.level, verdict.groups[0].tokens.uneven_lists), (Some(Level::BitEqual), 16));
}

#[test]
fn an_answer_that_ended_earlier_forks_at_its_end() {
    let left = run(eight());
    let mut right = left.clone();
    right.records[0].completions[0].tokens.pop();
    right.records[0].completions[0].text = "Critical".to_owned();
    let verdict = judge(&left, &right);
    let fork = &verdict.groups[0].tokens.divergences[0];
    assert_eq!((fork.position, fork.left_token.as_deref(), fork.right_token.as_deref()), (Some(1), Some("."), None));
    let mut cut = left.clone();
    cut.records[0].completions[0].finish = FinishReason::Length;
    assert_eq!(judge(&left, &cut).level, Some(Level::SameLabels), "one stopped by itself, the other was cut");
}

#[test]
fn turns_share_a_context_and_votes_do_not() {
    let conversation = |strategy: &str, first: &str| {
        let turn = |text: &str| completion(text.to_owned(), vec![token(text, -0.5, "x", 1.0)]);
        let mut record = job(0, "Critical", vec![token("Critical", -0.5, "x", 1.0)]);
        record.strategy = strategy.to_owned();
        record.completions = vec![turn(first), turn("Critical")];
        run(vec![record])
    };
    for (strategy, compared) in [("egi", 0), ("self-consistency", 1)] {
        let verdict = judge(&conversation(strategy, "a"), &conversation(strategy, "b"));
        assert_eq!(verdict.groups[0].tokens.chosen.n, compared, "{strategy}");
        assert_eq!(verdict.level, Some(Level::SameLabels), "{strategy}");
    }
}

#[test]
fn pairs_keep_perturbations_and_repetitions_apart_and_refuse_doubles() {
    let mut records = eight();
    for (index, mut record) in eight().into_iter().enumerate() {
        record.job_id = puma_core::JobId::new(format!("again-{index}"));
        if index % 2 == 0 {
            record.perturbation = Some("case_upper".to_owned())
        } else {
            record.repeat = 1
        }
        records.push(record);
    }
    let both = run(records.clone());
    let verdict = judge(&both, &both);
    assert_eq!(verdict.groups.iter().map(|group| group.pairs.judged).collect::<Vec<_>>(), [12, 4]);
    assert_eq!(verdict.level, Some(Level::BitEqual));
    records.push(records[0].clone());
    let verdict = judge(&run(records), &both);
    assert_eq!(verdict.groups[0].pairs.ambiguous, 1);
    assert!(!verdict.valid);
}

#[test]
fn the_models_of_two_machines_may_have_two_names() {
    let left = run(eight());
    let mut right = left.clone();
    right.header.models[0].name = "other:name".to_owned();
    right.records.iter_mut().for_each(|record| record.model = "other:name".to_owned());
    let verdict = judge(&left, &right);
    assert!(verdict.valid, "{:?}", verdict.obstacles);
    assert_eq!((verdict.groups.len(), verdict.level), (1, Some(Level::BitEqual)));
}

#[test]
fn an_infinite_logprob_is_compared_by_its_bits_and_never_subtracted() {
    let mut left = run(eight());
    left.records[0].completions[0].tokens[0].top[1].logprob = f32::NEG_INFINITY;
    assert_eq!(judge(&left, &left.clone()).level, Some(Level::BitEqual));
    let verdict = judge(&left, &run(eight()));
    assert_eq!(verdict.groups[0].tokens.not_finite, 1);
    assert!(verdict.groups[0].tokens.listed.mean_abs.is_some_and(f64::is_finite));
}

#[test]
fn estimates_are_judged_by_their_error_and_their_coverage() {
    let points = Task::regression(Vec::<String>::new());
    let estimate = |answers: [Option<&str>; 4]| {
        let records = answers.iter().enumerate().map(|(index, answer)| {
            let mut record = job(index, "5", vec![token(answer.unwrap_or("?"), -0.5, "x", 1.0)]);
            record.answer = answer.map(str::to_owned);
            record.outcome = if answer.is_some() { Outcome::Answered } else { Outcome::Unparsed };
            record
        });
        run(records.collect())
    };
    let judge = |left: &RecordedRun, right: &RecordedRun| cross_arch(left, right, &points, &Options::default());
    let reference = estimate([Some("3"), Some("5"), Some("8"), Some("5")]);
    let same_error = estimate([Some("7"), Some("5"), Some("2"), Some("5")]);
    let verdict = judge(&reference, &same_error);
    assert_eq!(verdict.hypotheses.h0, Judgement::Holds, "MAE 1.25 on both sides");
    assert!(verdict.level < Some(Level::SameLabels) && verdict.satisfies(None));
    let fewer = estimate([Some("3"), None, Some("7.5"), None]);
    let verdict = judge(&reference, &fewer);
    assert_eq!(verdict.hypotheses.h0, Judgement::Rejected, "{:?}", verdict.groups[0].hypotheses[0]);
    let spelled = estimate([Some("3.0"), Some("5"), Some("8"), Some("5")]);
    assert_eq!(judge(&reference, &spelled).groups[0].tokens.flips.len(), 0, "3.0 is 3");
}

#[test]
fn the_metrics_are_those_of_the_table() {
    let left = run(eight());
    let mut right = left.clone();
    right.records[5] = job(5, "Minor", vec![token("Trivial", -1.5, "x", 0.5)]);
    let verdict = judge(&left, &right);
    for (run, side) in [(&left, 0), (&right, 1)] {
        let report = metric::compute(&triage(), &run.records, &metric::Options::default()).expect("scorable");
        for found in &verdict.groups[0].metrics {
            let table = report.metrics.iter().find(|metric| metric.name == found.name).expect("in the table");
            assert_eq!([found.left, found.right][side], Some(table.value), "{}", found.name);
        }
    }
}
