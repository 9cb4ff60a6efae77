//! A loaded model: hyperparameters and where the weights are.

use super::layer::Layer;
use super::packed::PackedWeights;
use super::refusal;
use super::tensors::{Matrix, Tensors};
use crate::config::{Config, Rope, RopeScaling};
use crate::error::EngineError;
use crate::gguf::Gguf;
use puma_kernels::float::activation;
use puma_kernels::{TensorType, Weights};
use std::path::Path;
use std::sync::OnceLock;

/// Names of `general.file_type`, as llama.cpp numbers them; mixtures whose name no single tensor type tells.
const FILE_TYPES: [(u32, &str); 21] = [
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (21, "Q2_K_S"),
    (25, "IQ4_NL"),
    (30, "IQ4_XS"),
    (32, "BF16"),
    (38, "MXFP4"),
];

/// A model ready to run. Weights stay in the file's mapping, and may stand packed beside it; norms and biases are copied.
#[derive(Debug)]
pub struct Model {
    gguf: Gguf,
    pub(crate) config: Config,
    pub(crate) token_embd: Matrix,
    pub(crate) layers: Vec<Layer>,
    pub(crate) output_norm: Vec<f32>,
    pub(crate) output: Matrix,
    pub(crate) rope_divisors: RopeDivisors,
    pub(super) packed: OnceLock<Option<PackedWeights>>,
}

/// What the rotary frequencies are divided by, one number a pair; by nothing where there is no tensor.
#[derive(Debug)]
pub(crate) enum RopeDivisors {
    /// `rope_freqs.weight` (Llama 3).
    Always(Option<Vec<f32>>),
    /// `rope_factors_short.weight` for windows up to the original context, and `rope_factors_long.weight` beyond.
    ByWindow { short: Vec<f32>, long: Vec<f32> },
}

impl RopeDivisors {
    fn load(tensors: &Tensors<'_>, rope: &Rope) -> Result<Self, EngineError> {
        const LONG: &str = "rope_factors_long.weight";
        let pairs = rope.dimension_count / 2;
        if rope.scaling == RopeScaling::Long || tensors.has(LONG) {
            let short = tensors.vector("rope_factors_short.weight", pairs)?;
            return Ok(Self::ByWindow { short, long: tensors.vector(LONG, pairs)? });
        }
        Ok(Self::Always(tensors.optional_vector("rope_freqs.weight", pairs)?))
    }
}

impl Model {
    /// Maps and checks the model at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is no model of a known architecture, or its tensors do not fit its hyperparameters.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        Self::from_gguf(Gguf::open(path)?)
    }

    /// Checks a model that is already opened as GGUF.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_gguf(gguf: Gguf) -> Result<Self, EngineError> {
        let config = Config::read(gguf.metadata()).map_err(|error| refusal::explained(error, &gguf))?;
        let tensors = Tensors::new(&gguf);
        let token_embd = tensors.matrix("token_embd.weight", config.embedding_length, None)?;
        let layers = (0..config.block_count)
            .map(|index| Layer::load(&tensors, &config, index))
            .collect::<Result<Vec<_>, _>>()?;
        let output_norm = tensors.vector("output_norm.weight", config.embedding_length)?;
        // Without an output matrix of its own a model projects with its embeddings.
        let output = if tensors.has("output.weight") {
            tensors.matrix("output.weight", config.embedding_length, Some(token_embd.rows))?
        } else {
            token_embd.clone()
        };
        let rope_divisors = RopeDivisors::load(&tensors, &config.ropes[0])?;
        tensors.finish()?;
        drop(tensors);
        Ok(Self { gguf, config, token_embd, layers, output_norm, output, rope_divisors, packed: OnceLock::new() })
    }

    /// The hyperparameters.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The file, for its metadata, tokenizer and chat template.
    pub fn gguf(&self) -> &Gguf {
        &self.gguf
    }

    /// Tokens in the vocabulary.
    pub fn vocabulary_len(&self) -> usize {
        self.token_embd.rows
    }

    /// Weights in the model, all tensors together.
    pub fn parameter_count(&self) -> u64 {
        self.gguf.tensors().iter().map(|tensor| tensor.elements()).sum()
    }

    /// The usual name of the file's quantisation, `Q4_K_M`: from `general.file_type`, or else the type of most weights.
    pub fn quantization(&self) -> &'static str {
        let named = self.gguf.metadata().u32("general.file_type").ok().flatten();
        let known = named.and_then(|number| FILE_TYPES.iter().find(|(known, _)| *known == number));
        known.map_or_else(|| self.commonest_type().name(), |(_, name)| name)
    }

    fn commonest_type(&self) -> TensorType {
        let weights = |kind: TensorType| -> u64 {
            self.gguf.tensors().iter().filter(|tensor| tensor.kind == kind).map(|tensor| tensor.elements()).sum()
        };
        TensorType::all().max_by_key(|&kind| weights(kind)).expect("there are tensor types")
    }

    pub(crate) fn weights(&self, matrix: &Matrix) -> Weights<'_> {
        let weights = matrix.weights(&self.gguf);
        Weights { packed: self.packed.get().and_then(|packed| packed.as_ref()?.of(&weights)), ..weights }
    }

    /// Writes the embedding of `token`, which must be in the vocabulary.
    pub(crate) fn embed(&self, token: u32, out: &mut [f32]) {
        self.token_embd.row(&self.gguf, token as usize, out);
        if self.config.embedding_scale != 1.0 {
            activation::scale(out, self.config.embedding_scale);
        }
    }

    /// The divisors of the rotary frequencies for a window of `context_length` tokens.
    pub(crate) fn rope_divisors(&self, context_length: usize) -> Option<&[f32]> {
        match &self.rope_divisors {
            RopeDivisors::Always(divisors) => divisors.as_deref(),
            RopeDivisors::ByWindow { long, .. } if context_length > self.config.ropes[0].original_context as usize => {
                Some(long)
            }
            RopeDivisors::ByWindow { short, .. } => Some(short),
        }
    }
}
