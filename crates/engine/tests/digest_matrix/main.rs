//! One digest whatever the instruction set, the threads, the batch, the order, the reuse and the steps, in every
//! combination: all of them for tiny models, every pair of settings for the real one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cover;
mod settings;

use puma_engine::gguf::Gguf;
use puma_engine::{
    Architecture, DigestOptions, Engine, EngineError, EngineOptions, GenerateRequest, Generation, Level, Model,
    Observer, digest,
};
use puma_testkit::gguf::{self as testkit, TensorType, TinyModel};
use serde_json::Value;
use settings::{Settings, vary};
use std::collections::BTreeSet;
use std::sync::Arc;

const DIGESTS: &str = include_str!("../golden/digests.json");

/// A model of `architecture` that takes milliseconds.
fn tiny(architecture: Architecture) -> Arc<Model> {
    let named = |known: &testkit::Architecture| known.name() == architecture.name();
    let known = testkit::Architecture::ALL.into_iter().find(named);
    let known = known.unwrap_or_else(|| panic!("the testkit writes no tiny model of {}", architecture.name()));
    let model = TinyModel { embedding: 64, ffn: 64, ..TinyModel::new(known, TensorType::Q4_0) };
    Arc::new(Model::from_gguf(Gguf::from_bytes(model.write()).unwrap()).unwrap())
}

fn assert_one_digest(model: &Arc<Model>, want: &str, rows: &[DigestOptions], what: &str) {
    for options in rows {
        let got = digest(model, options).unwrap();
        assert_eq!(got.hex, want, "{what}: {options:?}");
    }
}

fn plainest(model: &Arc<Model>) -> String {
    let plain = DigestOptions {
        level: Level::Scalar,
        threads: 1,
        batch: 1,
        chunk_tokens: 1,
        reuse_prefixes: false,
        order: None,
        ..DigestOptions::default()
    };
    digest(model, &plain).unwrap().hex
}

#[test]
fn a_llama_has_one_digest_in_every_combination_of_all_settings() {
    let model = tiny(Architecture::Llama);
    let rows = Settings::all().product();
    assert!(rows.len() >= 192, "{} combinations", rows.len());
    assert_one_digest(&model, &plainest(&model), &rows, "llama");
}

#[test]
fn every_architecture_has_one_digest_at_every_level_with_any_threads_batch_and_reuse() {
    for architecture in Architecture::ALL {
        let model = tiny(architecture);
        // Order and steps vary along, so that each is met by every other setting, though not by all together.
        let settings = Settings { orders: vec![None], chunks: vec![128], ..Settings::all() };
        let rows: Vec<DigestOptions> = settings.product().into_iter().enumerate().map(vary).collect();
        assert_one_digest(&model, &plainest(&model), &rows, architecture.name());
    }
}

#[test]
fn the_real_model_has_the_committed_digest_for_every_pair_of_settings() {
    let Some(path) = puma_testkit::real_model::smollm2("the digest of every pair of settings") else { return };
    let model = Arc::new(Model::open(&path).unwrap());
    let digests: Value = serde_json::from_str(DIGESTS).unwrap();
    let want = digests["real"][0]["digest"].as_str().unwrap();
    // Scalar code takes most of a minute for one digest, so that it is met once.
    let scalar = DigestOptions { level: Level::Scalar, threads: 2, order: Some(1), ..DigestOptions::default() };
    let fast: Vec<Level> = Level::available().into_iter().filter(|&level| level != Level::Scalar).collect();
    let settings = Settings { levels: fast, chunks: vec![7, 64, 512], ..Settings::all() };
    let mut rows = settings.pairwise();
    rows.push(scalar);
    assert_one_digest(&model, want, &rows, "the real model");
}

/// Collects the bits of each request's logits.
struct Bits(Vec<Vec<u32>>);

impl Observer for Bits {
    fn logits(&mut self, request: usize, logits: &[f32]) {
        self.0[request].extend(logits.iter().map(|logit| logit.to_bits()));
    }

    fn finished(&mut self, _request: usize, result: Result<Generation, EngineError>) {
        result.unwrap();
    }
}

/// The digest asks nine prompts; a batch of 64 needs more.
#[test]
fn sixty_four_neighbours_change_no_bit_of_an_answer() {
    let model = tiny(Architecture::Llama);
    let request = |number: u32| GenerateRequest {
        prompt: (0..1 + number % 45).map(|at| (at * 7 + number * 11) % 900).collect(),
        max_tokens: 1 + (number % 3) as usize,
        temperature: f64::from(number % 2),
        seed: u64::from(number),
        ..GenerateRequest::default()
    };
    let requests: Vec<GenerateRequest> = (0..70).map(request).collect();
    let answers = |batch: usize, threads: usize| {
        let options = EngineOptions { threads, max_batch: batch, chunk_tokens: 96, ..EngineOptions::default() };
        let mut bits = Bits(vec![Vec::new(); requests.len()]);
        Engine::new(Arc::clone(&model), options).unwrap().generate(&requests, &|| false, &mut bits);
        bits.0
    };
    let want = answers(1, 1);
    assert!(want.iter().collect::<BTreeSet<_>>().len() > 60, "the answers differ from each other");
    for (batch, threads) in [(64, 1), (64, 3), (70, 2), (13, 7)] {
        assert!(answers(batch, threads) == want, "batch {batch}, {threads} threads");
    }
}

#[test]
fn the_contract_names_the_digest_of_the_real_model() {
    let digests: Value = serde_json::from_str(DIGESTS).unwrap();
    let page = include_str!("../../../../docs/numerics.md");
    for real in digests["real"].as_array().unwrap() {
        let digest = real["digest"].as_str().unwrap();
        assert!(page.contains(digest), "docs/numerics.md does not know {digest}");
    }
    assert!(page.contains("crates/engine/tests/golden/digests.json"), "the page says where all digests are");
    assert_eq!(digests["contract"], puma_engine::CONTRACT);
}
