//! The hyperparameters of a model.

use super::architecture::Architecture;
use super::experts::ExpertConfig;
use super::keys::Keys;
use super::layers::LayerConfig;
use super::recipe::Recipe;
use super::rope::Rope;
use crate::error::EngineError;
use crate::gguf::Metadata;

/// Queries grow with the position: times `1 + scale * ln(1 + floor(position / floor))`.
/// Source: Nakanishi 2025, "Scalable-Softmax Is Superior for Attention"; the form is that of Llama 4 and Ministral 3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionTemperature {
    pub scale: f32,
    /// In tokens.
    pub floor: u32,
}

/// The hyperparameters of a model.
#[derive(Clone, Debug, PartialEq)]
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
    /// Attention scores stay within this, by a tanh; `None` leaves them alone.
    pub attn_logit_softcapping: Option<f32>,
    pub attention_temperature: Option<AttentionTemperature>,
    /// Logits stay within this, by a tanh; `None` leaves them alone.
    pub final_logit_softcapping: Option<f32>,
    pub layer_norm_rms_epsilon: f32,
    /// Factor of token embeddings, of what a block adds to the residual stream, and of logits; 1 leaves them alone.
    pub embedding_scale: f32,
    pub residual_scale: f32,
    pub logit_scale: f32,
    pub experts: Option<ExpertConfig>,
    /// The rotary embeddings that layers choose from; the first is the model's own.
    pub ropes: Vec<Rope>,
    /// One a layer.
    pub layers: Vec<LayerConfig>,
}

impl Config {
    /// Reads and checks the hyperparameters.
    ///
    /// # Errors
    /// The architecture is unknown, a key is missing, of another type, absurd, or asks for what the engine does not
    /// compute.
    pub fn read(metadata: &Metadata) -> Result<Self, EngineError> {
        let architecture = Architecture::of(metadata)?;
        let recipe = architecture.recipe();
        let keys = Keys { metadata, prefix: recipe.name };
        keys.refuse_unknown_computations()?;
        let mut config = Self::plain(&keys, architecture)?;
        (recipe.refine)(&keys, &mut config)?;
        Ok(config)
    }

    /// The recipe all layers follow.
    pub fn recipe(&self) -> &'static Recipe {
        self.architecture.recipe()
    }

    /// What every architecture reads alike.
    fn plain(keys: &Keys<'_>, architecture: Architecture) -> Result<Self, EngineError> {
        let recipe = architecture.recipe();
        let embedding_length = keys.required("embedding_length", 32..=65_536)?;
        let (head_count, head_count_kv, key_length) = heads(keys, embedding_length)?;
        let context_length = keys.required("context_length", 1..=1 << 24)?;
        let epsilon = keys.float("attention.layer_norm_rms_epsilon")?.or(recipe.default_epsilon).unwrap_or(0.0);
        if !(epsilon > 0.0 && epsilon < 1.0) {
            return Err(keys.error("attention.layer_norm_rms_epsilon", format!("{epsilon} is not between 0 and 1")));
        }
        let block_count = keys.required("block_count", 1..=1024)?;
        let feed_forward_length = keys.required("feed_forward_length", 32..=1 << 20)?;
        let scale = keys.float("attention.scale")?.filter(|&scale| scale != 0.0);
        Ok(Self {
            architecture,
            block_count,
            context_length,
            embedding_length,
            feed_forward_length,
            head_count,
            head_count_kv,
            key_length,
            attention_scale: scale.unwrap_or(1.0 / (key_length as f32).sqrt()),
            attn_logit_softcapping: None,
            attention_temperature: None,
            final_logit_softcapping: None,
            layer_norm_rms_epsilon: epsilon,
            embedding_scale: 1.0,
            residual_scale: 1.0,
            logit_scale: 1.0,
            experts: ExpertConfig::read(keys, recipe.experts, feed_forward_length)?,
            ropes: vec![Rope::read(keys, recipe.rope_layout, key_length, context_length)?],
            layers: vec![LayerConfig::PLAIN; block_count],
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

/// The heads of queries, of keys and values, and the numbers in one.
fn heads(keys: &Keys<'_>, embedding_length: usize) -> Result<(usize, usize, usize), EngineError> {
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
        return Err(keys.unsupported("attention.value_length", message));
    }
    Ok((head_count, head_count_kv, key_length))
}
