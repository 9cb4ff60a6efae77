//! The real default model: its committed digests.

use puma_engine::{DigestOptions, KvType, Level, Model, digest};
use std::sync::Arc;

/// Of SmolLM2-135M-Instruct `Q4_1` under N1; also in docs/numerics.md.
const DIGEST: (&str, &str) = ("N1", "11962aa4698d53e66d3d55f52e7d054c605a591c7ee48439780a6071b61ee9c7");

/// Of the same model with keys and values in binary16.
const HALF_DIGEST: (&str, &str) = ("N1+kv-f16", "f46fac1a2a5898f18706fe2905c58c86687cddbf40c969c993a1455c722c5562");

#[test]
fn the_real_model_has_the_committed_digest() {
    let Some(path) = puma_testkit::real_model::smollm2("the real model's digest") else { return };
    let model = Arc::new(Model::open(&path).expect("the model file is whole"));
    for (threads, batch, reuse_prefixes) in [(1, 8, true), (2, 1, false)] {
        for (kv_type, want) in [(KvType::F32, DIGEST), (KvType::F16, HALF_DIGEST)] {
            let (level, rest) = (Level::best(), DigestOptions::default());
            let options = DigestOptions { level, threads, batch, reuse_prefixes, kv_type, ..rest };
            let got = digest(&model, &options).expect("the model computes finite numbers");
            assert_eq!((got.contract, got.hex.as_str()), want, "{got:?}");
        }
    }
}
