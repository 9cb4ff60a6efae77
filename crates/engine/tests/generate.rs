//! Batches: what ends an answer, what neighbours may not change, what is counted.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_engine::gguf::Gguf;
use puma_engine::{
    Engine, EngineError, EngineOptions, Finish, GenerateRequest, GeneratedToken, Generation, Model, Observer,
};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, GgufWriter, TinyModel};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

fn model() -> Arc<Model> {
    let bytes = TinyModel::new(Architecture::Llama, TensorType::Q4_0).write();
    Arc::new(Model::from_gguf(Gguf::from_bytes(bytes).unwrap()).unwrap())
}

fn engine(options: EngineOptions) -> Engine {
    Engine::new(model(), options).unwrap()
}

#[derive(Default)]
struct Collect {
    results: Vec<Option<Result<Generation, EngineError>>>,
    /// Break after so many tokens of request 0.
    stop_first_after: Option<usize>,
    tokens_of_first: usize,
}

impl Observer for Collect {
    fn token(&mut self, request: usize, _token: &GeneratedToken) -> ControlFlow<()> {
        self.tokens_of_first += usize::from(request == 0);
        let stop = request == 0 && Some(self.tokens_of_first) == self.stop_first_after;
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
    fn finished(&mut self, request: usize, result: Result<Generation, EngineError>) {
        assert!(self.results[request].replace(result).is_none(), "request {request} was reported twice");
    }
}

fn run(engine: &mut Engine, requests: &[GenerateRequest]) -> Vec<Generation> {
    let mut collect = Collect { results: requests.iter().map(|_| None).collect(), ..Collect::default() };
    engine.generate(requests, &|| false, &mut collect);
    collect.results.into_iter().map(|result| result.expect("reported").expect("no error")).collect()
}

/// Requests with a common beginning of 40 tokens, different ends, some greedy and some drawn.
fn requests() -> Vec<GenerateRequest> {
    (0..9u32)
        .map(|number| GenerateRequest {
            prompt: (0..45 + 3 * number).map(|i| if i < 40 { i % 200 } else { (i * 7 + number) % 200 }).collect(),
            max_tokens: 5 + number as usize,
            temperature: if number % 2 == 0 { 0.0 } else { 0.8 },
            seed: u64::from(number),
            logprobs: true,
            top_logprobs: 3,
            ..GenerateRequest::default()
        })
        .collect()
}

fn answers(generations: &[Generation]) -> Vec<Vec<GeneratedToken>> {
    generations.iter().map(|generation| generation.tokens.clone()).collect()
}

#[test]
fn answers_do_not_depend_on_neighbours_order_memory_or_reuse() {
    let requests = requests();
    let alone: Vec<Generation> = requests
        .iter()
        .map(|request| {
            let options = EngineOptions { reuse_prefixes: false, threads: 1, ..EngineOptions::default() };
            engine(options).generate_one(request).unwrap()
        })
        .collect();
    for (max_batch, kv_bytes, reuse_prefixes) in
        [(1, 1 << 30, true), (4, 1 << 30, true), (8, 1 << 20, true), (8, 1 << 30, false)]
    {
        let mut engine = engine(EngineOptions { max_batch, kv_bytes, reuse_prefixes, ..EngineOptions::default() });
        assert_eq!(answers(&run(&mut engine, &requests)), answers(&alone));
        let mut reversed = requests.clone();
        reversed.reverse();
        let mut backwards = run(&mut engine, &reversed);
        backwards.reverse();
        assert_eq!(answers(&backwards), answers(&alone), "second call, other order");
    }
}

#[test]
fn a_common_beginning_is_computed_once() {
    let requests = requests();
    let mut engine = engine(EngineOptions { max_batch: 4, ..EngineOptions::default() });
    let first = run(&mut engine, &requests);
    assert_eq!(first[0].cached_tokens, 0);
    assert!(first[1..].iter().all(|generation| generation.cached_tokens >= 40), "{first:?}");
    let again = run(&mut engine, &requests[..1]);
    assert_eq!(again[0].cached_tokens, again[0].prompt_tokens - 1, "all but the last token, whose logits are needed");
    engine.clear_prefixes();
    assert_eq!(run(&mut engine, &requests[..1])[0].cached_tokens, 0);
}

#[test]
fn keys_and_values_stay_within_their_memory_and_a_request_that_cannot_is_told_what_it_needs() {
    let requests = requests();
    let free = run(&mut engine(EngineOptions::default()), &requests);
    // What the longest request needs: 69 tokens and 13 more are three blocks of 32.
    let mut one = engine(EngineOptions { kv_bytes: 1, ..EngineOptions::default() });
    let error = one.generate_one(&requests[8]).unwrap_err();
    let EngineError::KvMemory { tokens: 82, needed_bytes, limit_bytes: 1 } = error else { panic!("{error:?}") };
    assert!(error.to_string().contains("82 tokens") && error.hint().unwrap().contains("--max-kv-mb"), "{error}");
    for blocks in [3, 4, 5, 8, 13] {
        for reuse_prefixes in [true, false] {
            let kv_bytes = needed_bytes / 3 * blocks;
            let mut engine = engine(EngineOptions { kv_bytes, reuse_prefixes, ..EngineOptions::default() });
            for _ in 0..2 {
                assert_eq!(answers(&run(&mut engine, &requests)), answers(&free));
            }
            let memory = engine.kv_memory();
            assert!(memory.peak_bytes <= kv_bytes && memory.peak_bytes >= needed_bytes, "{blocks} blocks, {memory:?}");
            engine.clear_prefixes();
            assert_eq!(engine.kv_memory().used_bytes, 0);
        }
    }
}

#[test]
fn shared_blocks_count_once_against_the_memory_so_that_the_batch_stays_wide() {
    // 96 tokens, three whole blocks, are the same; each prompt fills a part of a fourth.
    let request = |number: u32| GenerateRequest {
        prompt: (0..106).map(|i| if i < 96 { i } else { i + number }).collect(),
        max_tokens: 6,
        ..GenerateRequest::default()
    };
    let requests: Vec<GenerateRequest> = (0..12).map(request).collect();
    let config = model().config().clone();
    let block_bytes = config.block_count * 2 * 32 * config.kv_width() * size_of::<f32>();
    // 28 blocks: room for twelve sequences with a common beginning, or for seven without.
    let mut engine = engine(EngineOptions { kv_bytes: 28 * block_bytes, ..EngineOptions::default() });
    let steps = Cell::new(0);
    let count = || {
        steps.set(steps.get() + 1);
        false
    };
    let mut collect = Collect { results: requests.iter().map(|_| None).collect(), ..Collect::default() };
    engine.generate(&requests, &count, &mut collect);
    // The first prompt alone, all the others together, and five more tokens.
    assert_eq!(steps.get(), 7);
}

#[test]
fn answers_end_for_the_reason_given() {
    let mut engine = engine(EngineOptions { context_length: Some(50), ..EngineOptions::default() });
    let base = GenerateRequest { prompt: (1..40).collect(), max_tokens: 5, ..GenerateRequest::default() };
    let plain = engine.generate_one(&base).unwrap();
    assert_eq!((plain.finish, plain.tokens.len()), (Finish::MaxTokens, 5));
    assert!(plain.tokens.iter().all(|token| token.logprob.is_none() && token.top.is_empty()));
    let full = engine.generate_one(&GenerateRequest { max_tokens: 100, ..base.clone() }).unwrap();
    assert_eq!((full.finish, full.tokens.len()), (Finish::ContextFull, 11));
    let third = plain.tokens[2].id;
    let before = plain.tokens.iter().position(|token| token.id == third).unwrap();
    let stopped = GenerateRequest { stop_tokens: vec![third], logprobs: true, ..base.clone() };
    let stopped = engine.generate_one(&stopped).unwrap();
    assert_eq!((stopped.finish, stopped.tokens.len()), (Finish::StopToken, before));
    assert!(stopped.stop_token.is_some_and(|token| token.id == third && token.logprob.is_some()));
    let none = engine.generate_one(&GenerateRequest { max_tokens: 0, ..base.clone() }).unwrap();
    assert_eq!((none.finish, none.tokens.len()), (Finish::MaxTokens, 0));

    let mut collect = Collect { results: vec![None, None], stop_first_after: Some(2), ..Collect::default() };
    engine.generate(&[base.clone(), base], &|| false, &mut collect);
    let ends: Vec<_> = collect.results.into_iter().map(|result| result.unwrap().unwrap()).collect();
    assert_eq!((ends[0].finish, ends[0].tokens.len()), (Finish::Stopped, 2));
    assert_eq!((ends[1].finish, ends[1].tokens.len()), (Finish::MaxTokens, 5));
}

#[test]
fn cancelling_reports_every_request_once() {
    let requests: Vec<GenerateRequest> = requests().into_iter().cycle().take(20).collect();
    let mut engine = engine(EngineOptions { max_batch: 3, ..EngineOptions::default() });
    let mut collect = Collect { results: requests.iter().map(|_| None).collect(), ..Collect::default() };
    let asked = Cell::new(0);
    let cancelled = || asked.replace(asked.get() + 1) >= 9;
    engine.generate(&requests, &cancelled, &mut collect);
    let finishes: Vec<Finish> = collect.results.into_iter().map(|result| result.unwrap().unwrap().finish).collect();
    assert!(finishes.contains(&Finish::MaxTokens) && finishes.contains(&Finish::Cancelled), "{finishes:?}");
}

#[test]
fn requests_that_cannot_run_fail_alone() {
    let good = GenerateRequest { prompt: vec![1, 2, 3], max_tokens: 2, ..GenerateRequest::default() };
    let requests = [
        GenerateRequest { prompt: Vec::new(), ..good.clone() },
        GenerateRequest { prompt: vec![u32::MAX], ..good.clone() },
        GenerateRequest { prompt: vec![1; 512], ..good.clone() },
        GenerateRequest { temperature: f64::NAN, ..good.clone() },
        good,
    ];
    let mut engine = engine(EngineOptions::default());
    let mut collect = Collect { results: requests.iter().map(|_| None).collect(), ..Collect::default() };
    engine.generate(&requests, &|| false, &mut collect);
    let results: Vec<_> = collect.results.into_iter().map(Option::unwrap).collect();
    assert!(matches!(results[0], Err(EngineError::EmptyPrompt)));
    assert!(matches!(results[1], Err(EngineError::TokenOutOfRange { token: u32::MAX, .. })));
    assert!(matches!(results[2], Err(EngineError::ContextExceeded { prompt_tokens: 512, context_length: 512 })));
    assert!(matches!(results[3], Err(EngineError::Option { option: "temperature", .. })));
    assert_eq!(results[4].as_ref().unwrap().tokens.len(), 2);
    assert!(Engine::new(model(), EngineOptions { threads: 0, ..EngineOptions::default() }).is_err());
}

#[test]
fn shares_of_time_add_up_to_no_more_than_the_wall_time() {
    let started = std::time::Instant::now();
    let generations = run(&mut engine(EngineOptions::default()), &requests());
    let wall_ms = started.elapsed().as_secs_f64() * 1e3;
    let shares: f64 =
        generations.iter().map(|generation| generation.timing.prompt_ms + generation.timing.generation_ms).sum();
    assert!(shares > 0.0 && shares <= wall_ms, "{shares} of {wall_ms}");
    for generation in &generations {
        let timing = generation.timing;
        assert!(timing.first_token_ms.unwrap() <= timing.total_ms);
        assert!(timing.prompt_ms + timing.generation_ms <= timing.total_ms * 1.001);
    }
}

#[test]
fn a_model_with_wrong_shapes_or_hyperparameters_is_refused_with_a_sentence() {
    let message = |tiny: &TinyModel| {
        let error = Model::from_gguf(Gguf::from_bytes(tiny.write()).unwrap()).unwrap_err();
        error.to_string()
    };
    let tiny = TinyModel::new(Architecture::Llama, TensorType::F32);
    assert!(message(&TinyModel { kv_heads: 3, ..tiny.clone() }).contains("3 key-value heads do not divide 4"));
    assert!(message(&TinyModel { context: 0, ..tiny.clone() }).contains("context_length"));
    assert!(message(&TinyModel { rope_freq_base: f32::NAN, ..tiny.clone() }).contains("freq_base"));
    let mut other = GgufWriter::new(3);
    other.metadata("general.architecture", "mamba");
    let error = Model::from_gguf(Gguf::from_bytes(other.finish()).unwrap()).unwrap_err();
    assert!(error.to_string().contains("mamba") && error.hint().is_some_and(|hint| hint.contains("llama")));
    // Biases are required in qwen2.
    let error = message(&TinyModel { qkv_bias: false, ..TinyModel::new(Architecture::Qwen2, TensorType::F32) });
    assert!(error.contains("attn_q.bias"), "{error}");
}
