//! The real default model: its committed digest, and the memory it takes.

use puma_engine::{DigestOptions, KvType, Level};
use puma_engine::{Engine, EngineError, EngineOptions, GenerateRequest, Generation, Model, Observer, digest};
use std::path::Path;
use std::sync::Arc;

/// Of SmolLM2-135M-Instruct `Q4_1` under N1; also in docs/numerics.md.
const DIGEST: (&str, &str) = ("N1", "11962aa4698d53e66d3d55f52e7d054c605a591c7ee48439780a6071b61ee9c7");

/// Of the same model with keys and values in binary16.
const HALF_DIGEST: (&str, &str) = ("N1+kv-f16", "f46fac1a2a5898f18706fe2905c58c86687cddbf40c969c993a1455c722c5562");

fn open(path: &Path) -> Arc<Model> {
    Arc::new(Model::open(path).expect("the model file is whole"))
}

#[test]
fn the_real_model_has_the_committed_digest() {
    let Some(path) = puma_testkit::real_model::smollm2("the real model's digest") else { return };
    let model = open(&path);
    for (threads, batch, reuse_prefixes) in [(1, 8, true), (2, 1, false)] {
        for (kv_type, want) in [(KvType::F32, DIGEST), (KvType::F16, HALF_DIGEST)] {
            let (level, rest) = (Level::best(), DigestOptions::default());
            let options = DigestOptions { level, threads, batch, reuse_prefixes, kv_type, ..rest };
            let got = digest(&model, &options).expect("the model computes finite numbers");
            assert_eq!((got.contract, got.hex.as_str()), want, "{got:?}");
        }
    }
}

/// Counts generated tokens.
struct Count(usize);

impl Observer for Count {
    fn finished(&mut self, _request: usize, result: Result<Generation, EngineError>) {
        self.0 += result.expect("the request can run").tokens.len();
    }
}

/// Peak resident memory of this process in bytes, where the system tells it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn a_batch_of_long_prompts_stays_below_the_model_and_300_megabytes() {
    let Some(path) = puma_testkit::real_model::smollm2("the memory of a batch") else { return };
    let model = open(&path);
    let mut engine = Engine::new(Arc::clone(&model), EngineOptions { threads: 1, ..EngineOptions::default() })
        .expect("default options work");
    // Twelve prompts of 250 tokens, half of them shared; the caches are full after the first eight.
    let requests: Vec<GenerateRequest> = (0..12u32)
        .map(|number| GenerateRequest {
            prompt: (0..250u32).map(|i| if i < 125 { i * 31 } else { (i * 7919 + number * 131) % 49_000 }).collect(),
            max_tokens: 4,
            logprobs: true,
            top_logprobs: 20,
            ..GenerateRequest::default()
        })
        .collect();
    let mut count = Count(0);
    engine.generate(&requests, &|| false, &mut count);
    assert_eq!(count.0, 48);
    if let Some(peak) = peak_bytes() {
        let limit = model.gguf().size_bytes() + 300_000_000;
        assert!(peak < limit, "{peak} bytes at the peak, of {limit}");
    }
}
