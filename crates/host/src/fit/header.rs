//! From a model file's header to its [`ModelShape`]. The keys are GGUF's, in a file or in a server's answer alike.

use super::hyperparameters::Keys;
use super::layers;
use super::shape::{Experts, LayerShape, ModelShape, ShapeSource};
use super::tensor_type::TensorType;
use serde_json::{Map, Value};

/// One tensor as a file's directory or a server names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorFact {
    pub name: String,
    /// Length of each dimension, fastest first.
    pub shape: Vec<u64>,
    /// `None` for a type that this version of PUMA does not know.
    pub kind: Option<TensorType>,
}

impl TensorFact {
    fn elements(&self) -> Option<u64> {
        self.shape.iter().try_fold(1u64, |count, &length| count.checked_mul(length))
    }

    fn size_bytes(&self) -> Option<u64> {
        self.kind?.size_bytes(&self.shape)
    }

    fn is_float(&self) -> bool {
        self.kind.is_some_and(|kind| matches!(kind.name, "F32" | "F16" | "BF16"))
    }

    /// `3` for `blk.3.attn_k.weight`.
    pub(super) fn layer(&self) -> Option<usize> {
        self.name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
    }

    /// Routed experts lie together in one tensor; an expert that all tokens share (`_shexp`) lies apart.
    fn is_experts(&self) -> bool {
        self.name.contains("_exps.") || self.name.contains("_chexps.")
    }

    fn is_lookup(&self) -> bool {
        matches!(
            self.name.as_str(),
            "token_embd.weight" | "per_layer_token_embd.weight" | "position_embd.weight" | "token_types.weight"
        )
    }
}

/// Why no shape can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeProblem {
    /// A key without which the memory of a context cannot be told.
    #[error("the header does not say `{0}`")]
    Missing(String),
    /// A number no model has.
    #[error("the header says `{key}` is {value}, which no model has")]
    Absurd { key: String, value: String },
    /// Something else than a language model.
    #[error("it is no language model but {0}")]
    NotALanguageModel(&'static str),
    /// Neither tensors nor a size.
    #[error("neither its tensors nor its size are known")]
    NoSize,
}

/// Reads a shape from the metadata `keys` (GGUF's names; arrays as JSON arrays) and, where they are known, the
/// `tensors`. Without tensors, or with a tensor of unknown type, `size_bytes` stands for the weights.
///
/// # Errors
/// The header is not a language model's, lacks a number that memory depends on, or has an absurd one.
pub fn shape_from_header(
    keys: &Map<String, Value>,
    tensors: &[TensorFact],
    size_bytes: Option<u64>,
) -> Result<ModelShape, ShapeProblem> {
    let keys = Keys::new(keys);
    let architecture = keys.architecture()?;
    match architecture {
        "clip" | "mmproj" => return Err(ShapeProblem::NotALanguageModel("the projector of a vision model")),
        "diffusion" | "flux" | "sd1" | "sdxl" | "sd3" => {
            return Err(ShapeProblem::NotALanguageModel("an image model"));
        }
        _ => {}
    }
    let mut layers = layers::caches(&keys, tensors)?;
    let experts = keys.experts()?;
    let weights = match exact_weights(tensors, experts, &mut layers) {
        Some(weights) => weights,
        None => scaled_weights(&keys, size_bytes.ok_or(ShapeProblem::NoSize)?, experts, &mut layers)?,
    };
    let parameters: Option<u64> = tensors.iter().map(TensorFact::elements).sum();
    let parameters =
        parameters.filter(|&count| count > 0).or_else(|| keys.plain("general.parameter_count").ok().flatten());
    let vocabulary = tensors
        .iter()
        .find(|tensor| tensor.name == "token_embd.weight")
        .and_then(|tensor| tensor.shape.get(1).copied())
        .or(keys.number("vocab_size")?);
    Ok(ModelShape {
        architecture: Some(architecture.to_owned()),
        parameters,
        weights_bytes: weights.total,
        output_bytes: weights.output,
        lookup_bytes: weights.lookup,
        tied_output: weights.tied,
        active_bytes: weights.active,
        active_parameters: weights.active_parameters,
        float_weights: weights.float,
        experts,
        vocabulary,
        embedding_length: keys.number("embedding_length")?,
        feed_forward_length: keys.largest("feed_forward_length")?,
        head_count: keys.largest("attention.head_count")?,
        query_width: layers::query_width(&keys)?,
        trained_context: keys.number("context_length")?.and_then(|tokens| u32::try_from(tokens).ok()),
        source: weights.source,
        layers,
    })
}

struct Weights {
    total: u64,
    output: u64,
    lookup: u64,
    active: u64,
    active_parameters: Option<u64>,
    float: bool,
    tied: bool,
    source: ShapeSource,
}

/// Sums the tensors; `None` if there are none or the size of one is not known.
fn exact_weights(tensors: &[TensorFact], experts: Option<Experts>, layers: &mut [LayerShape]) -> Option<Weights> {
    if tensors.is_empty() {
        return None;
    }
    let tied = !tensors.iter().any(|tensor| tensor.name == "output.weight");
    let (mut total, mut output, mut lookup, mut active) = (0u64, 0u64, 0u64, 0u64);
    let (mut active_parameters, mut float_bytes) = (0u64, 0u64);
    for tensor in tensors {
        let bytes = tensor.size_bytes()?;
        let elements = tensor.elements()?;
        total = total.checked_add(bytes)?;
        if tensor.is_float() {
            float_bytes += bytes;
        }
        let layer = tensor.layer().and_then(|index| layers.get_mut(index));
        if let Some(layer) = layer {
            layer.weights_bytes += bytes;
        } else if tensor.is_lookup() && !(tied && tensor.name == "token_embd.weight") {
            lookup += bytes;
            continue;
        } else {
            output += bytes;
        }
        let in_use = |whole: u64| match experts {
            Some(experts) if tensor.is_experts() => share(whole, experts.used.into(), experts.total.into()),
            _ => whole,
        };
        active += in_use(bytes);
        active_parameters += in_use(elements);
    }
    Some(Weights {
        total,
        output,
        lookup,
        active,
        active_parameters: Some(active_parameters),
        float: float_bytes > total / 2,
        tied,
        source: ShapeSource::TensorTable,
    })
}

/// Spreads a known size evenly over the layers. The tables are not told apart, so that nothing is promised to stay
/// outside the GPU.
fn scaled_weights(
    keys: &Keys<'_>,
    total: u64,
    experts: Option<Experts>,
    layers: &mut [LayerShape],
) -> Result<Weights, ShapeProblem> {
    let parameters: Option<u64> = keys.plain("general.parameter_count")?;
    let width = keys.number("embedding_length")?;
    let vocabulary = keys.number("vocab_size")?;
    let outside = match (parameters, width, vocabulary) {
        (Some(all), Some(width), Some(tokens)) if all > 0 => share(total, width.saturating_mul(tokens).min(all), all),
        _ => 0,
    };
    let count = layers.len() as u64;
    for layer in layers.iter_mut() {
        layer.weights_bytes = (total - outside) / count.max(1);
    }
    let active = match (experts, parameters, keys.expert_parameters(count)?) {
        (Some(experts), Some(all), Some(routed)) if routed <= all => {
            share(total, all - routed + share(routed, experts.used.into(), experts.total.into()), all)
        }
        _ => total,
    };
    let active_parameters = parameters.map(|all| share(all, active, total.max(1)));
    let float = parameters.is_some_and(|all| u128::from(total) * 8 >= u128::from(all) * 15);
    let output = total - (total - outside) / count.max(1) * count;
    Ok(Weights {
        total,
        output,
        lookup: 0,
        active,
        active_parameters,
        float,
        tied: false,
        source: ShapeSource::FileSize,
    })
}

/// `bytes × part / whole` without overflow; `whole` is not 0.
fn share(bytes: u64, part: u64, whole: u64) -> u64 {
    let exact = u128::from(bytes) * u128::from(part.min(whole)) / u128::from(whole);
    u64::try_from(exact).expect("a share is not larger than the whole")
}
