//! A model that streams from its file gives the same answers as one that is held in memory.

use puma_engine::{Engine, EngineOptions, GenerateRequest, Generation, MemoryPlan, Model};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, TinyModel};
use std::io::Write as _;
use std::sync::Arc;

#[test]
fn no_bit_depends_on_how_the_weights_are_held() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&TinyModel::new(Architecture::Llama, TensorType::Q4_1).write()).unwrap();
    let size = file.as_file().metadata().unwrap().len();
    let request =
        GenerateRequest { prompt: (5..60).collect(), max_tokens: 12, logprobs: true, ..GenerateRequest::default() };
    let answer = |available_bytes| {
        let model = Arc::new(Model::open(file.path()).unwrap());
        let options = EngineOptions { available_bytes, kv_bytes: 1 << 20, threads: 2, ..EngineOptions::default() };
        let mut engine = Engine::new(model, options).unwrap();
        let Generation { tokens, stop_token, .. } = engine.generate_one(&request).unwrap();
        (engine.memory_plan(), tokens, stop_token)
    };
    let held = answer(None);
    assert_eq!(held.0, MemoryPlan { packed: true, will_page: false });
    let mapped = answer(Some(size + (1 << 20)));
    assert_eq!(mapped.0, MemoryPlan { packed: false, will_page: false });
    let streamed = answer(Some(size / 2 + (1 << 20)));
    assert_eq!(streamed.0, MemoryPlan { packed: false, will_page: true });
    assert_eq!((&held.1, &held.2), (&mapped.1, &mapped.2));
    assert_eq!((&held.1, &held.2), (&streamed.1, &streamed.2));
    assert!(!held.1.is_empty());
}
