//! What a model is to a memory: its weights and what each layer keeps for every token.

use serde::{Deserialize, Serialize};

/// Where the numbers of a [`ModelShape`] come from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeSource {
    /// Every tensor of the file, block by block: exact.
    TensorTable,
    /// The file's size and hyperparameters; how the size divides among the tensors is not known.
    FileSize,
    /// The catalogue's parameters and published size, with the dimensions usual for a model of that family and size.
    Catalogue,
}

impl ShapeSource {
    /// In words, for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TensorTable => "tensor table",
            Self::FileSize => "file size",
            Self::Catalogue => "catalogue",
        }
    }
}

/// A model as memory and bandwidth see it. `None` means unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelShape {
    /// `general.architecture`
    pub architecture: Option<String>,
    /// Number of weights.
    pub parameters: Option<u64>,
    /// All weights.
    pub weights_bytes: u64,
    /// Weights outside the layers that are read whole for every token: the output matrix and the last norm.
    pub output_bytes: u64,
    /// Tables of which a token reads one row: embeddings, unless they are the output matrix too. Engines keep them in
    /// main memory.
    pub lookup_bytes: u64,
    /// Whether the embeddings are the output matrix too; engines that use a GPU then keep them twice.
    pub tied_output: bool,
    /// Weights read for one token when everything is dense or, in a mixture of experts, the experts in use.
    pub active_bytes: u64,
    /// Number of the weights behind `active_bytes`.
    pub active_parameters: Option<u64>,
    /// Whether most weights are 16 or 32 bit floats rather than quantised blocks.
    pub float_weights: bool,
    pub layers: Vec<LayerShape>,
    pub experts: Option<Experts>,
    /// Tokens in the vocabulary.
    pub vocabulary: Option<u64>,
    pub embedding_length: Option<u64>,
    pub feed_forward_length: Option<u64>,
    /// Query heads, the most of any layer.
    pub head_count: Option<u64>,
    /// Numbers in the queries of one token and layer, all heads.
    pub query_width: Option<u64>,
    /// Context window the model was trained for, in tokens.
    pub trained_context: Option<u32>,
    pub source: ShapeSource,
}

/// A mixture of experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experts {
    pub total: u32,
    /// Experts that compute one token.
    pub used: u32,
}

/// One layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerShape {
    pub weights_bytes: u64,
    /// Numbers kept of one position as keys; for multi-head latent attention the latent with its rotated part.
    pub key_width: u64,
    /// Numbers kept of one position as values; 0 where keys and values are one latent.
    pub value_width: u64,
    /// Positions a sliding window looks back; `None` looks at all.
    pub window: Option<u32>,
    /// Numbers of recurrent state, the same at any length.
    pub state_elements: u64,
}

impl ModelShape {
    /// Bits a weight takes on average.
    pub fn bits_per_weight(&self) -> Option<f64> {
        self.parameters.filter(|&count| count > 0).map(|count| self.weights_bytes as f64 * 8.0 / count as f64)
    }

    /// Weights that a fully offloaded model keeps in GPU memory: everything but the lookup tables.
    pub fn offloaded_bytes(&self) -> u64 {
        self.weights_bytes.saturating_sub(self.lookup_bytes)
    }

    /// Weights that stay in main memory whatever is offloaded: the lookup tables, and a tied output matrix once more.
    pub fn resident_bytes(&self) -> u64 {
        if self.tied_output { self.lookup_bytes + self.output_bytes } else { self.lookup_bytes }
    }
}
