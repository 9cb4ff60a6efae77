//! Writes the seeds of the corpora: `cargo run -p puma-engine --example fuzz_seeds`.
//!
//! Seeds are small, so that a mutation has a chance to hit what matters: the testkit's models with eight tokens, each
//! pre-tokenizer with a line of text, and the templates that the engine's goldens render.

#![allow(clippy::print_stdout, reason = "a command-line program talks to its caller")]

use puma_engine::gguf::{Gguf, Value};
use puma_testkit::gguf::{Architecture, Experts, GgufWriter, MetadataValue, RopeScaling, TensorType, TinyModel};
use std::fs;
use std::path::Path;

/// Tokens that a shrunk model keeps.
const TOKENS: u64 = 8;
const TEXT: &str = "It's 12345 x²  \n\n\tÀb字か。 <tool> !?\u{a0} 'LL\r\n <|im_end|> 🙂";
const PRE_TOKENIZERS: [&str; 20] = [
    "default",
    "llama-bpe",
    "qwen2",
    "qwen35",
    "jais-2",
    "laguna",
    "minicpm5",
    "ufakzeka",
    "bailingmoe",
    "seed-coder",
    "exaone-moe",
    "tekken",
    "gpt-4o",
    "deepseek-llm",
    "deepseek-coder",
    "deepseek-v3",
    "falcon",
    "bloom",
    "smollm",
    "gpt-2",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    models()?;
    tokenizers()?;
    templates()
}

fn write(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    println!("{target}/{name}: {} bytes", bytes.len());
    fs::write(folder.join(name), bytes)
}

fn models() -> Result<(), Box<dyn std::error::Error>> {
    let types = [TensorType::Q5_1, TensorType::IQ4NL, TensorType::MXFP4];
    let yarn = RopeScaling::Yarn { factor: 4.0, original_context: 128 };
    let by_type = types.map(|kind| TinyModel::new(Architecture::Llama, kind));
    let by_architecture = Architecture::ALL.map(|architecture| TinyModel::new(architecture, TensorType::Q4_0));
    let stretched = TinyModel { rope_scaling: yarn, ..TinyModel::new(Architecture::Llama, TensorType::Q8_0) };
    for model in by_type.into_iter().chain(by_architecture).chain([stretched]) {
        let tiny = small(model);
        let name = format!("{}-{}", tiny.architecture.name(), tiny.tensor_type.name().to_lowercase());
        write("gguf", &name, &shrunk(&tiny.write())?)?;
    }
    Ok(())
}

/// As narrow as blocks of 32 weights allow.
fn small(model: TinyModel) -> TinyModel {
    TinyModel {
        layers: model.layers.min(2),
        heads: 2,
        kv_heads: 1,
        embedding: 32,
        ffn: 32,
        head_length: model.head_length.map(|_| 32),
        rope_length: model.rope_length.map(|_| 8),
        experts: model.experts.map(|_| Experts { count: 2, used: 1, ffn: 32 }),
        ..model
    }
}

/// The model with its first tokens only.
fn shrunk(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let gguf = Gguf::from_bytes(bytes.to_vec())?;
    let mut file = GgufWriter::new(3);
    for (key, value) in gguf.metadata().iter() {
        let value = match value {
            Value::U32(number) => MetadataValue::U32(*number),
            Value::F32(number) => MetadataValue::F32(*number),
            Value::Bool(flag) => MetadataValue::Bool(*flag),
            Value::String(text) => MetadataValue::String(text.clone()),
            Value::Strings(list) => {
                MetadataValue::Strings(list.iter().take(TOKENS as usize).map(str::to_owned).collect())
            }
            Value::Integers(list) => MetadataValue::I32s(
                list.iter().take(TOKENS as usize).map(|&number| i32::try_from(number)).collect::<Result<_, _>>()?,
            ),
            Value::Floats(list) => MetadataValue::F32s(list.iter().take(TOKENS as usize).copied().collect()),
            other => return Err(format!("{key} has a value that no tiny model has: {other:?}").into()),
        };
        file.metadata(key, value);
    }
    for tensor in gguf.tensors() {
        let mut shape = tensor.shape.clone();
        let mut data = gguf.data(tensor);
        if matches!(&*tensor.name, "token_embd.weight" | "output.weight") {
            data = &data[..data.len() / usize::try_from(shape[1])? * TOKENS as usize];
            shape[1] = TOKENS;
        }
        file.raw_tensor(&tensor.name, &shape, tensor.kind.id(), data.to_vec());
    }
    Ok(file.finish())
}

fn tokenizers() -> std::io::Result<()> {
    for name in PRE_TOKENIZERS {
        write("tokenizer", &format!("known-{name}"), format!("\0{name}\x1e{TEXT}").as_bytes())?;
    }
    write("tokenizer", "known-sentence-piece", format!("\x02\x1e{TEXT}").as_bytes())?;
    let pairs = "a\x1fb\x1fab\x1fĠ\x1fĠab\x1f<|im_end|>\x1eab\x1fa b\x1fĠ ab\x1e\x01\x01\x01\x01\x01\x03";
    write("tokenizer", "own-byte-pairs", format!("\x2dgpt-2\x1e{pairs}\x1eab ab<|im_end|>").as_bytes())?;
    let pieces = "<unk>\x1f<s>\x1f</s>\x1f<0x0A>\x1f▁\x1fa\x1fb\x1fab\x1f▁ab\x1e\x01\x02\x03\x04\x05\x06\x07\x08";
    write("tokenizer", "own-sentence-piece", format!("\x17\x1e{pieces}\x1e\x1eab ab\nc").as_bytes())
}

fn templates() -> Result<(), Box<dyn std::error::Error>> {
    let turns = "user\x1eIs it <|im_end|> urgent?\x1eassistant\x1eNo.\x1euser\x1eWhy? 字";
    write("template", "fallback", format!("\x1e{turns}").as_bytes())?;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/chat/rendered.json");
    let golden: serde_json::Value = serde_json::from_str(&fs::read_to_string(golden)?)?;
    for entry in golden.as_array().ok_or("the goldens are a list")? {
        let text = |key: &str| entry[key].as_str().ok_or("the goldens have names and templates");
        let name: String = text("name")?.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        write("template", &name, format!("{}\x1e{turns}", text("template")?).as_bytes())?;
    }
    Ok(())
}
