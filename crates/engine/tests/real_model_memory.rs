//! The memory that the real default model takes. It is the only test of its program, because the peak it reads is that of the
//! whole process.

use puma_engine::{Engine, EngineError, EngineOptions, GenerateRequest, Generation, Model, Observer};
use std::sync::Arc;

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
    let model = Arc::new(Model::open(&path).expect("the model file is whole"));
    let mut engine = Engine::new(Arc::clone(&model), EngineOptions { threads: 1, ..EngineOptions::default() })
        .expect("default options work");
    // Twelve prompts of 250 tokens, half of them shared.
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
