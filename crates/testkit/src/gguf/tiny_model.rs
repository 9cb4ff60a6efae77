//! Whole models of a few layers with random weights.

use super::architecture::Architecture;
use super::blocks::random_row;
use super::layers::{Length, Part, parts};
use super::random::Random;
use super::vocabulary::Vocabulary;
use super::writer::{GgufWriter, MetadataValue};
use puma_kernels::TensorType;

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
    /// Phi 3's two sets of divisors, `rope_factors_long.weight` and `rope_factors_short.weight`.
    Long {
        attention_factor: f32,
    },
}

/// The feed-forward networks a router chooses from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Experts {
    pub count: u32,
    /// How many each token goes through.
    pub used: u32,
    pub ffn: u32,
}

/// Settings of a tiny model. Equal settings give equal bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct TinyModel {
    pub version: u32,
    /// The value of `general.name`; a few readers look at it.
    pub name: String,
    pub architecture: Architecture,
    /// Type of every matrix; norms, biases and routers are F32, as quantisers leave them.
    pub tensor_type: TensorType,
    pub layers: u32,
    pub heads: u32,
    pub kv_heads: u32,
    /// Length of a head where it is not `embedding / heads`.
    pub head_length: Option<u32>,
    /// Numbers of each head that turn with the position, where not all do.
    pub rope_length: Option<u32>,
    /// Width of the residual stream; a multiple of `heads`, and of 256 for K-quants.
    pub embedding: u32,
    pub ffn: u32,
    pub experts: Option<Experts>,
    pub context: u32,
    pub vocabulary: Vocabulary,
    /// Whether the output matrix is the embedding matrix.
    pub tied: bool,
    pub qkv_bias: bool,
    pub rope_freq_base: f32,
    pub rope_scaling: RopeScaling,
    /// More metadata under the architecture's name: `attention.sliding_window`, `logit_scale`.
    pub settings: Vec<(&'static str, MetadataValue)>,
    pub chat_template: Option<String>,
    pub seed: u64,
}

impl TinyModel {
    /// Two layers (more where they differ) of `architecture`, width 256, four heads over two key-value heads, the kind
    /// of vocabulary its published models have.
    pub fn new(architecture: Architecture, tensor_type: TensorType) -> Self {
        let mut model = Self {
            version: 3,
            name: "tiny random model".to_owned(),
            architecture,
            tensor_type,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_length: None,
            rope_length: None,
            embedding: 256,
            ffn: 512,
            experts: None,
            context: 512,
            vocabulary: architecture.vocabulary(),
            tied: true,
            qkv_bias: false,
            rope_freq_base: 10_000.0,
            rope_scaling: RopeScaling::None,
            settings: Vec::new(),
            chat_template: None,
            seed: 1,
        };
        architecture.adapt(&mut model);
        model
    }

    /// Replaces the setting `key`, or adds it.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: MetadataValue) -> Self {
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value));
        self
    }

    pub(super) fn head_length(&self) -> u32 {
        self.head_length.unwrap_or(self.embedding / self.heads)
    }

    fn rope_length(&self) -> u32 {
        self.rope_length.unwrap_or(self.head_length())
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
        file.metadata("general.architecture", name).metadata("general.name", self.name.as_str());
        let mut numbers = vec![
            ("block_count", self.layers),
            ("context_length", self.context),
            ("embedding_length", self.embedding),
            ("feed_forward_length", self.ffn),
            ("attention.head_count", self.heads),
            ("attention.head_count_kv", self.kv_heads),
        ];
        if self.architecture.names_rope_length() || self.rope_length.is_some() {
            numbers.push(("rope.dimension_count", self.rope_length()));
        }
        if let Some(length) = self.head_length {
            numbers.extend([("attention.key_length", length), ("attention.value_length", length)]);
        }
        if let Some(Experts { count, used, ffn }) = self.experts {
            let keys = ["expert_count", "expert_used_count", "expert_feed_forward_length"];
            numbers.extend(keys.into_iter().zip([count, used, ffn]));
        }
        for (key, number) in numbers {
            file.metadata(&format!("{name}.{key}"), MetadataValue::U32(number));
        }
        file.metadata(&format!("{name}.attention.layer_norm_rms_epsilon"), MetadataValue::F32(1e-5))
            .metadata(&format!("{name}.rope.freq_base"), MetadataValue::F32(self.rope_freq_base));
        for (key, value) in &self.settings {
            file.metadata(&format!("{name}.{key}"), value.clone());
        }
        self.write_rope_scaling(file);
    }

    fn write_rope_scaling(&self, file: &mut GgufWriter) {
        let mut set = |key: &str, value: MetadataValue| {
            file.metadata(&format!("{}.rope.scaling.{key}", self.architecture.name()), value);
        };
        match self.rope_scaling {
            RopeScaling::None | RopeScaling::FrequencyFactors => {}
            RopeScaling::Linear { factor } => {
                set("type", "linear".into());
                set("factor", MetadataValue::F32(factor));
            }
            RopeScaling::Yarn { factor, original_context } => {
                set("type", "yarn".into());
                set("factor", MetadataValue::F32(factor));
                set("original_context_length", MetadataValue::U32(original_context));
            }
            RopeScaling::Long { attention_factor } => set("attn_factor", MetadataValue::F32(attention_factor)),
        }
    }

    fn write_tensors(&self, file: &mut GgufWriter, tokens: u64) {
        let mut random = Random::new(self.seed);
        let width = u64::from(self.embedding);
        // The output's spread makes logits differ by several units, as a trained model's do. Where embeddings are
        // multiplied, they are as much smaller, or the last token would drown what the layers add.
        let scale = self.architecture.embedding_scale(self.embedding);
        self.matrix(file, &mut random, "token_embd.weight", &[width, tokens], 3.0 / scale);
        vector(file, &mut random, "output_norm.weight", width, scale, 0.5 * scale);
        if !self.tied {
            self.matrix(file, &mut random, "output.weight", &[width, tokens], 3.0);
        }
        let half = u64::from(self.rope_length()) / 2;
        match self.rope_scaling {
            RopeScaling::FrequencyFactors => vector(file, &mut random, "rope_freqs.weight", half, 4.0, 3.0),
            RopeScaling::Long { .. } => {
                vector(file, &mut random, "rope_factors_long.weight", half, 4.0, 3.0);
                vector(file, &mut random, "rope_factors_short.weight", half, 1.1, 0.1);
            }
            RopeScaling::None | RopeScaling::Linear { .. } | RopeScaling::Yarn { .. } => {}
        }
        for layer in 0..self.layers {
            for part in parts(self.architecture).iter().copied().flatten() {
                self.part(file, &mut random, layer, *part);
            }
        }
    }

    fn part(&self, file: &mut GgufWriter, random: &mut Random, layer: u32, part: Part) {
        let full = |name: &str| format!("blk.{layer}.{name}");
        match part {
            Part::Norm(name, length) => vector(file, random, &full(name), length.of(self), 1.0, 0.5),
            Part::Bias(name, length) if self.qkv_bias => vector(file, random, &full(name), length.of(self), 0.0, 0.5),
            Part::Bias(..) => {}
            Part::Matrix(name, inputs, outputs) => {
                self.matrix(file, random, &full(name), &[inputs.of(self), outputs.of(self)], 1.0);
            }
            Part::Experts(name, inputs, outputs) => {
                let shape = [inputs.of(self), outputs.of(self), Length::Experts.of(self)];
                self.matrix(file, random, &full(name), &shape, 1.0);
            }
            // Scores far apart: two experts that score alike are a coin that a rounding turns.
            Part::Router(name) => {
                let shape = [Length::Embedding.of(self), Length::Experts.of(self)];
                Self { tensor_type: TensorType::F32, ..self.clone() }.matrix(file, random, &full(name), &shape, 3.0);
            }
        }
    }

    /// A matrix whose products with a vector of unit numbers have about `gain` as their size.
    fn matrix(&self, file: &mut GgufWriter, random: &mut Random, name: &str, shape: &[u64], gain: f32) {
        let deviation = gain / (shape[0] as f32).sqrt();
        let rows: u64 = shape[1..].iter().product();
        let rows = (0..rows).flat_map(|_| random_row(self.tensor_type, shape[0] as usize, deviation, random));
        let bytes = rows.collect();
        file.tensor(name, shape, self.tensor_type, bytes);
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

    #[test]
    fn a_setting_is_written_once_and_the_last_one_holds() {
        let model = TinyModel::new(Architecture::Granite, TensorType::F32).with("logit_scale", MetadataValue::F32(2.0));
        let scales: Vec<_> = model.settings.iter().filter(|(key, _)| *key == "logit_scale").collect();
        assert_eq!(scales, [&("logit_scale", MetadataValue::F32(2.0))]);
    }
}
