//! The files that goldens from llama.cpp are made of. Changing one of them means making its goldens again
//! (`scripts/golden/engine`).

use super::architecture::Architecture;
use super::tiny_model::{RopeScaling, TinyModel};
use super::vocabulary::Vocabulary;
use super::writer::MetadataValue;
use puma_kernels::TensorType;

/// Every pre-tokenizer name whose splits are compared, one for each rule set and the commonest aliases.
const PRE_TOKENIZERS: [&str; 39] = [
    "default",
    "gpt-2",
    "llama-bpe",
    "smaug-bpe",
    "smollm",
    "qwen2",
    "deepseek-r1-qwen",
    "qwen35",
    "tekken",
    "starcoder",
    "refact",
    "command-r",
    "deepseek-llm",
    "deepseek-coder",
    "deepseek-v3",
    "falcon",
    "falcon3",
    "mpt",
    "olmo",
    "dbrx",
    "stablelm2",
    "gpt-4o",
    "chatglm-bpe",
    "glm4",
    "poro-chat",
    "viking",
    "bloom",
    "jais",
    "jais-2",
    "exaone",
    "bailingmoe",
    "seed-coder",
    "trillion",
    "minerva-7b",
    "exaone-moe",
    "hunyuan-dense",
    "minicpm5",
    "ufakzeka",
    "laguna",
];

/// How many tensor types, in the order of [`TensorType::all`], are compared in both of the first architectures; one is
/// enough for those that came later. Seeds go by that order.
const FIRST_TYPES: usize = 13;

/// Tiny random models by name: each architecture with each tensor type, then variants of the rest.
pub fn golden_models() -> Vec<(String, TinyModel)> {
    let mut models = Vec::new();
    // Q8_K is a type for activations: llama.cpp multiplies no weights stored in it.
    let types: Vec<_> = TensorType::all().filter(|kind| *kind != TensorType::Q8K).enumerate().collect();
    for (architecture, types) in [(Architecture::Llama, &types[..]), (Architecture::Qwen2, &types[..FIRST_TYPES])] {
        for &(index, kind) in types {
            let name = format!("{}-{}", architecture.name(), kind.name().to_lowercase());
            models.push((name, TinyModel { seed: 100 + index as u64, ..TinyModel::new(architecture, kind) }));
        }
    }
    let llama = TinyModel::new(Architecture::Llama, TensorType::Q8_0);
    let qwen2 = TinyModel::new(Architecture::Qwen2, TensorType::Q8_0);
    let yarn = RopeScaling::Yarn { factor: 4.0, original_context: 128 };
    let variants = [
        ("llama-untied", TinyModel { tied: false, seed: 201, ..llama.clone() }),
        ("llama-mha", TinyModel { kv_heads: 4, seed: 202, ..llama.clone() }),
        ("llama-mqa", TinyModel { heads: 8, kv_heads: 1, seed: 203, ..llama.clone() }),
        (
            "llama-rope-linear",
            TinyModel { rope_scaling: RopeScaling::Linear { factor: 4.0 }, seed: 204, ..llama.clone() },
        ),
        ("llama-rope-yarn", TinyModel { rope_scaling: yarn, seed: 205, ..llama.clone() }),
        (
            "llama-rope-factors",
            TinyModel {
                rope_scaling: RopeScaling::FrequencyFactors,
                rope_freq_base: 500_000.0,
                seed: 206,
                ..llama.clone()
            },
        ),
        ("llama-spm", TinyModel { vocabulary: Vocabulary::SentencePiece, seed: 207, ..llama }),
        ("qwen2-untied", TinyModel { tied: false, rope_freq_base: 1_000_000.0, seed: 208, ..qwen2.clone() }),
        ("qwen2-rope-yarn", TinyModel { rope_scaling: yarn, seed: 209, ..qwen2 }),
    ];
    models.extend(variants.map(|(name, model)| (name.to_owned(), model)));
    models
}

/// Tiny random models of the architectures that came later, by name: each in F32, where nothing but the order of sums
/// tells two programs apart, and in two quantised types.
pub fn golden_architectures() -> Vec<(String, TinyModel)> {
    let kinds = [TensorType::F32, TensorType::Q8_0, TensorType::Q4K];
    let each = (300..).zip(&Architecture::ALL[2..]).flat_map(|(seed, &architecture)| {
        kinds.map(|kind| {
            let name = format!("{}-{}", architecture.name(), kind.name().to_lowercase());
            (name, TinyModel { seed, ..TinyModel::new(architecture, kind) })
        })
    });
    let variants = architecture_variants().map(|(name, model)| (name.to_owned(), model));
    each.chain(variants).collect()
}

/// What published models of the architectures do beyond [`TinyModel::new`], in F32.
fn architecture_variants() -> [(&'static str, TinyModel); 7] {
    let plain = |architecture, seed| TinyModel { seed, ..TinyModel::new(architecture, TensorType::F32) };
    let length = MetadataValue::U32;
    let original_context = "rope.scaling.original_context_length";
    let long = RopeScaling::Long { attention_factor: 1.19 };
    let stretched = |seed| TinyModel { rope_scaling: long, context: 4096, ..plain(Architecture::Phi3, seed) };
    let linear = RopeScaling::Linear { factor: 8.0 };
    let optional = ["attention.scale", "embedding_scale", "residual_scale"];
    let mut unscaled = plain(Architecture::Granite, 324);
    unscaled.settings.retain(|(key, _)| !optional.contains(key));
    [
        // Stretched where everything is seen only, and another base where it slides.
        (
            "gemma3-rope-linear",
            TinyModel { rope_scaling: linear, ..plain(Architecture::Gemma3, 320) }
                .with("rope.freq_base_swa", MetadataValue::F32(20_000.0)),
        ),
        (
            "gemma2-two-of-three-slide",
            plain(Architecture::Gemma2, 321).with("attention.sliding_window_pattern", length(3)),
        ),
        // The prompts' context is longer than the original one, then shorter.
        ("phi3-rope-long", stretched(322).with(original_context, length(256))),
        ("phi3-rope-short", stretched(323).with(original_context, length(2048))),
        // Phi 4 mini: a quarter of each head does not turn.
        ("phi3-rope-partial", TinyModel { rope_length: Some(48), ..plain(Architecture::Phi3, 325) }),
        ("granite-unscaled", unscaled),
        ("qwen3-untied", TinyModel { tied: false, ..plain(Architecture::Qwen3, 326) }),
    ]
}

/// Files that differ in their vocabulary only, by name.
pub fn golden_vocabularies() -> Vec<(String, TinyModel)> {
    let with = |vocabulary| TinyModel {
        layers: 1,
        heads: 1,
        kv_heads: 1,
        embedding: 32,
        ffn: 32,
        vocabulary,
        ..TinyModel::new(Architecture::Llama, TensorType::Q4_0)
    };
    let byte_pairs =
        PRE_TOKENIZERS.map(|pre| (format!("bpe-{pre}"), with(Vocabulary::BytePairs { pre: pre.to_owned() })));
    let mut files = byte_pairs.to_vec();
    files.push(("spm".to_owned(), with(Vocabulary::SentencePiece)));
    files.push(("gemma".to_owned(), with(Vocabulary::Gemma)));
    // Readers know by the name whether white space after a special token belongs to it.
    let phi3 = TinyModel { name: "tiny phi3".to_owned(), ..with(Vocabulary::Phi3) };
    files.push(("phi3-unnamed".to_owned(), with(Vocabulary::Phi3)));
    files.push(("phi3".to_owned(), phi3));
    files
}
