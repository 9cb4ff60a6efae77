//! The proof of the numerics contract: a SHA-256 over the bits of logits on fixed prompts.
//!
//! One model and contract version has one digest, whatever the instruction set, threads, batch or reuse.

use crate::error::EngineError;
use crate::kv::KvType;
use crate::model::Model;
use crate::session::{Engine, EngineOptions, GenerateRequest, Generation, Observer};
use puma_kernels::Level;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Tokens generated greedily after each prompt, their logits included.
const GENERATED: usize = 4;
/// Prompt lengths: around the 32 positions of a cache block, the 64 lanes of a sum, and beyond a step's tokens.
const PROMPT_LENGTHS: [usize; 9] = [1, 2, 31, 33, 64, 70, 97, 130, 200];
/// Prompts longer than this share their first tokens, this many, so that reuse has something to reuse.
const SHARED: usize = 50;

/// How to compute a digest. No choice may change it but `kv_type`, whose name is part of the contract's.
#[derive(Clone, Copy, Debug)]
pub struct DigestOptions {
    pub level: Level,
    pub threads: usize,
    /// Prompts computed together.
    pub batch: usize,
    /// Tokens computed in one step.
    pub chunk_tokens: usize,
    /// Whether prompts may take over computed beginnings from each other.
    pub reuse_prefixes: bool,
    pub kv_type: KvType,
    /// Memory for keys and values, in bytes.
    pub kv_bytes: usize,
    /// Seed of the order in which the prompts are asked; `None` asks them as they are listed.
    pub order: Option<u64>,
}

impl Default for DigestOptions {
    fn default() -> Self {
        let EngineOptions { threads, level, max_batch, chunk_tokens, kv_type, kv_bytes, .. } = EngineOptions::default();
        Self { level, threads, batch: max_batch, chunk_tokens, reuse_prefixes: true, kv_type, kv_bytes, order: None }
    }
}

/// A digest and how it was computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// SHA-256 in lower-case hexadecimal.
    pub hex: String,
    /// The numerics contract: `N1`, or `N1+kv-f16`.
    pub contract: &'static str,
    /// Name of the instruction set.
    pub simd: &'static str,
    pub threads: usize,
    pub batch: usize,
}

/// Computes the digest of `model`: over each prompt, the bits of the logits that each of its four greedy tokens was
/// chosen from, little-endian; then over the contract's name and the prompts' hashes.
///
/// Prompts are ids from a fixed integer generator, so that the digest depends on the weights alone and not on the
/// tokenizer. Prompts that do not fit the model's context are shortened to it.
///
/// # Errors
/// The engine cannot be made (see [`Engine::new`]), or the model computes numbers that are not finite.
pub fn digest(model: &Arc<Model>, options: &DigestOptions) -> Result<Digest, EngineError> {
    let mut engine = Engine::new(
        Arc::clone(model),
        EngineOptions {
            threads: options.threads,
            level: options.level,
            max_batch: options.batch,
            chunk_tokens: options.chunk_tokens,
            kv_type: options.kv_type,
            kv_bytes: options.kv_bytes,
            reuse_prefixes: options.reuse_prefixes,
            ..EngineOptions::default()
        },
    )?;
    let room = engine.context_length().saturating_sub(GENERATED).max(1);
    let order = order(PROMPT_LENGTHS.len(), options.order);
    let requests: Vec<GenerateRequest> = order
        .iter()
        .map(|&index| GenerateRequest {
            prompt: prompt(PROMPT_LENGTHS[index].min(room), model.vocabulary_len()),
            max_tokens: GENERATED,
            ..GenerateRequest::default()
        })
        .collect();
    let mut hashes = Hashes { prompts: vec![Sha256::new(); requests.len()], order, error: None };
    engine.generate(&requests, &|| false, &mut hashes);
    if let Some(error) = hashes.error {
        return Err(error);
    }
    let mut all = Sha256::new();
    all.update(options.kv_type.contract().as_bytes());
    for prompt in hashes.prompts {
        all.update(prompt.finalize());
    }
    let hex = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let DigestOptions { level, threads, batch, kv_type, .. } = *options;
    Ok(Digest { hex, contract: kv_type.contract(), simd: level.name(), threads, batch })
}

/// `length` ids below `vocabulary`: the first [`SHARED`] the same for all long prompts, the others by length.
fn prompt(length: usize, vocabulary: usize) -> Vec<u32> {
    let id = |position: usize| {
        let family = if length > SHARED && position < SHARED { 0 } else { length as u64 };
        (mixed(family << 32 | position as u64) % vocabulary as u64) as u32
    };
    (0..length).map(id).collect()
}

/// `0..count`, shuffled if there is a seed (Fisher and Yates).
fn order(count: usize, seed: Option<u64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    if let Some(seed) = seed {
        for last in (1..count).rev() {
            order.swap(last, (mixed(mixed(seed).wrapping_add(last as u64)) % (last as u64 + 1)) as usize);
        }
    }
    order
}

/// One round of SplitMix64's mixing.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Hashes each prompt's logits apart, so that their order in time does not matter.
struct Hashes {
    prompts: Vec<Sha256>,
    /// The prompt that each request asks.
    order: Vec<usize>,
    error: Option<EngineError>,
}

impl Observer for Hashes {
    fn logits(&mut self, request: usize, logits: &[f32]) {
        let bytes: Vec<u8> = logits.iter().flat_map(|logit| logit.to_bits().to_le_bytes()).collect();
        self.prompts[self.order[request]].update(&bytes);
    }

    fn finished(&mut self, _request: usize, result: Result<Generation, EngineError>) {
        if let Err(error) = result {
            self.error = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn an_order_asks_every_prompt_once_and_seeds_differ() {
        assert_eq!(order(4, None), [0, 1, 2, 3]);
        let orders: Vec<Vec<usize>> = (0..5).map(|seed| order(9, Some(seed))).collect();
        for (seed, order) in orders.iter().enumerate() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..9).collect::<Vec<_>>());
            assert!(!orders[..seed].contains(order) && *order != sorted);
        }
    }
}
