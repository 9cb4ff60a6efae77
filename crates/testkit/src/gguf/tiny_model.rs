//! Whole models of a few layers with random weights.

use super::blocks::random_row;
use super::random::Random;
use super::vocabulary::Vocabulary;
use super::writer::{GgufWriter, MetadataValue};
use puma_kernels::TensorType;

/// Which architecture the file names and follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    Llama,
    Qwen2,
}

impl Architecture {
    /// The value of `general.architecture`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
        }
    }
}

/// How positions are stretched beyond the trained context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    None,
    Linear {
        factor: f32,
    },
    /// `original_context` is the context length before stretching.
    Yarn {
        factor: f32,
        original_context: u32,
    },
    /// Llama 3's per-frequency divisors, in the tensor `rope_freqs.weight`.
    FrequencyFactors,
}

/// Settings of a tiny model. Equal settings give equal bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct TinyModel {
    pub version: u32,
    pub architecture: Architecture,
    /// Type of every matrix; norms and biases are F32, as quantisers leave them.
    pub tensor_type: TensorType,
    pub layers: u32,
    pub heads: u32,
    pub kv_heads: u32,
    /// Width of the residual stream; a multiple of `heads`, and of 256 for K-quants.
    pub embedding: u32,
    pub ffn: u32,
    pub context: u32,
    pub vocabulary: Vocabulary,
    /// Whether the output matrix is the embedding matrix.
    pub tied: bool,
    pub qkv_bias: bool,
    pub rope_freq_base: f32,
    pub rope_scaling: RopeScaling,
    pub chat_template: Option<String>,
    pub seed: u64,
}

impl TinyModel {
    /// Two layers of `architecture`, width 256, four heads over two key-value heads, byte-level vocabulary.
    pub fn new(architecture: Architecture, tensor_type: TensorType) -> Self {
        let pre = match architecture {
            Architecture::Llama => "smollm",
            Architecture::Qwen2 => "qwen2",
        };
        Self {
            version: 3,
            architecture,
            tensor_type,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            embedding: 256,
            ffn: 512,
            context: 512,
            vocabulary: Vocabulary::BytePairs { pre: pre.to_owned() },
            tied: true,
            qkv_bias: architecture == Architecture::Qwen2,
            rope_freq_base: 10_000.0,
            rope_scaling: RopeScaling::None,
            chat_template: None,
            seed: 1,
        }
    }

    /// The bytes of the GGUF file.
    pub fn write(&self) -> Vec<u8> {
        let mut file = GgufWriter::new(self.version);
        self.write_metadata(&mut file);
        let tokens = self.vocabulary.write(&mut file);
        if let Some(template) = &self.chat_template {
            file.metadata("tokenizer.chat_template", template.as_str());
        }
        self.write_tensors(&mut file, tokens as u64);
        file.finish()
    }

    fn write_metadata(&self, file: &mut GgufWriter) {
        let name = self.architecture.name();
        file.metadata("general.architecture", name).metadata("general.name", "tiny random model");
        for (key, number) in [
            ("block_count", self.layers),
            ("context_length", self.context),
            ("embedding_length", self.embedding),
            ("feed_forward_length", self.ffn),
            ("attention.head_count", self.heads),
            ("attention.head_count_kv", self.kv_heads),
            ("rope.dimension_count", self.embedding / self.heads),
        ] {
            file.metadata(&format!("{name}.{key}"), MetadataValue::U32(number));
        }
        file.metadata(&format!("{name}.attention.layer_norm_rms_epsilon"), MetadataValue::F32(1e-5))
            .metadata(&format!("{name}.rope.freq_base"), MetadataValue::F32(self.rope_freq_base));
        let (kind, factor) = match self.rope_scaling {
            RopeScaling::None | RopeScaling::FrequencyFactors => return,
            RopeScaling::Linear { factor } => ("linear", factor),
            RopeScaling::Yarn { factor, .. } => ("yarn", factor),
        };
        file.metadata(&format!("{name}.rope.scaling.type"), kind)
            .metadata(&format!("{name}.rope.scaling.factor"), MetadataValue::F32(factor));
        if let RopeScaling::Yarn { original_context, .. } = self.rope_scaling {
            let key = format!("{name}.rope.scaling.original_context_length");
            file.metadata(&key, MetadataValue::U32(original_context));
        }
    }

    fn write_tensors(&self, file: &mut GgufWriter, tokens: u64) {
        let mut random = Random::new(self.seed);
        let (width, ffn) = (u64::from(self.embedding), u64::from(self.ffn));
        let kv_width = width / u64::from(self.heads) * u64::from(self.kv_heads);
        // The output's spread makes logits differ by several units, as a trained model's do.
        self.matrix(file, &mut random, "token_embd.weight", [width, tokens], 3.0);
        vector(file, &mut random, "output_norm.weight", width, 1.0, 0.5);
        if !self.tied {
            self.matrix(file, &mut random, "output.weight", [width, tokens], 3.0);
        }
        if self.rope_scaling == RopeScaling::FrequencyFactors {
            let half = width / u64::from(self.heads) / 2;
            vector(file, &mut random, "rope_freqs.weight", half, 4.0, 3.0);
        }
        for layer in 0..self.layers {
            let name = |part: &str| format!("blk.{layer}.{part}");
            vector(file, &mut random, &name("attn_norm.weight"), width, 1.0, 0.5);
            self.matrix(file, &mut random, &name("attn_q.weight"), [width, width], 1.0);
            self.matrix(file, &mut random, &name("attn_k.weight"), [width, kv_width], 1.0);
            self.matrix(file, &mut random, &name("attn_v.weight"), [width, kv_width], 1.0);
            if self.qkv_bias {
                vector(file, &mut random, &name("attn_q.bias"), width, 0.0, 0.5);
                vector(file, &mut random, &name("attn_k.bias"), kv_width, 0.0, 0.5);
                vector(file, &mut random, &name("attn_v.bias"), kv_width, 0.0, 0.5);
            }
            self.matrix(file, &mut random, &name("attn_output.weight"), [width, width], 1.0);
            vector(file, &mut random, &name("ffn_norm.weight"), width, 1.0, 0.5);
            self.matrix(file, &mut random, &name("ffn_gate.weight"), [width, ffn], 1.0);
            self.matrix(file, &mut random, &name("ffn_up.weight"), [width, ffn], 1.0);
            self.matrix(file, &mut random, &name("ffn_down.weight"), [ffn, width], 1.0);
        }
    }

    /// A matrix whose products with a vector of unit numbers have about `gain` as their size.
    fn matrix(&self, file: &mut GgufWriter, random: &mut Random, name: &str, shape: [u64; 2], gain: f32) {
        let deviation = gain / (shape[0] as f32).sqrt();
        let rows = (0..shape[1]).flat_map(|_| random_row(self.tensor_type, shape[0] as usize, deviation, random));
        let bytes = rows.collect();
        file.tensor(name, &shape, self.tensor_type, bytes);
    }
}

/// An F32 vector of numbers within `spread` of `centre`.
fn vector(file: &mut GgufWriter, random: &mut Random, name: &str, len: u64, centre: f32, spread: f32) {
    let bytes = (0..len).flat_map(|_| (centre + random.signed() * spread).to_le_bytes()).collect();
    file.tensor(name, &[len], TensorType::F32, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_settings_give_equal_bytes() {
        let model = TinyModel::new(Architecture::Llama, TensorType::Q4K);
        let bytes = model.write();
        assert_eq!(bytes, model.write());
        assert_ne!(bytes, TinyModel { seed: 2, ..model }.write());
        assert!(bytes.starts_with(b"GGUF\x03\0\0\0"));
    }
}
