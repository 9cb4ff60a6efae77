//! Every architecture: one digest whatever the machine does, defaults of keys that are absent, and refusals that name
//! what is missing. That the numbers are right is `llama_cpp_logprobs.rs`'s business.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_engine::config::RopeScaling;
use puma_engine::gguf::Gguf;
use puma_engine::model::FeedForward;
use puma_engine::{DigestOptions, Level, Model, digest};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, GgufWriter, MetadataValue, TinyModel, Vocabulary};
use std::sync::Arc;

fn tiny(architecture: Architecture, kind: TensorType) -> TinyModel {
    TinyModel { vocabulary: Vocabulary::BytePairs { pre: "smollm".to_owned() }, ..TinyModel::new(architecture, kind) }
}

fn load(tiny: &TinyModel) -> Arc<Model> {
    Arc::new(Model::from_gguf(Gguf::from_bytes(tiny.write()).unwrap()).unwrap())
}

fn refusal(tiny: &TinyModel) -> String {
    Model::from_gguf(Gguf::from_bytes(tiny.write()).unwrap()).unwrap_err().to_string()
}

#[test]
fn every_architecture_has_one_digest_whatever_the_machine_does() {
    for architecture in Architecture::ALL {
        let model = load(&tiny(architecture, TensorType::Q8_0));
        let plain =
            DigestOptions { level: Level::best(), threads: 1, batch: 1, chunk_tokens: 512, ..Default::default() };
        let want = digest(&model, &DigestOptions { reuse_prefixes: false, ..plain }).unwrap().hex;
        for (threads, batch, chunk_tokens) in [(2, 8, 40), (3, 3, 7), (1, 9, 64)] {
            let options = DigestOptions { threads, batch, chunk_tokens, reuse_prefixes: true, ..plain };
            assert_eq!(digest(&model, &options).unwrap().hex, want, "{} {options:?}", architecture.name());
        }
        let scalar = DigestOptions { level: Level::Scalar, batch: 8, chunk_tokens: 128, ..plain };
        assert_eq!(digest(&model, &scalar).unwrap().hex, want, "{} scalar", architecture.name());
    }
}

#[test]
fn no_choice_of_an_architecture_is_without_effect() {
    let hex = |tiny: &TinyModel| digest(&load(tiny), &DigestOptions::default()).unwrap().hex;
    let changes = [
        (Architecture::Gemma2, "attention.sliding_window", MetadataValue::U32(17)),
        (Architecture::Gemma2, "attn_logit_softcapping", MetadataValue::F32(4.0)),
        (Architecture::Gemma2, "final_logit_softcapping", MetadataValue::F32(9.0)),
        (Architecture::Gemma2, "rope.freq_base_swa", MetadataValue::F32(5000.0)),
        (Architecture::Gemma3, "attention.sliding_window_pattern", MetadataValue::U32(3)),
        (Architecture::Gemma3, "rope.freq_base_swa", MetadataValue::F32(20_000.0)),
        (Architecture::Granite, "attention.scale", MetadataValue::F32(0.06)),
        (Architecture::Granite, "embedding_scale", MetadataValue::F32(3.0)),
        (Architecture::Granite, "residual_scale", MetadataValue::F32(0.8)),
        (Architecture::Granite, "logit_scale", MetadataValue::F32(2.5)),
        (Architecture::Granite, "rope.scaling.finetuned", MetadataValue::Bool(false)),
        (Architecture::Mistral3, "attention.temperature_scale", MetadataValue::F32(0.2)),
        (Architecture::Mistral3, "rope.scaling.yarn_log_multiplier", MetadataValue::F32(0.5)),
    ];
    for (architecture, key, value) in changes {
        let plain = tiny(architecture, TensorType::Q8_0);
        assert_ne!(hex(&plain), hex(&plain.clone().with(key, value)), "{} {key}", architecture.name());
    }
}

#[test]
fn layers_differ_as_their_architecture_says() {
    let windows = |architecture| -> Vec<Option<usize>> {
        load(&tiny(architecture, TensorType::Q8_0)).config().layers.iter().map(|layer| layer.window).collect()
    };
    assert_eq!(windows(Architecture::Gemma2), [Some(16), None, Some(16), None]);
    assert_eq!(windows(Architecture::Gemma3), [Some(16), Some(16), Some(16), Some(16), Some(16), None]);
    assert_eq!(windows(Architecture::Phi3), [None, None]);
    let smollm3 = load(&tiny(Architecture::Smollm3, TensorType::Q8_0));
    let ropes: Vec<Option<usize>> = smollm3.config().layers.iter().map(|layer| layer.rope).collect();
    assert_eq!(ropes, [Some(0), Some(0), Some(0), None, Some(0)]);
    let moe = load(&tiny(Architecture::Qwen3Moe, TensorType::Q8_0));
    let experts = moe.config().experts.unwrap();
    assert_eq!((experts.count, experts.used, experts.feed_forward_length), (8, 2, 256));
    assert!(
        moe.layers()
            .iter()
            .all(|layer| matches!(&layer.feed_forward, FeedForward::Experts(experts) if experts.each.len() == 8))
    );
}

#[test]
fn gemma3_files_of_ollamas_converter_mean_the_same() {
    let model = TinyModel { context: 131_072, ..tiny(Architecture::Gemma3, TensorType::Q8_0) };
    let set = |key, value| model.clone().with(key, MetadataValue::F32(value));
    let want = load(&set("rope.scaling.factor", 8.0));
    assert_eq!(want.config().ropes[0].scaling, RopeScaling::Linear { factor: 8.0 });
    assert_eq!(want.config().ropes[1].scaling, RopeScaling::None);
    let bytes = model.write();
    // The two keys the converter leaves out, and the one it spells otherwise, are renamed to something unknown.
    let bytes = renamed(bytes, "gemma3.attention.layer_norm_rms_epsilon", "gemma3.attention.layer_norm_rms_unknown");
    let bytes = renamed(bytes, "gemma3.rope.freq_base", "gemma3.rope.base_freq");
    let got = Model::from_gguf(Gguf::from_bytes(bytes).unwrap()).unwrap();
    assert_eq!(got.config().ropes, want.config().ropes);
    assert_eq!(got.config().layer_norm_rms_epsilon, 1e-6);
}

/// `bytes` with one key's name replaced by another of the same length.
fn renamed(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn an_unknown_architecture_is_refused_with_what_is_unknown_about_it() {
    let file = |part: &str| {
        let mut file = GgufWriter::new(3);
        file.metadata("general.architecture", "mamba7");
        for part in ["attn_norm.weight", part] {
            file.raw_tensor(&format!("blk.0.{part}"), &[4], TensorType::F32.id(), vec![0; 16]);
        }
        Model::from_gguf(Gguf::from_bytes(file.finish()).unwrap()).unwrap_err()
    };
    let error = file("ssm_conv1d.weight");
    let message = error.to_string();
    assert!(message.contains("`mamba7`") && message.ends_with("no known architecture has: ssm_conv1d"), "{message}");
    assert!(error.hint().unwrap().contains("qwen3moe"));
    let message = file("attn_q.weight").to_string();
    assert!(message.ends_with("how they are joined is unknown"), "{message}");
}

#[test]
fn keys_that_ask_for_what_the_engine_does_not_compute_are_named() {
    let llama = || tiny(Architecture::Llama, TensorType::Q8_0);
    for (key, value) in [
        ("attention.clamp_kqv", MetadataValue::F32(8.0)),
        ("attention.causal", MetadataValue::Bool(false)),
        ("use_parallel_residual", MetadataValue::Bool(true)),
    ] {
        let message = refusal(&llama().with(key, value));
        assert!(message.contains(&format!("(metadata key llama.{key})")), "{message}");
    }
    load(&llama().with("attention.clamp_kqv", MetadataValue::F32(0.0)));
    let message = refusal(&tiny(Architecture::Qwen3, TensorType::Q8_0).with("expert_count", MetadataValue::U32(4)));
    assert!(message.contains("4 experts are unknown in the architecture `qwen3`"), "{message}");
    let message = refusal(&llama().with("rope.scaling.type", MetadataValue::String("longrope".to_owned())));
    assert!(message.contains("rope_factors_short.weight is missing"), "{message}");
    let message = refusal(&llama().with("rope.scaling.type", MetadataValue::String("spiral".to_owned())));
    assert!(message.contains("the scaling `spiral` is not supported"), "{message}");
}
