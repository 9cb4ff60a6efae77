//! One digest per model: instruction set, threads, batch, steps and reuse change no bit of any logit.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_engine::gguf::Gguf;
use puma_engine::{DigestOptions, KvType, Level, Model, digest};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, RopeScaling, TinyModel, Vocabulary};
use serde::Deserialize;
use std::sync::Arc;

fn load(tiny: &TinyModel) -> Arc<Model> {
    Arc::new(Model::from_gguf(Gguf::from_bytes(tiny.write()).unwrap()).unwrap())
}

/// A model with a small vocabulary, so that scalar code is quick enough.
fn tiny(architecture: Architecture, kind: TensorType) -> TinyModel {
    TinyModel { vocabulary: Vocabulary::BytePairs { pre: "smollm".to_owned() }, ..TinyModel::new(architecture, kind) }
}

fn options(level: Level, threads: usize, batch: usize, chunk_tokens: usize, reuse_prefixes: bool) -> DigestOptions {
    DigestOptions { level, threads, batch, chunk_tokens, reuse_prefixes, ..DigestOptions::default() }
}

#[test]
fn every_tensor_type_and_architecture_has_one_digest() {
    for architecture in [Architecture::Llama, Architecture::Qwen2] {
        for kind in TensorType::all() {
            let model = load(&tiny(architecture, kind));
            let want = digest(&model, &options(Level::best(), 1, 1, 512, false)).unwrap().hex;
            for level in Level::available() {
                for (threads, batch, chunk, reuse) in [(2, 8, 40, true), (1, 3, 512, true)] {
                    let got = digest(&model, &options(level, threads, batch, chunk, reuse)).unwrap();
                    assert_eq!(got.hex, want, "{} {} {got:?}", architecture.name(), kind.name());
                }
            }
        }
    }
}

#[test]
fn every_architecture_has_one_digest() {
    for architecture in &Architecture::ALL[2..] {
        let model = load(&tiny(*architecture, TensorType::Q4K));
        let want = digest(&model, &options(Level::best(), 1, 1, 512, false)).unwrap().hex;
        for level in Level::available() {
            for (threads, batch, chunk, reuse) in [(2, 8, 40, true), (3, 2, 7, false)] {
                let got = digest(&model, &options(level, threads, batch, chunk, reuse)).unwrap();
                assert_eq!(got.hex, want, "{} {got:?}", architecture.name());
            }
        }
    }
}

#[test]
fn a_prompt_computed_token_by_token_equals_one_computed_at_once() {
    let model = load(&tiny(Architecture::Llama, TensorType::Q4_1));
    let want = digest(&model, &options(Level::best(), 1, 1, 512, false)).unwrap().hex;
    for (threads, batch, chunk, reuse) in [(1, 1, 1, false), (1, 8, 1, true), (3, 2, 7, true), (2, 9, 64, false)] {
        assert_eq!(digest(&model, &options(Level::best(), threads, batch, chunk, reuse)).unwrap().hex, want);
    }
}

#[test]
fn keys_and_values_in_f16_have_a_contract_and_one_digest_of_their_own() {
    let model = load(&tiny(Architecture::Llama, TensorType::Q8_0));
    let in_f32 = digest(&model, &options(Level::best(), 1, 1, 512, false)).unwrap();
    let f16 = |options: DigestOptions| digest(&model, &DigestOptions { kv_type: KvType::F16, ..options }).unwrap();
    let want = f16(options(Level::best(), 1, 1, 512, false));
    assert_eq!((in_f32.contract, want.contract), ("N1", "N1+kv-f16"));
    assert_ne!(in_f32.hex, want.hex);
    for level in Level::available() {
        for (threads, batch, chunk, reuse) in [(2, 8, 40, true), (1, 3, 512, true), (1, 1, 1, false)] {
            assert_eq!(f16(options(level, threads, batch, chunk, reuse)).hex, want.hex, "{level}");
        }
    }
}

#[test]
fn weights_rope_and_biases_change_the_digest() {
    let base = tiny(Architecture::Qwen2, TensorType::Q8_0);
    let variants = [
        base.clone(),
        TinyModel { seed: 2, ..base.clone() },
        TinyModel { tied: false, ..base.clone() },
        TinyModel { rope_freq_base: 20_000.0, ..base.clone() },
        TinyModel { rope_scaling: RopeScaling::Linear { factor: 2.0 }, ..base.clone() },
        TinyModel { rope_scaling: RopeScaling::Yarn { factor: 4.0, original_context: 128 }, ..base.clone() },
        TinyModel { rope_scaling: RopeScaling::FrequencyFactors, ..base.clone() },
        TinyModel { architecture: Architecture::Llama, ..base.clone() },
        TinyModel { architecture: Architecture::Llama, qkv_bias: false, ..base },
    ];
    let mut seen = Vec::new();
    for variant in &variants {
        let hex = digest(&load(variant), &options(Level::best(), 1, 4, 128, true)).unwrap().hex;
        assert!(!seen.contains(&hex), "{variant:?}");
        seen.push(hex);
    }
}

/// One committed digest; `width` is of the residual stream and the feed-forward network, where not the usual.
#[derive(Deserialize)]
struct Entry {
    architecture: String,
    #[serde(rename = "type")]
    kind: String,
    width: Option<u32>,
    digest: String,
}

impl Entry {
    fn model(&self) -> Arc<Model> {
        let architecture = Architecture::ALL.into_iter().find(|known| known.name() == self.architecture).unwrap();
        let kind = TensorType::all().find(|kind| kind.name() == self.kind).unwrap();
        let model = TinyModel::new(architecture, kind);
        load(&match self.width {
            Some(width) => TinyModel { embedding: width, ffn: width, ..model },
            None => model,
        })
    }
}

/// The digests under one contract version. A new version needs new digests.
#[derive(Deserialize)]
struct Committed {
    contract: String,
    tiny: Vec<Entry>,
}

fn committed() -> Committed {
    serde_json::from_str(include_str!("golden/digests.json")).unwrap()
}

#[test]
fn tiny_models_have_the_committed_digests() {
    let Committed { contract, tiny } = committed();
    let mut wrong = Vec::new();
    for entry in &tiny {
        let got = digest(&entry.model(), &DigestOptions::default()).unwrap();
        assert_eq!(got.contract, contract);
        if got.hex != entry.digest {
            wrong.push(format!("{} {}: {}", entry.architecture, entry.kind, got.hex));
        }
    }
    assert!(wrong.is_empty(), "these digests are not the committed ones:\n{}", wrong.join("\n"));
}

#[test]
fn every_architecture_and_every_tensor_type_has_a_committed_digest() {
    let tiny = committed().tiny;
    for architecture in puma_engine::Architecture::ALL {
        assert!(tiny.iter().any(|entry| entry.architecture == architecture.name()), "{}", architecture.name());
    }
    for kind in TensorType::all() {
        assert!(tiny.iter().any(|entry| entry.kind == kind.name()), "{}", kind.name());
    }
}

#[test]
fn a_model_tells_its_quantisation_and_size() {
    let model = load(&TinyModel::new(Architecture::Llama, TensorType::Q5K));
    assert_eq!(model.quantization(), "Q5_K");
    assert!(model.parameter_count() > 256 * model.vocabulary_len() as u64);
}
