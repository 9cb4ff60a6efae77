//! What a GGUF file says about itself, for `puma models show`.

use super::digest::ModelDigest;
use puma_engine::gguf::{Gguf, GgufError, Metadata};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Facts from a model file's own metadata. `None` means that the file does not say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GgufFacts {
    pub gguf_version: u32,
    /// `general.architecture`
    pub architecture: Option<String>,
    /// `general.name`
    pub name: Option<String>,
    /// Quantisation mix, from `general.file_type`.
    pub quantization: Option<String>,
    /// Number of weights in all tensors.
    pub parameters: u64,
    /// Tensors of each type.
    pub tensor_types: BTreeMap<String, usize>,
    /// Context window the model was trained for, in tokens.
    pub context_length: Option<u32>,
    pub layers: Option<u32>,
    pub embedding_length: Option<u32>,
    pub attention_heads: Option<u32>,
    /// Heads that share keys and values in groups.
    pub key_value_heads: Option<u32>,
    /// Number of tokens.
    pub vocabulary: Option<usize>,
    /// `tokenizer.ggml.model` and `tokenizer.ggml.pre`
    pub tokenizer: Option<String>,
    pub pre_tokenizer: Option<String>,
    /// SHA-256 of the chat template's text; `None` if the file has no template.
    pub template_hash: Option<ModelDigest>,
    pub license: Option<String>,
}

impl GgufFacts {
    /// Reads the facts of the file at `path`. Keys of unexpected type count as not said.
    ///
    /// # Errors
    /// The file is not readable GGUF.
    pub fn read(path: &Path) -> Result<Self, GgufError> {
        let gguf = Gguf::open(path)?;
        let metadata = gguf.metadata();
        let architecture = text(metadata, "general.architecture");
        let number = |key: &str| {
            let architecture = architecture.as_deref()?;
            metadata.u32(&format!("{architecture}.{key}")).ok().flatten()
        };
        let mut tensor_types: BTreeMap<String, usize> = BTreeMap::new();
        for tensor in gguf.tensors() {
            *tensor_types.entry(tensor.kind.name().to_owned()).or_default() += 1;
        }
        let file_type = metadata.u32("general.file_type").ok().flatten();
        Ok(Self {
            gguf_version: gguf.version(),
            name: text(metadata, "general.name"),
            quantization: file_type.and_then(file_type_name).map(str::to_owned),
            parameters: gguf.tensors().iter().map(|tensor| tensor.elements()).sum(),
            tensor_types,
            context_length: number("context_length"),
            layers: number("block_count"),
            embedding_length: number("embedding_length"),
            attention_heads: number("attention.head_count"),
            key_value_heads: number("attention.head_count_kv"),
            vocabulary: metadata.strings("tokenizer.ggml.tokens").ok().flatten().map(|tokens| tokens.len()),
            tokenizer: text(metadata, "tokenizer.ggml.model"),
            pre_tokenizer: text(metadata, "tokenizer.ggml.pre"),
            template_hash: text(metadata, "tokenizer.chat_template")
                .map(|template| ModelDigest::of_bytes(template.as_bytes())),
            license: text(metadata, "general.license"),
            architecture,
        })
    }
}

fn text(metadata: &Metadata, key: &str) -> Option<String> {
    metadata.string(key).ok().flatten().map(str::to_owned)
}

/// Names of `general.file_type`. Source: `enum llama_ftype` of llama.cpp.
fn file_type_name(id: u32) -> Option<&'static str> {
    Some(match id {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        25 => "IQ4_NL",
        30 => "IQ4_XS",
        32 => "BF16",
        38 => "MXFP4",
        _ => return None,
    })
}
