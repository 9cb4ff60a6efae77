//! Hyperparameters from a GGUF file's metadata, checked before anything is computed with them.
//!
//! Names follow the GGUF keys. What a key means when it is absent follows llama.cpp.

use crate::error::EngineError;
use crate::gguf::Metadata;

/// The architectures the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// SmolLM2, Llama 2 and 3.x, Mistral.
    Llama,
    /// Qwen2, Qwen2.5 and models distilled into them.
    Qwen2,
}

impl Architecture {
    /// All of them, for messages.
    pub const ALL: [Self; 2] = [Self::Llama, Self::Qwen2];

    /// The value of `general.architecture`, and the prefix of the model's keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
        }
    }

    fn rope_layout(self) -> RopeLayout {
        match self {
            Self::Llama => RopeLayout::Interleaved,
            Self::Qwen2 => RopeLayout::Halves,
        }
    }
}

/// Which numbers of a head form a pair that is rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeLayout {
    /// `2i` and `2i + 1` (NORM); GGUF files of `llama` are permuted for it.
    Interleaved,
    /// `i` and `i + n/2` (NEOX).
    Halves,
}

/// How positions are stretched beyond the context of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    None,
    /// Positions are divided by `factor`.
    Linear {
        factor: f32,
    },
    /// Low frequencies are divided, high ones kept, and attention is scaled.
    /// Source: Peng et al. 2023, "YaRN: Efficient Context Window Extension of Large Language Models".
    Yarn {
        factor: f32,
        /// Context length before stretching, in tokens.
        original_context: u32,
        /// Extra factor of the rotation's length.
        attn_factor: f32,
        beta_fast: f32,
        beta_slow: f32,
    },
}

/// Rotary position embedding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rope {
    pub layout: RopeLayout,
    pub freq_base: f32,
    /// Numbers of each head that are rotated, from its start.
    pub dimension_count: usize,
    pub scaling: RopeScaling,
}

/// The hyperparameters of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    pub architecture: Architecture,
    pub block_count: usize,
    /// Context length of training, in tokens.
    pub context_length: usize,
    pub embedding_length: usize,
    pub feed_forward_length: usize,
    pub head_count: usize,
    pub head_count_kv: usize,
    /// Numbers in one head.
    pub key_length: usize,
    /// Factor of attention scores.
    pub attention_scale: f32,
    pub layer_norm_rms_epsilon: f32,
    pub rope: Rope,
}

impl Config {
    /// Reads and checks the hyperparameters.
    ///
    /// # Errors
    /// The architecture is unknown, a key is missing, of another type, or absurd.
    pub fn read(metadata: &Metadata) -> Result<Self, EngineError> {
        let name = metadata.required_string("general.architecture")?;
        let Some(architecture) = Architecture::ALL.into_iter().find(|known| known.name() == name) else {
            let known = Architecture::ALL.map(Architecture::name).join(", ");
            return Err(EngineError::Model {
                file: metadata.file().to_owned(),
                message: format!("the architecture `{name}` is not one the embedded engine runs"),
                hint: Some(format!("take a model of: {known}; or run it on a server (ollama, llama-server)")),
            });
        };
        let keys = Keys { metadata, prefix: architecture.name() };
        if keys.optional("expert_count")?.unwrap_or(0) > 0 {
            return Err(keys.error("expert_count", "mixture-of-experts models are not supported"));
        }
        let embedding_length = keys.required("embedding_length", 32..=65_536)?;
        let head_count = keys.required("attention.head_count", 1..=1024)?;
        let head_count_kv = keys.ranged("attention.head_count_kv", 1..=1024)?.unwrap_or(head_count);
        let key_length = keys.ranged("attention.key_length", 2..=1024)?.unwrap_or(embedding_length / head_count);
        if head_count_kv > head_count || !head_count.is_multiple_of(head_count_kv) {
            let message = format!("{head_count_kv} key-value heads do not divide {head_count} heads");
            return Err(keys.error("attention.head_count_kv", message));
        }
        if key_length == 0 || !key_length.is_multiple_of(2) {
            return Err(keys.error("attention.head_count", format!("heads of {key_length} numbers cannot be rotated")));
        }
        let value_length = keys.ranged("attention.value_length", 2..=1024)?.unwrap_or(key_length);
        if value_length != key_length {
            let message = format!("values of {value_length} numbers with keys of {key_length} are not supported");
            return Err(keys.error("attention.value_length", message));
        }
        let context_length = keys.required("context_length", 1..=1 << 24)?;
        let epsilon = keys.float("attention.layer_norm_rms_epsilon")?.unwrap_or(0.0);
        if !(epsilon > 0.0 && epsilon < 1.0) {
            return Err(keys.error("attention.layer_norm_rms_epsilon", format!("{epsilon} is not between 0 and 1")));
        }
        let scale = keys.float("attention.scale")?.filter(|&scale| scale != 0.0);
        Ok(Self {
            architecture,
            block_count: keys.required("block_count", 1..=1024)?,
            context_length,
            embedding_length,
            feed_forward_length: keys.required("feed_forward_length", 32..=1 << 20)?,
            head_count,
            head_count_kv,
            key_length,
            attention_scale: scale.unwrap_or(1.0 / (key_length as f32).sqrt()),
            layer_norm_rms_epsilon: epsilon,
            rope: rope(&keys, architecture.rope_layout(), key_length, context_length)?,
        })
    }

    /// Numbers in the queries of one token: all heads.
    pub fn query_width(&self) -> usize {
        self.head_count * self.key_length
    }

    /// Numbers in the keys, or the values, of one token and layer.
    pub fn kv_width(&self) -> usize {
        self.head_count_kv * self.key_length
    }
}

fn rope(keys: &Keys<'_>, layout: RopeLayout, key_length: usize, context: usize) -> Result<Rope, EngineError> {
    let freq_base = keys.float("rope.freq_base")?.unwrap_or(10_000.0);
    if !(freq_base > 1.0 && freq_base < 1e12) {
        return Err(keys.error("rope.freq_base", format!("{freq_base} is not a usable base")));
    }
    let dimension_count = keys.ranged("rope.dimension_count", 2..=1024)?.unwrap_or(key_length);
    if dimension_count > key_length || !dimension_count.is_multiple_of(2) {
        let message = format!("{dimension_count} rotated numbers do not fit heads of {key_length}");
        return Err(keys.error("rope.dimension_count", message));
    }
    Ok(Rope { layout, freq_base, dimension_count, scaling: rope_scaling(keys, context)? })
}

fn rope_scaling(keys: &Keys<'_>, context_length: usize) -> Result<RopeScaling, EngineError> {
    let factor = match keys.float("rope.scaling.factor")? {
        Some(factor) => Some(factor),
        None => keys.float("rope.scale_linear")?,
    };
    // 0 means absent, as in llama.cpp.
    let factor = factor.filter(|&factor| factor != 0.0).unwrap_or(1.0);
    if !(factor > 0.0 && factor < 1e6) {
        return Err(keys.error("rope.scaling.factor", format!("{factor} is not a usable factor")));
    }
    let kind = keys.metadata.string(&keys.name("rope.scaling.type"))?.unwrap_or("linear");
    match kind {
        "none" => Ok(RopeScaling::None),
        "linear" if factor == 1.0 => Ok(RopeScaling::None),
        "linear" => Ok(RopeScaling::Linear { factor }),
        "yarn" => {
            let original = keys.ranged("rope.scaling.original_context_length", 1..=1 << 24)?.unwrap_or(context_length);
            Ok(RopeScaling::Yarn {
                factor,
                original_context: u32::try_from(original).expect("the range ends at 2^24"),
                attn_factor: keys.float("rope.scaling.attn_factor")?.unwrap_or(1.0),
                beta_fast: keys.float("rope.scaling.yarn_beta_fast")?.unwrap_or(32.0),
                beta_slow: keys.float("rope.scaling.yarn_beta_slow")?.unwrap_or(1.0),
            })
        }
        other => Err(keys.error("rope.scaling.type", format!("the scaling `{other}` is not supported"))),
    }
}

/// The keys of one architecture.
struct Keys<'a> {
    metadata: &'a Metadata,
    prefix: &'static str,
}

impl Keys<'_> {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    fn error(&self, key: &str, message: impl std::fmt::Display) -> EngineError {
        EngineError::Model {
            file: self.metadata.file().to_owned(),
            message: format!("{message} (metadata key {})", self.name(key)),
            hint: None,
        }
    }

    fn optional(&self, key: &str) -> Result<Option<u32>, EngineError> {
        Ok(self.metadata.u32(&self.name(key))?)
    }

    fn float(&self, key: &str) -> Result<Option<f32>, EngineError> {
        Ok(self.metadata.f32(&self.name(key))?)
    }

    fn ranged(&self, key: &str, range: std::ops::RangeInclusive<usize>) -> Result<Option<usize>, EngineError> {
        let Some(value) = self.optional(key)? else { return Ok(None) };
        let value = value as usize;
        if !range.contains(&value) {
            let message = format!("{value} is outside {} to {}", range.start(), range.end());
            return Err(self.error(key, message));
        }
        Ok(Some(value))
    }

    fn required(&self, key: &str, range: std::ops::RangeInclusive<usize>) -> Result<usize, EngineError> {
        self.metadata.required_u32(&self.name(key))?;
        Ok(self.ranged(key, range)?.expect("presence was just checked"))
    }
}
