//! Models to judge, built tensor by tensor as their files are.

use puma_host::fit::{KvType, Load, ModelShape, TensorFact, TensorType, shape_from_header};
use serde_json::{Map, Value, json};

pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const MIB: f64 = (1u64 << 20) as f64;

/// Dimensions of a transformer with grouped-query attention.
#[derive(Clone, Copy)]
pub(crate) struct Dimensions {
    pub(crate) architecture: &'static str,
    pub(crate) layers: u64,
    pub(crate) embedding: u64,
    pub(crate) heads: u64,
    pub(crate) kv_heads: u64,
    pub(crate) head_len: u64,
    pub(crate) feed_forward: u64,
    pub(crate) vocabulary: u64,
    pub(crate) context: u64,
    pub(crate) tied: bool,
    /// Routed experts in all and for one token; none with 0.
    pub(crate) experts: (u64, u64),
    /// Type of the matrices.
    pub(crate) kind: &'static str,
    /// Type of embeddings and output.
    pub(crate) table_kind: &'static str,
}

pub(crate) const SMOLLM2_135M: Dimensions = Dimensions {
    architecture: "llama",
    layers: 30,
    embedding: 576,
    heads: 9,
    kv_heads: 3,
    head_len: 64,
    feed_forward: 1536,
    vocabulary: 49_152,
    context: 8192,
    tied: true,
    experts: (0, 0),
    kind: "Q4_1",
    table_kind: "Q8_0",
};

pub(crate) const LLAMA_3_8B: Dimensions = Dimensions {
    architecture: "llama",
    layers: 32,
    embedding: 4096,
    heads: 32,
    kv_heads: 8,
    head_len: 128,
    feed_forward: 14_336,
    vocabulary: 128_256,
    context: 131_072,
    tied: false,
    experts: (0, 0),
    kind: "Q4_K",
    table_kind: "Q6_K",
};

pub(crate) const QWEN2_5_7B: Dimensions = Dimensions {
    architecture: "qwen2",
    layers: 28,
    embedding: 3584,
    heads: 28,
    kv_heads: 4,
    feed_forward: 18_944,
    vocabulary: 152_064,
    context: 32_768,
    ..LLAMA_3_8B
};

pub(crate) const QWEN2_5_3B: Dimensions = Dimensions {
    layers: 36,
    embedding: 2048,
    heads: 16,
    kv_heads: 2,
    feed_forward: 11_008,
    vocabulary: 151_936,
    tied: true,
    ..QWEN2_5_7B
};

pub(crate) const LLAMA_2_7B: Dimensions =
    Dimensions { kv_heads: 32, feed_forward: 11_008, vocabulary: 32_000, context: 4096, kind: "Q4_0", ..LLAMA_3_8B };

pub(crate) const QWEN3_30B_A3B: Dimensions = Dimensions {
    architecture: "qwen3moe",
    layers: 48,
    embedding: 2048,
    heads: 32,
    kv_heads: 4,
    head_len: 128,
    feed_forward: 768,
    vocabulary: 151_936,
    context: 262_144,
    tied: false,
    experts: (128, 8),
    kind: "Q4_K",
    table_kind: "Q6_K",
};

impl Dimensions {
    /// The metadata of a GGUF file.
    pub(crate) fn keys(&self) -> Map<String, Value> {
        let mut keys = Map::new();
        keys.insert("general.architecture".to_owned(), json!(self.architecture));
        let mut put = |key: &str, value: u64| keys.insert(format!("{}.{key}", self.architecture), json!(value));
        put("block_count", self.layers);
        put("embedding_length", self.embedding);
        put("feed_forward_length", self.feed_forward);
        put("attention.head_count", self.heads);
        put("attention.head_count_kv", self.kv_heads);
        put("attention.key_length", self.head_len);
        put("attention.value_length", self.head_len);
        put("context_length", self.context);
        put("vocab_size", self.vocabulary);
        if self.experts.0 > 0 {
            put("expert_count", self.experts.0);
            put("expert_used_count", self.experts.1);
            put("expert_feed_forward_length", self.feed_forward);
        }
        keys
    }

    /// The tensor directory of a GGUF file.
    pub(crate) fn tensors(&self) -> Vec<TensorFact> {
        let mut tensors = vec![
            tensor("token_embd.weight", &[self.embedding, self.vocabulary], self.table_kind),
            tensor("output_norm.weight", &[self.embedding], "F32"),
        ];
        if !self.tied {
            tensors.push(tensor("output.weight", &[self.embedding, self.vocabulary], self.table_kind));
        }
        let (queries, kv) = (self.heads * self.head_len, self.kv_heads * self.head_len);
        for layer in 0..self.layers {
            let mut put = |part: &str, shape: &[u64], kind: &str| {
                tensors.push(tensor(&format!("blk.{layer}.{part}.weight"), shape, kind));
            };
            put("attn_norm", &[self.embedding], "F32");
            put("attn_q", &[self.embedding, queries], self.kind);
            put("attn_k", &[self.embedding, kv], self.kind);
            put("attn_v", &[self.embedding, kv], self.kind);
            put("attn_output", &[queries, self.embedding], self.kind);
            put("ffn_norm", &[self.embedding], "F32");
            match self.experts.0 {
                0 => {
                    put("ffn_gate", &[self.embedding, self.feed_forward], self.kind);
                    put("ffn_up", &[self.embedding, self.feed_forward], self.kind);
                    put("ffn_down", &[self.feed_forward, self.embedding], self.kind);
                }
                count => {
                    put("ffn_gate_inp", &[self.embedding, count], "F32");
                    put("ffn_gate_exps", &[self.embedding, self.feed_forward, count], self.kind);
                    put("ffn_up_exps", &[self.embedding, self.feed_forward, count], self.kind);
                    put("ffn_down_exps", &[self.feed_forward, self.embedding, count], self.kind);
                }
            }
        }
        tensors
    }

    pub(crate) fn shape(&self) -> ModelShape {
        shape_from_header(&self.keys(), &self.tensors(), None).expect("a header of these dimensions")
    }
}

pub(crate) fn tensor(name: &str, shape: &[u64], kind: &str) -> TensorFact {
    TensorFact { name: name.to_owned(), shape: shape.to_vec(), kind: TensorType::from_name(kind) }
}

/// A header with keys only, under `architecture`.
pub(crate) fn keys(architecture: &str, entries: &[(&str, Value)]) -> Map<String, Value> {
    let mut keys = Map::new();
    keys.insert("general.architecture".to_owned(), json!(architecture));
    for (key, value) in entries {
        keys.insert(format!("{architecture}.{key}"), value.clone());
    }
    keys
}

pub(crate) fn f16(context: u32) -> Load {
    Load { context, kv_type: KvType::F16, sequences: 1 }
}
