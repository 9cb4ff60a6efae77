//! Whatever a run emits is read back equal, to the last bit.

use crate::fixture::{header, instances};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use puma_core::{
    Attempt, Completion, FinishReason, InstanceId, JobId, JobRecord, Logprob, Millis, Outcome, Phases, RunId,
    ScoredAnswer, Timestamp, TokenLogprob, TopLogprob, Usage,
};
use puma_store::Store;
use serde_json::Value;

fn text() -> impl Strategy<Value = String> {
    // Any character, NUL and quotes included.
    vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn millis() -> impl Strategy<Value = Millis> {
    prop::num::f64::POSITIVE.prop_map(Millis)
}

fn logprob() -> impl Strategy<Value = f32> {
    prop_oneof![20 => prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO, 1 => Just(f32::NEG_INFINITY)]
}

fn token() -> impl Strategy<Value = TokenLogprob> {
    let top = (option::of(any::<u32>()), text(), logprob()).prop_map(|(id, token, logprob)| TopLogprob {
        id,
        token,
        logprob,
    });
    (option::of(any::<u32>()), text(), logprob(), vec(top, 0..3)).prop_map(|(id, token, logprob, top)| TokenLogprob {
        id,
        token,
        logprob,
        top,
    })
}

fn scored() -> impl Strategy<Value = ScoredAnswer> {
    (text(), vec(token(), 0..3), option::of(logprob().prop_map(Logprob)))
        .prop_map(|(answer, tokens, ending)| ScoredAnswer { answer, tokens, ending })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    (any::<u32>(), millis(), millis(), option::of(text()), option::of(any::<u16>())).prop_map(
        |(number, duration_ms, waited_ms, error, http_status)| Attempt {
            number,
            duration_ms,
            waited_ms,
            error,
            http_status,
        },
    )
}

fn completion() -> impl Strategy<Value = Completion> {
    let phases = (millis(), option::of(millis()), option::of(millis()), option::of(millis()), option::of(millis()))
        .prop_map(|(total_ms, load_ms, prompt_ms, generation_ms, first_token_ms)| Phases {
            total_ms,
            load_ms,
            prompt_ms,
            generation_ms,
            first_token_ms,
        });
    let finish = prop_oneof![
        Just(FinishReason::Stop),
        Just(FinishReason::Length),
        Just(FinishReason::Cancelled),
        Just(FinishReason::Scored)
    ];
    let usage = (option::of(any::<u32>()), option::of(any::<u32>()), option::of(any::<u32>())).prop_map(
        |(prompt_tokens, cached_tokens, generated_tokens)| Usage { prompt_tokens, cached_tokens, generated_tokens },
    );
    let said = (text(), option::of(text()), finish, vec(token(), 0..4), vec(scored(), 0..3));
    (said, usage, phases, vec(attempt(), 0..3), any::<bool>()).prop_map(
        |((text, reasoning, finish, tokens, scores), usage, phases, attempts, from_cache)| Completion {
            text,
            reasoning,
            finish,
            tokens,
            scores,
            usage,
            phases,
            attempts,
            from_cache,
        },
    )
}

pub(crate) fn record() -> impl Strategy<Value = JobRecord> {
    let moment = || (0..253_402_300_799_999_i64).prop_map(Timestamp);
    let probability = || prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO;
    let names = (text(), text(), option::of(text()), any::<u32>(), any::<u64>(), text(), option::of(text()));
    let asked = (text(), text(), prop::sample::select(Outcome::ALL.to_vec()), vec(completion(), 0..4));
    let answer = (
        option::of(text()),
        option::of(text()),
        option::of(probability()),
        btree_map(text(), probability(), 0..4),
        option::of(text()),
        vec(attempt(), 0..3),
    );
    (names, asked, answer, moment(), moment()).prop_map(|(names, asked, answer, started_at, finished_at)| {
        let (model, strategy, perturbation, repeat, seed, gold, group) = names;
        let (prompt, prompt_hash, outcome, completions) = asked;
        let (answer, rule, confidence, label_probabilities, error, failed_attempts) = answer;
        JobRecord {
            job_id: JobId::new("job"),
            instance_id: InstanceId::new("ISSUE-0"),
            model,
            strategy,
            perturbation,
            repeat,
            seed,
            gold,
            group,
            prompt,
            prompt_hash,
            outcome,
            answer,
            rule,
            confidence,
            label_probabilities,
            completions,
            error,
            failed_attempts,
            started_at,
            finished_at,
        }
    })
}

pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| { Value::Object(map.into_iter().collect()) })
        ]
    })
}

/// Every float's bits: `==` calls 0.0 and -0.0 equal.
fn logprob_bits(record: &JobRecord) -> Vec<u32> {
    let tokens = record.completions.iter().flat_map(|completion| &completion.tokens);
    tokens
        .flat_map(|t| std::iter::once(t.logprob).chain(t.top.iter().map(|top| top.logprob)))
        .map(f32::to_bits)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_job_is_read_back_equal(record in record()) {
        let store = Store::memory().unwrap();
        let mut recorder = store.recorder();
        recorder.start(&header("a", 1), &instances(1), false).unwrap();
        recorder.job(&RunId::new("a"), &record).unwrap();
        let run = store.load_run(&RunId::new("a")).unwrap();
        prop_assert_eq!(logprob_bits(&run.records[0]), logprob_bits(&record));
        prop_assert_eq!(run.records, vec![record]);
    }

    #[test]
    fn a_header_and_its_instances_are_read_back_equal(
        spec in json(), machine in json(), fields in json(), gold in text(), group in option::of(text()), name in text(),
    ) {
        let store = Store::memory().unwrap();
        let mut head = header("a", 1);
        head.spec = spec;
        head.machine = machine;
        head.models[0].name = name.clone();
        head.dataset.source = name;
        let mut rows = instances(1);
        rows[0].fields = fields;
        rows[0].gold = gold;
        rows[0].group = group;
        store.recorder().start(&head, &rows, false).unwrap();
        let run = store.load_run(&RunId::new("a")).unwrap();
        prop_assert_eq!(run.header, head);
        prop_assert_eq!(run.instances, rows);
    }
}
