//! The tensors of one layer, architecture by architecture, as converters name and order them.
//!
//! Source: llama.cpp `gguf-py/gguf/constants.py` and `src/models/*.cpp` (commit 0c1e570).

use super::architecture::Architecture;
use super::tiny_model::TinyModel;

/// A length that depends on the model's settings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Embedding,
    /// All query heads.
    Queries,
    /// All key heads, or all value heads.
    KeysOrValues,
    /// Queries, keys and values in one matrix.
    Fused,
    OneHead,
    Ffn,
    /// Gate and up in one matrix.
    TwiceFfn,
    ExpertFfn,
    Experts,
}

impl Length {
    pub(super) fn of(self, model: &TinyModel) -> u64 {
        let head = u64::from(model.head_length());
        let (queries, kv) = (head * u64::from(model.heads), head * u64::from(model.kv_heads));
        let experts = model.experts.unwrap_or_default();
        match self {
            Self::Embedding => model.embedding.into(),
            Self::Queries => queries,
            Self::KeysOrValues => kv,
            Self::Fused => queries + 2 * kv,
            Self::OneHead => head,
            Self::Ffn => model.ffn.into(),
            Self::TwiceFfn => 2 * u64::from(model.ffn),
            Self::ExpertFfn => experts.ffn.into(),
            Self::Experts => experts.count.into(),
        }
    }
}

/// A tensor of a layer: what comes after `blk.N.`, and its lengths.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// F32 factors near 1.
    Norm(&'static str, Length),
    /// F32 addends, in models that have them.
    Bias(&'static str, Length),
    Matrix(&'static str, Length, Length),
    /// One matrix for each expert.
    Experts(&'static str, Length, Length),
    /// Scores of experts: F32 whatever the other matrices are, as quantisers leave it.
    Router(&'static str),
}

use Length::{Embedding, ExpertFfn, Ffn, Fused, KeysOrValues, OneHead, Queries, TwiceFfn};
use Part::{Bias, Matrix, Norm, Router};

const SEPARATE_ATTENTION: [Part; 8] = [
    Norm("attn_norm.weight", Embedding),
    Matrix("attn_q.weight", Embedding, Queries),
    Matrix("attn_k.weight", Embedding, KeysOrValues),
    Matrix("attn_v.weight", Embedding, KeysOrValues),
    Bias("attn_q.bias", Queries),
    Bias("attn_k.bias", KeysOrValues),
    Bias("attn_v.bias", KeysOrValues),
    Matrix("attn_output.weight", Queries, Embedding),
];
const HEAD_NORMS: [Part; 2] = [Norm("attn_q_norm.weight", OneHead), Norm("attn_k_norm.weight", OneHead)];
const GATED_FFN: [Part; 4] = [
    Norm("ffn_norm.weight", Embedding),
    Matrix("ffn_gate.weight", Embedding, Ffn),
    Matrix("ffn_up.weight", Embedding, Ffn),
    Matrix("ffn_down.weight", Ffn, Embedding),
];
const POST_ATTENTION: [Part; 1] = [Norm("post_attention_norm.weight", Embedding)];
const POST_FFN: [Part; 1] = [Norm("post_ffw_norm.weight", Embedding)];
const EXPERTS: [Part; 5] = [
    Norm("ffn_norm.weight", Embedding),
    Router("ffn_gate_inp.weight"),
    Part::Experts("ffn_gate_exps.weight", Embedding, ExpertFfn),
    Part::Experts("ffn_up_exps.weight", Embedding, ExpertFfn),
    Part::Experts("ffn_down_exps.weight", ExpertFfn, Embedding),
];
const PHI3: [Part; 6] = [
    Norm("attn_norm.weight", Embedding),
    Matrix("attn_qkv.weight", Embedding, Fused),
    Matrix("attn_output.weight", Queries, Embedding),
    Norm("ffn_norm.weight", Embedding),
    Matrix("ffn_up.weight", Embedding, TwiceFfn),
    Matrix("ffn_down.weight", Ffn, Embedding),
];

/// The groups of parts a layer of `architecture` is made of.
pub(super) fn parts(architecture: Architecture) -> &'static [&'static [Part]] {
    match architecture {
        Architecture::Llama
        | Architecture::Qwen2
        | Architecture::Smollm3
        | Architecture::Granite
        | Architecture::Mistral3 => &[&SEPARATE_ATTENTION, &GATED_FFN],
        Architecture::Qwen3 => &[&SEPARATE_ATTENTION, &HEAD_NORMS, &GATED_FFN],
        Architecture::Qwen3Moe => &[&SEPARATE_ATTENTION, &HEAD_NORMS, &EXPERTS],
        Architecture::Gemma2 => &[&SEPARATE_ATTENTION, &POST_ATTENTION, &GATED_FFN, &POST_FFN],
        Architecture::Gemma3 => &[&SEPARATE_ATTENTION, &HEAD_NORMS, &POST_ATTENTION, &GATED_FFN, &POST_FFN],
        Architecture::Phi3 => &[&PHI3],
    }
}
