//! The real Gemma 3: its committed digest.

use puma_engine::{DigestOptions, Model, digest};
use std::sync::Arc;

/// Of Gemma 3 270m `Q4_K_M` under N1; also in docs/numerics.md.
const DIGEST: (&str, &str) = ("N1", "4298a1135b49df1f16e9f512ff2773e25ca822e9a936e17f01bd9fca493a26d5");

#[test]
fn the_real_gemma_has_the_committed_digest() {
    let Some(path) = puma_testkit::real_model::gemma3("the real Gemma's digest") else { return };
    let model = Arc::new(Model::open(&path).expect("the model file is whole"));
    for (threads, batch, reuse_prefixes) in [(1, 8, true), (2, 1, false)] {
        let options = DigestOptions { threads, batch, reuse_prefixes, ..DigestOptions::default() };
        let got = digest(&model, &options).expect("the model computes finite numbers");
        assert_eq!((got.contract, got.hex.as_str()), DIGEST, "{got:?}");
    }
}
