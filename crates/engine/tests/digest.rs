//! One digest per model: instruction set, threads, batch, steps and reuse change no bit of any logit.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use puma_engine::gguf::Gguf;
use puma_engine::{DigestOptions, KvType, Level, Model, digest};
use puma_kernels::TensorType;
use puma_testkit::gguf::{Architecture, RopeScaling, TinyModel, Vocabulary};
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

/// Contract version, architecture, tensor type and the digest under it. A new version needs new digests.
const COMMITTED: [(&str, Architecture, TensorType, &str); 11] = [
    ("N1", Architecture::Llama, TensorType::Q4_1, "1f55a08ba42f69a97a23174ed5a4209b42fd491c14116e121bb9a5764ad56fa4"),
    ("N1", Architecture::Qwen2, TensorType::Q6K, "bea2b814e0cffcf52cd6c3bdf6f1f47ea2d75143f4ba180a09daca0c0a317e35"),
    ("N1", Architecture::Qwen2, TensorType::BF16, "7ea4671c88a48d3c99a056447313089614843f7dff5b71c3addcc110c01d59b8"),
    ("N1", Architecture::Qwen3, TensorType::Q4K, "363bd9ebef03590a89135cfc16a0c7dd00e9536863999204d1e394884113a663"),
    (
        "N1",
        Architecture::Qwen3Moe,
        TensorType::Q8_0,
        "c5bdd1abd070f9b8de6bdc28a73ae5dc5afb43dd83aea4980d690f580cac05e7",
    ),
    ("N1", Architecture::Gemma2, TensorType::Q5K, "d8b06e7b4e89370c963ec75d27560acc60bd9564d9b2f6316861c3ee7fd5a9b0"),
    ("N1", Architecture::Gemma3, TensorType::Q5_0, "cf27359cf62f60d745cd626cce5ffd8d165a25b5001fe4641e58c051ea9ab0fd"),
    ("N1", Architecture::Phi3, TensorType::IQ4NL, "4e9009e1c2df2b9bc604952fe66651b4502e85b21e2b007fcf9e9b286ccf3c40"),
    (
        "N1",
        Architecture::Smollm3,
        TensorType::IQ4XS,
        "bde0631a71052d436e9962abab400dc4443a0a85ec92c04ed3cbbeadfed7da6c",
    ),
    (
        "N1",
        Architecture::Granite,
        TensorType::MXFP4,
        "624f3cad4441b97f66a6bc2966a55ebe23be481774853bee8762a4ae9e5c9ed4",
    ),
    (
        "N1",
        Architecture::Mistral3,
        TensorType::Q4_0,
        "5e4b59d3ceb4374a5219bbd045061061795a55e94a6aee2432cf6e229ad038ba",
    ),
];

#[test]
fn tiny_models_have_the_committed_digests() {
    let mut found = Vec::new();
    for (_, architecture, kind, _) in COMMITTED {
        let got = digest(&load(&TinyModel::new(architecture, kind)), &DigestOptions::default()).unwrap();
        found.push((got.contract, architecture, kind, got.hex));
    }
    let committed = COMMITTED.map(|(contract, architecture, kind, hex)| (contract, architecture, kind, hex.to_owned()));
    assert_eq!(found, committed);
}

#[test]
fn a_model_tells_its_quantisation_and_size() {
    let model = load(&TinyModel::new(Architecture::Llama, TensorType::Q5K));
    assert_eq!(model.quantization(), "Q5_K");
    assert!(model.parameter_count() > 256 * model.vocabulary_len() as u64);
}
