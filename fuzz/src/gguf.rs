//! Model files: bytes are refused with an error, or are a model that can be asked.

use puma_engine::chat::{ChatMessage, ChatTemplate};
use puma_engine::gguf::{Gguf, GgufHeader};
use puma_engine::tokenizer::Tokenizer;
use puma_engine::{Engine, EngineOptions, GenerateRequest, Model};
use std::sync::Arc;

/// Models with more weights or layers are checked and not run: they would take the time of the small ones.
const RUN_WEIGHTS: u64 = 1 << 17;
const RUN_LAYERS: usize = 4;
/// Tokens asked for.
const GENERATED: usize = 2;

/// Reads `data` as a model file, whole and as a header alone; loads it and, if it is small, runs it.
pub fn check(data: &[u8]) {
    let header = GgufHeader::from_bytes(data.to_vec());
    let Ok(gguf) = Gguf::from_bytes(data.to_vec()) else {
        // A header that cannot be read must still be an error with a message.
        if let Err(error) = header {
            assert!(!error.to_string().is_empty());
        }
        return;
    };
    let header = header.expect("what the engine opens has a header");
    assert_eq!(header.tensors().len(), gguf.tensors().len());
    for (announced, tensor) in header.tensors().iter().zip(gguf.tensors()) {
        assert_eq!((&announced.name, &announced.shape), (&tensor.name, &tensor.shape));
        assert_eq!(gguf.data(tensor).len() as u64, tensor.size_bytes());
    }
    if let Ok(tokenizer) = Tokenizer::from_gguf(&gguf) {
        let ids = tokenizer.encode("A task, 12 <|im_end|>", true, true);
        assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()));
        if let Ok(template) = ChatTemplate::from_gguf(&gguf, &tokenizer) {
            let _refused = template.encode(&tokenizer, &[ChatMessage::new("user", "hi")]);
        }
    }
    if let Ok(model) = Model::from_gguf(gguf) {
        let model = Arc::new(model);
        assert!(!model.quantization().is_empty() && model.vocabulary_len() > 0);
        if model.parameter_count() <= RUN_WEIGHTS && model.config().block_count <= RUN_LAYERS {
            run(&model);
        }
    }
}

fn run(model: &Arc<Model>) {
    let options = EngineOptions { threads: 1, max_batch: 2, chunk_tokens: 2, ..EngineOptions::default() };
    let mut engine = Engine::new(Arc::clone(model), options).expect("the options are in range");
    let last = u32::try_from(model.vocabulary_len() - 1).unwrap_or(u32::MAX);
    let request =
        GenerateRequest { prompt: vec![0, last, 0], max_tokens: GENERATED, logprobs: true, ..Default::default() };
    // Weights may give numbers that are not finite; that is an error of the request.
    if let Ok(answer) = engine.generate_one(&request) {
        assert!(answer.tokens.len() <= GENERATED);
        assert!(answer.tokens.iter().all(|token| token.id <= last));
    }
}
