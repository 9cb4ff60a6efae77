//! Scoring: every score is the one that computing its tokens alone would give, whatever is shared.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_engine::gguf::Gguf;
use puma_engine::{
    ContinuationScore, Engine, EngineError, EngineOptions, GenerateRequest, Level, Model, ScoreRequest, Scoring,
};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, TinyModel};
use std::cell::Cell;
use std::sync::Arc;

fn model() -> Arc<Model> {
    let bytes = TinyModel::new(Architecture::Llama, TensorType::Q4_0).write();
    Arc::new(Model::from_gguf(Gguf::from_bytes(bytes).unwrap()).unwrap())
}

fn engine(options: EngineOptions) -> Engine {
    Engine::new(model(), options).unwrap()
}

fn score(engine: &mut Engine, requests: &[ScoreRequest]) -> Vec<Result<Scoring, EngineError>> {
    let mut results: Vec<Option<Result<Scoring, EngineError>>> = requests.iter().map(|_| None).collect();
    engine.score(requests, &|| false, &mut |index, result| {
        assert!(results[index].replace(result).is_none(), "request {index} was reported twice");
    });
    results.into_iter().map(|result| result.expect("every request is reported")).collect()
}

fn scores(engine: &mut Engine, requests: &[ScoreRequest]) -> Vec<Vec<ContinuationScore>> {
    score(engine, requests).into_iter().map(|result| result.unwrap().scores).collect()
}

/// Prompts with a common beginning of 40 tokens, one of them twice; continuations that share beginnings, that begin
/// others, and an empty one; with none, one and two endings.
fn requests() -> Vec<ScoreRequest> {
    let prompt = |number: u32| -> Vec<u32> {
        (0..45 + 9 * number).map(|i| if i < 40 { i % 200 } else { (i * 7 + number) % 200 }).collect()
    };
    let continuations =
        |number: u32| vec![vec![7, 8, 9 + number], vec![7, 8, 3], vec![7, 5], vec![11], vec![11, 12, 13, 14], vec![]];
    (0..7)
        .map(|number| ScoreRequest {
            prompt: prompt(number % 6),
            continuations: continuations(number),
            endings: [vec![], vec![2], vec![6, 2]][number as usize % 3].clone(),
        })
        .collect()
}

/// The logprob of every id after `prompt`, computed for this alone.
fn after(engine: &mut Engine, prompt: &[u32]) -> Vec<f32> {
    let vocabulary = engine.model().vocabulary_len();
    let request = GenerateRequest {
        prompt: prompt.to_vec(),
        max_tokens: 1,
        logprobs: true,
        top_logprobs: vocabulary,
        ..GenerateRequest::default()
    };
    let mut logprobs = vec![f32::NAN; vocabulary];
    for top in &engine.generate_one(&request).unwrap().tokens[0].top {
        logprobs[top.id as usize] = top.logprob;
    }
    logprobs
}

/// Each continuation of each request, one token after the other, nothing shared.
fn one_at_a_time(requests: &[ScoreRequest]) -> Vec<Vec<ContinuationScore>> {
    let mut alone = engine(EngineOptions { reuse_prefixes: false, threads: 1, ..EngineOptions::default() });
    let mut forced = |request: &ScoreRequest, continuation: &[u32]| {
        let mut tokens = request.prompt.clone();
        let mut logprobs = Vec::new();
        for &token in continuation {
            logprobs.push(after(&mut alone, &tokens)[token as usize]);
            tokens.push(token);
        }
        let ending = match request.endings[..] {
            [] => None,
            [id] => Some(after(&mut alone, &tokens)[id as usize]),
            // Several endings are added up inside the engine; their sum is checked by its own test.
            _ => {
                let own =
                    ScoreRequest { prompt: tokens, continuations: vec![vec![]], endings: request.endings.clone() };
                score(&mut alone, &[own]).remove(0).unwrap().scores[0].ending
            }
        };
        ContinuationScore { logprobs, ending }
    };
    requests
        .iter()
        .map(|request| request.continuations.iter().map(|tokens| forced(request, tokens)).collect())
        .collect()
}

#[test]
fn scores_are_those_of_computing_each_path_alone_token_by_token() {
    let requests = requests();
    let alone = one_at_a_time(&requests);
    let defaults = EngineOptions::default();
    let mut variants = vec![
        EngineOptions { max_batch: 1, chunk_tokens: 1, ..defaults },
        EngineOptions { max_batch: 2, chunk_tokens: 7, threads: 2, ..defaults },
        EngineOptions { max_batch: 64, chunk_tokens: 512, threads: 3, ..defaults },
        EngineOptions { kv_bytes: 1 << 20, ..defaults },
        EngineOptions { reuse_prefixes: false, ..defaults },
    ];
    variants.extend(Level::available().into_iter().map(|level| EngineOptions { level, ..defaults }));
    for options in variants {
        let mut engine = engine(options);
        assert_eq!(scores(&mut engine, &requests), alone, "{options:?}");
        assert_eq!(scores(&mut engine, &requests), alone, "with what the first call left behind, {options:?}");
    }
    let mut backwards = requests.clone();
    backwards.reverse();
    let mut found = scores(&mut engine(defaults), &backwards);
    found.reverse();
    assert_eq!(found, alone, "in the other order");
}

#[test]
fn a_greedy_answer_scores_what_it_reported_when_it_was_generated() {
    let mut engine = engine(EngineOptions::default());
    for request in requests() {
        let generated = engine
            .generate_one(&GenerateRequest {
                prompt: request.prompt.clone(),
                max_tokens: 9,
                logprobs: true,
                ..GenerateRequest::default()
            })
            .unwrap();
        let path: Vec<u32> = generated.tokens.iter().map(|token| token.id).collect();
        let reported: Vec<f32> = generated.tokens.iter().map(|token| token.logprob.unwrap()).collect();
        engine.clear_prefixes();
        let request = ScoreRequest { continuations: vec![vec![1], path], ..request };
        assert_eq!(scores(&mut engine, &[request])[0][1].logprobs, reported);
    }
}

#[test]
fn the_probabilities_of_all_continuations_of_a_length_and_of_all_endings_add_up_to_one() {
    let mut engine = engine(EngineOptions::default());
    let vocabulary = engine.model().vocabulary_len() as u32;
    let all: Vec<u32> = (0..vocabulary).collect();
    let request = ScoreRequest {
        prompt: vec![3, 1, 4, 1, 5],
        continuations: all.iter().map(|&id| vec![9, id]).collect(),
        endings: all,
    };
    let scores = &scores(&mut engine, &[request])[0];
    let total: f64 = scores.iter().map(|score| f64::from(score.logprobs[1]).exp()).sum();
    assert!((total - 1.0).abs() < 1e-5, "{total}");
    let first = f64::from(scores[0].logprobs[0]);
    for score in scores {
        let ending = f64::from(score.ending.unwrap());
        assert!(ending.abs() < 1e-6, "one of all ids follows for certain: {ending}");
        assert_eq!(score.sum(), 0.0 + first + f64::from(score.logprobs[1]) + ending, "in this order");
    }
}

#[test]
fn several_endings_count_together_and_their_order_does_not_matter() {
    let mut engine = engine(EngineOptions::default());
    let mut with = |endings: &[u32]| {
        let request =
            ScoreRequest { prompt: vec![3, 1, 4], continuations: vec![vec![5, 6]], endings: endings.to_vec() };
        scores(&mut engine, &[request])[0][0].ending.unwrap()
    };
    let together = f64::from(with(&[2])).exp() + f64::from(with(&[40])).exp();
    assert!((f64::from(with(&[2, 40])).exp() - together).abs() < 1e-7);
    assert_eq!(with(&[2, 40]), with(&[40, 2, 40]));
}

#[test]
fn shared_tokens_are_computed_once_and_charged_to_the_first() {
    let prompt: Vec<u32> = (0..50).collect();
    let longer: Vec<u32> = (0..60).collect();
    let request = |prompt: &[u32], continuations: &[&[u32]]| ScoreRequest {
        prompt: prompt.to_vec(),
        continuations: continuations.iter().map(|tokens| tokens.to_vec()).collect(),
        endings: Vec::new(),
    };
    let requests = [
        request(&prompt, &[&[7, 8, 9], &[7, 8, 10], &[7, 11], &[12]]),
        request(&prompt, &[&[7, 8, 9], &[12, 13]]),
        request(&longer, &[&[1]]),
    ];
    let mut engine = engine(EngineOptions { reuse_prefixes: false, ..EngineOptions::default() });
    let results: Vec<Scoring> = score(&mut engine, &requests).into_iter().map(Result::unwrap).collect();
    let counts: Vec<[usize; 3]> =
        results.iter().map(|result| [result.prompt_tokens, result.cached_tokens, result.continuation_tokens]).collect();
    // 7 and 8 for the first; 12 for the second, which the first only reads; last tokens for nobody.
    assert_eq!(counts, [[50, 0, 2], [50, 50, 1], [60, 50, 0]]);
    assert!(results[0].timing.prompt_ms > 0.0 && results[1].timing.prompt_ms == 0.0);
}

#[test]
fn what_cannot_be_scored_ends_alone_with_its_reason() {
    let mut engine = engine(EngineOptions { context_length: Some(64), ..EngineOptions::default() });
    let vocabulary = engine.model().vocabulary_len();
    let fine = ScoreRequest { prompt: vec![1; 60], continuations: vec![vec![2; 4]], endings: vec![3] };
    let requests = [
        fine.clone(),
        ScoreRequest { prompt: Vec::new(), ..fine.clone() },
        ScoreRequest { continuations: vec![vec![2], vec![2; 5]], ..fine.clone() },
        ScoreRequest { continuations: vec![vec![vocabulary as u32]], ..fine.clone() },
        ScoreRequest { endings: vec![vocabulary as u32], ..fine.clone() },
        ScoreRequest { continuations: Vec::new(), ..fine },
    ];
    let results = score(&mut engine, &requests);
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(EngineError::EmptyPrompt)));
    assert!(matches!(results[2], Err(EngineError::ContextExceeded { prompt_tokens: 65, context_length: 64 })));
    for result in &results[3..5] {
        assert!(matches!(result, Err(EngineError::TokenOutOfRange { .. })));
    }
    assert_eq!(results[5].as_ref().unwrap().scores, []);
}

#[test]
fn cancelling_ends_what_is_left_and_the_engine_goes_on() {
    let requests = requests();
    let mut engine = engine(EngineOptions { chunk_tokens: 16, max_batch: 1, ..EngineOptions::default() });
    let expected = scores(&mut engine, &requests);
    engine.clear_prefixes();
    let steps = Cell::new(0);
    let mut ended = Vec::new();
    let cancelled = || steps.replace(steps.get() + 1) == 9;
    engine.score(&requests, &cancelled, &mut |index, result| ended.push((index, result)));
    assert_eq!(ended.len(), requests.len());
    let finished = ended.iter().filter(|(_, result)| result.is_ok()).count();
    assert!((1..requests.len()).contains(&finished), "{finished} of {}", requests.len());
    for (index, result) in ended {
        match result {
            Ok(scoring) => assert_eq!(scoring.scores, expected[index]),
            Err(error) => assert!(matches!(error, EngineError::Cancelled)),
        }
    }
    assert_eq!(scores(&mut engine, &requests), expected);
}
